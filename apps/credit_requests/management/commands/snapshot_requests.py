"""manage.py snapshot_requests "since=2026-01-01 until=2026-07-01" --segment individual --out requests.parquet"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import progress_bar, refusals_told
from apps.policies.services import policy_in_force, policy_of
from apps.scoring_engine.ml.vocabulary import SEGMENTS


class Command(BaseCommand):
    help = "Write past requests as columns for simulate_policy --data. The file holds personal facts, without names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("filter", metavar="FILTER", help='all, or such as "since=2026-01-01 branch=main"')
        parser.add_argument("--segment", choices=SEGMENTS, default="individual", help="individual, if none is named")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new .parquet")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="the analyst whom the audit trail names")

    def handle(self, *, segment: str, out: Path, username: str | None, **options: Any) -> None:
        # Not at the top: only this command needs Arrow.
        from apps.credit_requests.simulation_filters import read_filter
        from apps.credit_requests.simulation_requests import write_snapshot

        with refusals_told():
            actor = acting_as(username, ANALYSTS) if username else None
            chosen = read_filter(options["filter"])
            policy = policy_of(policy_in_force(segment, timezone.now()))
            with progress_bar() as show:
                told = write_snapshot(
                    policy=policy,
                    chosen=chosen,
                    out=out,
                    actor=actor,
                    progress=lambda done, total: show(f"{done:,} of {total:,} requests", done, total),
                )
        counts = told.as_dict()
        written = counts["from_decision"] + counts["from_prediction"]
        left_out = {name: counts[name] for name in ("erased", "unreadable") if counts[name]}
        why = "".join(f", {number} left out ({name})" for name, number in left_out.items())
        self.stdout.write(f"{written} of {counts['found']} requests written{why}: {out}. It holds personal facts.")
