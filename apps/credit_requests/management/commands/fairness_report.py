"""manage.py fairness_report --since 2026-01-01 --out fairness"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import progress_bar, read_day, refusals_told
from apps.common.files import check_out


class Command(BaseCommand):
    help = "Whether groups of people fare alike, by final decisions and overrides: figures (JSON) and a page (HTML)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, type=read_day, metavar="DATE", help="the first day")
        parser.add_argument("--until", type=read_day, metavar="DATE", help="only before this day")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a folder that does not exist yet")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="the analyst whom the audit trail names")

    def handle(self, *, since: date, until: date | None, out: Path, username: str | None, **_: Any) -> None:
        # Not at the top: only this command needs what writes reports.
        from apps.credit_requests.decision_fairness import fairness_of_decisions
        from apps.credit_requests.decision_fairness_page import write_fairness

        with refusals_told():
            check_out(out)
            actor = acting_as(username, ANALYSTS) if username else None
            with progress_bar() as show:
                figures = fairness_of_decisions(
                    since=since,
                    until=until,
                    actor=actor,
                    progress=lambda done, total: show(f"looking at {done:,} of {total:,}", done, total),
                )
            write_fairness(figures, out)
        told = figures["requests"]
        left_out = told["erased"] + told["unreadable"]
        why = f", {left_out} left out (erased or unreadable)" if left_out else ""
        self.stdout.write(f"{told['compared']} of {told['found']} decided requests compared{why}: {out}/fairness.html")
