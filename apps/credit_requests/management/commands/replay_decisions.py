"""manage.py replay_decisions --since 2026-03-01"""

import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import READERS
from apps.common.commands import read_moment, refusals_told
from apps.credit_requests.decision_replay import (
    DIFFERENT,
    ERASED,
    RESULTS,
    UNREADABLE,
    Replay,
    record_replay,
    recorded_decisions,
    replay_decisions,
)

MOST_TOLD = 100


class Command(BaseCommand):
    help = "Ask recorded decisions again of the policy that made them; exit 1 unless each is the same to the bit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, type=read_moment, metavar="TIME", help="ISO 8601, in UTC")
        parser.add_argument("--until", type=read_moment, metavar="TIME", help="only those before it")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="whom the audit trail names")

    def handle(self, *, since: datetime, until: datetime | None, username: str | None, **options: Any) -> None:
        rows = recorded_decisions(since=since, until=until)
        with refusals_told():
            total = record_replay(rows=rows, actor=acting_as(username, READERS) if username else None)
        counts: Counter[str] = Counter()
        for each in track(replay_decisions(rows), "replaying", total=total, console=Console(file=sys.stderr)):
            counts[each.result] += 1
            if each.result in (DIFFERENT, UNREADABLE) and counts[DIFFERENT] + counts[UNREADABLE] <= MOST_TOLD:
                self._tell(each)
        self._sum_up(counts)

    def _tell(self, replayed: Replay) -> None:
        what = replayed.why or f"not as recorded: {', '.join(replayed.differing)}"
        self.stderr.write(f"{replayed.row.id}: {what}")

    def _sum_up(self, counts: Counter[str]) -> None:
        told = ", ".join(f"{counts[result]} {result}" for result in RESULTS)
        self.stdout.write(f"{sum(counts.values())} decisions replayed: {told}.")
        if counts[ERASED]:
            self.stderr.write("Facts that were erased on request cannot be decided on again.")
        if counts[DIFFERENT] + counts[UNREADABLE]:
            raise CommandError("Not every decision is what its policy says.", returncode=1)
