"""manage.py list_models --at 2026-03-01T00:00"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import QuerySet

from apps.common.commands import read_moment
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import ModelAssignment, ModelVersion

MODELS = ("segment", "version", "kind", "state", "since", "digest", "maker", "checker")
HISTORY = ("segment", "role", "version", "digest", "since", "action", "actor", "reason")


class Command(BaseCommand):
    help = "The registered models; with --at, which of them were champion and challenger at a time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--segment", choices=SEGMENTS)
        parser.add_argument("--at", metavar="TIME", help="ISO 8601; without an offset it is taken for UTC")

    def handle(self, *, segment: str | None, at: str | None, **options: Any) -> None:
        rows = ModelAssignment.objects.in_force(read_moment(at)) if at else ModelVersion.objects.defer("manifest")
        rows = rows.filter(segment=segment) if segment else rows
        lines = [HISTORY, *_history(rows)] if at else [MODELS, *_models(rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            self.stdout.write("  ".join(map(str.ljust, line, widths)).rstrip())


def _models(rows: QuerySet[ModelVersion]) -> list[tuple[str, ...]]:
    return [
        (row.segment, row.version, row.kind, row.state, _time(row.since), row.card_id[:12], _name(row.made_by),
         _name(row.checked_by))
        for row in rows.select_related("made_by", "checked_by").order_by("segment", "created_at", "id")
    ]  # fmt: skip


def _history(rows: QuerySet[ModelAssignment]) -> list[tuple[str, ...]]:
    return [
        (row.segment, row.role, row.model.version if row.model else "nobody", row.model.card_id[:12] if row.model
         else "-", _time(row.started_at), row.action, _name(row.actor), row.reason)
        for row in rows.select_related("model", "actor").order_by("segment", "role")
    ]  # fmt: skip


def _time(moment: datetime) -> str:
    return f"{moment:%F %T}Z"


def _name(user: Any) -> str:
    return user.username if user else "-"
