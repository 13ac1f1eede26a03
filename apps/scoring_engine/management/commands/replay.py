"""manage.py replay --since 2026-03-01"""

import csv
import os
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import READERS
from apps.common.commands import read_moment
from apps.scoring_engine.management.model_commands import one_sentence
from apps.scoring_engine.ml.grades import GRADES_VERSION
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.replay import DIFFERENT, ERASED, RESULTS, UNREADABLE, Replay, logged, record_replay, replay

MOST_TOLD = 100
OLDER_GRADES = "grades_not_compared"
Listed = Callable[[Iterable[tuple[Any, ...]]], Any]


class Command(BaseCommand):
    help = "Work logged scorings out again from the log and the registry alone; exit 1 unless every bit is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, type=read_moment, metavar="TIME", help="ISO 8601, in UTC")
        parser.add_argument("--until", type=read_moment, metavar="TIME", help="only those before it")
        parser.add_argument("--segment", choices=SEGMENTS)
        parser.add_argument("--limit", type=_number, metavar="N", help="at most so many, the oldest")
        parser.add_argument("--out", type=Path, metavar="FILE", help="list all that differs in this CSV file")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="whom the audit trail names")

    def handle(self, *, out: Path | None, username: str | None, **options: Any) -> None:
        rows = logged(**{name: options[name] for name in ("since", "until", "segment", "limit")})
        with one_sentence(), _listing(out) as write:
            total = record_replay(rows=rows, actor=acting_as(username, READERS) if username else None)
            counts = self._replay(
                track(replay(rows), "replaying", total=total, console=Console(file=sys.stderr)), write
            )
        self._sum_up(counts, out)

    def _replay(self, replayed: Iterable[Replay], write: Listed) -> Counter:
        counts: Counter = Counter()
        for each in replayed:
            counts[each.result] += 1
            counts[OLDER_GRADES] += each.of_older_grades
            if each.result in (DIFFERENT, UNREADABLE):
                write((each.row.id, *found) for found in _found(each))
                if counts[DIFFERENT] + counts[UNREADABLE] <= MOST_TOLD:
                    self._tell(each)
        return counts

    def _tell(self, replayed: Replay) -> None:
        if replayed.result == UNREADABLE:
            self.stderr.write(f"{replayed.row.id}: {replayed.why}")
        for name, then, now in replayed.differing:
            self.stderr.write(f"{replayed.row.id}: {name}: logged {then}, now {now}")

    def _sum_up(self, counts: Counter, out: Path | None) -> None:
        told = ", ".join(f"{counts[result]} {result}" for result in RESULTS)
        self.stdout.write(f"{sum(counts[result] for result in RESULTS)} predictions replayed: {told}.")
        if counts[ERASED]:
            self.stderr.write("Facts that were erased on request cannot be scored again.")
        if counts[OLDER_GRADES]:
            told = f"{counts[OLDER_GRADES]} grades were not compared: they are of another table than {GRADES_VERSION}."
            self.stderr.write(told)
        wrong = counts[DIFFERENT] + counts[UNREADABLE]
        if wrong > MOST_TOLD:
            where = f"all of them are in {out}" if out else "--out FILE lists all of them"
            self.stderr.write(f"{wrong - MOST_TOLD} more are not told here; {where}.")
        if wrong:
            raise CommandError("Not every prediction is what the registry's models say.", returncode=1)


def _found(replayed: Replay) -> Iterable[tuple[str, Any, Any]]:
    return replayed.differing or [("unreadable", "", replayed.why)]


@contextmanager
def _listing(out: Path | None) -> Iterator[Listed]:
    """What writes rows to `out`: the file whole, or as it was before."""
    if out is None:
        yield lambda rows: None
        return
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "field", "logged", "recomputed"))
            yield writer.writerows
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:19]) > 0):
        raise CommandError(f"--limit is a whole number from 1 on, not {text[:40]!r}.")
    return min(int(text[:19]), sys.maxsize)
