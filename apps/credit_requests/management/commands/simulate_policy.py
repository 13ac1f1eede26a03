"""manage.py simulate_policy mine.toml --requests "since=2026-01-01" --cost-of-funds 0.14 --out simulation"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import progress_bar, read_day, refusals_told
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.common.files import check_out
from apps.policies.management.policy_commands import find_policy
from apps.policies.services import MOST_CHARACTERS

POLICY = "a policy file (.toml), or code/version of one handed in"


class Command(BaseCommand):
    help = "Try a policy on past requests beside the one in force: approvals, money, swap sets, a curve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", metavar="POLICY", help=POLICY)
        parser.add_argument("--against", metavar="POLICY", help=f"{POLICY}; the one in force, if none is named")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--requests", metavar="FILTER", help='all, or such as "since=2026-01-01 branch=main"')
        source.add_argument("--data", type=Path, metavar="FILE", help="a snapshot, Parquet or CSV, instead of requests")
        parser.add_argument("--on-date", type=read_day, metavar="DATE",
                            help="whose dated limits hold for both policies: today's, if none is named")  # fmt: skip
        parser.add_argument("--cost-of-funds", type=float, default=0.0, metavar="RATE", help="a ratio a year: 0")
        parser.add_argument("--before-bars", action="store_true", help="what the rules alone give, as if no bar stood")
        parser.add_argument("--by", action="append", default=[], metavar="COLUMN",
                            help="a further column of FILE to tell segments by; may be given again")  # fmt: skip
        parser.add_argument("--out", type=Path, metavar="DIR", help="a folder that does not exist yet, for the report")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="the analyst whom the audit trail names")

    def handle(self, *, out: Path | None, username: str | None, **options: Any) -> None:
        # Not at the top: they take a second to import, and every other command would pay for it.
        from apps.credit_requests.simulation_page import summary, write_simulation

        if options["by"] and options["data"] is None:
            raise CommandError("--by names columns of a file; give it with --data.")
        with refusals_told():
            if out is not None:
                check_out(out)
            actor = acting_as(username, ANALYSTS) if username else None
            with progress_bar() as show:
                figures = _simulated(options, actor, lambda share, done: show(f"{done:,} requests", share))
            if out is not None:
                write_simulation(figures, out)
        for side, named in figures["policies"].items():
            if named["problems"]:
                self.stderr.write(
                    f"Warning: the {side} policy has {named['problems']} problems; check_policy names them."
                )
        self.stdout.write(summary(figures))
        if out is not None:
            self.stdout.write(f"The report: {out}/simulation.html")


def _simulated(options: dict[str, Any], actor: Any, progress: Any) -> dict[str, Any]:
    from apps.credit_requests.simulation import Terms, simulate_file, simulate_requests
    from apps.credit_requests.simulation_filters import read_filter
    from apps.credit_requests.simulation_policies import in_force

    now = timezone.now()
    on_date: date = options["on_date"] or lender_today(now)
    terms = Terms(on_date, options["cost_of_funds"], options["before_bars"], tuple(dict.fromkeys(options["by"])))
    candidate = _named(options["policy"])
    against = options["against"]
    current = _named(against) if against else in_force(candidate.policy.segment, on_date, now)
    given = {"candidate": candidate, "current": current, "terms": terms, "progress": progress}
    if options["data"] is not None:
        return simulate_file(path=options["data"], **given)
    return simulate_requests(chosen=read_filter(options["requests"]), actor=actor, **given)


def _named(name: str) -> Any:
    from apps.credit_requests.simulation_policies import of_text, of_version

    return of_text(_text_of(Path(name))) if name.endswith(".toml") else of_version(find_policy(name))


def _text_of(path: Path) -> str:
    """A character has at most 4 bytes; the service refuses what is longer."""
    try:
        with path.open("rb") as file:
            return file.read(4 * MOST_CHARACTERS + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of(policy=f"{path} cannot be read: {error}.") from None
