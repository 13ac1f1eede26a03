"""manage.py compare_models individual mine-1.0.0 --since 2026-01-01 --cut-off 480 --out comparison"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import progress_bar, read_day
from apps.common.files import check_out
from apps.credit_requests.comparison import LOSS_GIVEN_DEFAULT, Terms, compare_challenger, compare_models
from apps.scoring_engine.management.model_commands import one_sentence
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.model_names import ALLOWED, find_model


class Command(BaseCommand):
    help = "Compare two models on past applications, with the facts as of then: figures (JSON) and a page (HTML)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("models", nargs="*", metavar="MODEL", help=f"two, each {ALLOWED}")
        parser.add_argument("--challenger", choices=SEGMENTS, metavar="SEGMENT",
                            help="instead of two models: the logged scores of champion and challenger")  # fmt: skip
        parser.add_argument("--since", required=True, type=read_day, metavar="DATE", help="the first day")
        parser.add_argument("--until", type=read_day, metavar="DATE", help="only before this day")
        parser.add_argument("--cut-off", required=True, type=int, metavar="SCORE", help="accepted from this score on")
        parser.add_argument("--loss-given-default", type=float, default=LOSS_GIVEN_DEFAULT, metavar="SHARE",
                            help=f"of the amount, above 0 and at most 1: {LOSS_GIVEN_DEFAULT}")  # fmt: skip
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a folder that does not exist yet")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="the analyst whom the audit trail names")

    def handle(self, *, models: list[str], challenger: str | None, out: Path, **options: Any) -> None:
        # Not at the top: only this command needs what writes reports.
        from apps.credit_requests.comparison_page import write_comparison

        if len(models) != (0 if challenger else 2):
            raise CommandError("Give two models, or --challenger and a segment, and not both.")
        terms = Terms(options["since"], options["until"], options["cut_off"], options["loss_given_default"])
        username = options["username"]
        with one_sentence():
            check_out(out)
            actor = acting_as(username, ANALYSTS) if username else None
            with progress_bar() as show:
                given = {
                    "terms": terms,
                    "actor": actor,
                    "progress": lambda done, total: show(f"comparing {done:,} of {total:,}", done, total),
                }
                if challenger:
                    figures = compare_challenger(segment=challenger, **given)
                else:
                    first, second = map(self._found, models)
                    figures = compare_models(first=first, second=second, **given)
            write_comparison(figures, out)
        self._tell(figures["applications"], out)

    def _found(self, name: str) -> Any:
        found = find_model(name)
        if found.warning:
            self.stderr.write(f"Warning: {found.warning}")
        return found.scorer

    def _tell(self, told: dict[str, int], out: Path) -> None:
        left_out = {name: told[name] for name in ("erased", "unreadable", "refused", "other_models") if told[name]}
        why = "".join(f", {number} left out ({name.replace('_', ' ')})" for name, number in left_out.items())
        self.stdout.write(f"{told['compared']} of {told['found']} applications compared{why}: {out}/comparison.html")
