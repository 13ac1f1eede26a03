"""manage.py retire_model mine-1.0.0 --as aziza --reason "..." """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import WITHDRAWERS
from apps.scoring_engine.management.model_commands import MODEL, add_who_and_why, one_sentence
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.models import CHAMPION
from apps.scoring_engine.promotion import retire_model
from apps.scoring_engine.registry import champion


class Command(BaseCommand):
    help = "Take a model out of service. Without a champion the expert card scores, and says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=MODEL)
        add_who_and_why(parser)

    def handle(self, *, model: str, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            actor, found = acting_as(username, WITHDRAWERS), find_registered(model)
            retired = retire_model(model=found, actor=actor, reason=reason)
        after = f" {champion(retired.segment).reason}" if found.state == CHAMPION else ""
        self.stdout.write(f"{retired.version} of {retired.segment} is retired.{after}")
