"""manage.py replay --since 2026-03-01"""

import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.replay import DIFFERENT, ERASED, RESULTS, UNREADABLE, Replay, logged, replay

MOST_TOLD = 100


class Command(BaseCommand):
    help = "Work logged scorings out again from the log and the registry alone; exit 1 unless every bit is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, type=_moment, metavar="TIME", help="ISO 8601; UTC without offset")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="only those before it")
        parser.add_argument("--segment", choices=SEGMENTS)

    def handle(self, *, since: datetime, until: datetime | None, segment: str | None, **options: Any) -> None:
        rows, counts = logged(since=since, until=until, segment=segment), Counter()
        console = Console(file=sys.stderr)
        for replayed in track(replay(rows), "replaying", total=rows.count(), console=console):
            counts[replayed.result] += 1
            if replayed.result in (DIFFERENT, UNREADABLE) and counts[DIFFERENT] + counts[UNREADABLE] <= MOST_TOLD:
                self._tell(replayed)
        told = ", ".join(f"{counts[result]} {result}" for result in RESULTS)
        self.stdout.write(f"{counts.total()} predictions replayed: {told}.")
        if counts[ERASED]:
            self.stderr.write("Facts that were erased on request cannot be scored again.")
        if counts[DIFFERENT] or counts[UNREADABLE]:
            raise CommandError("Not every prediction is what the registry's models say.", returncode=1)

    def _tell(self, replayed: Replay) -> None:
        if replayed.result == UNREADABLE:
            self.stderr.write(f"{replayed.row.id}: {replayed.why}")
        for name, then, now in replayed.differing:
            self.stderr.write(f"{replayed.row.id}: {name}: logged {then}, now {now}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise CommandError(f"A time is like 2026-03-01T09:30+05:00, not {text[:40]!r}.") from None
