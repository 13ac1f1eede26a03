"""manage.py update_monitoring --since 2026-03-02"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.common.commands import progress_bar, read_day, refusals_told
from apps.portfolio.counting import update_monitoring

TOLD = (
    "Weeks counted: {weeks}, with {applications} applications. Of {unreadable} of these the sealed part could not be "
    "read (the person was erased, or the row changed past the engine); only score and marks of theirs count."
)


class Command(BaseCommand):
    help = "Count the weeks that monitoring shows and that are not complete; beat does so four times a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=read_day, metavar="DAY", help="count all weeks again from that of this day")

    def handle(self, *, since: date | None, verbosity: int, **options: Any) -> None:
        with refusals_told(), progress_bar() as show:
            counts = update_monitoring(
                since=since,
                actor=None,
                now=timezone.now(),
                progress=lambda week, done, total: (
                    show(f"counting the week of {week}", done, total) if verbosity else None
                ),
            )
        if verbosity:
            self.stdout.write(TOLD.format(**counts))
