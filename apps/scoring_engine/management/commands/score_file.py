"""The door to scoring a file: a model and a table in; a table of scores, an error file and a summary out."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.common.commands import progress_bar, read_day
from apps.scoring_engine.model_names import ALLOWED, ModelNameError, find_model

MOST_REASONS = 20


class Command(BaseCommand):
    help = "Score a CSV or Parquet file of applicants, in constant memory; prints the summary as JSON."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=ALLOWED)
        parser.add_argument("source", type=Path, metavar="IN", help="applicants, one a row: .csv or .parquet")
        parser.add_argument("out", type=Path, metavar="OUT", help="the file to write: .csv or .parquet")
        parser.add_argument("--keep", action="append", default=[], metavar="COLUMN",
                            help="a column that goes along, such as an id; may be given again")  # fmt: skip
        parser.add_argument("--as-of", type=partial(read_day, option="--as-of", returncode=2), metavar="DAY",
                            help="the day of scoring: today, if none is named")  # fmt: skip
        parser.add_argument("--reasons", type=int, default=4, metavar="N", help=f"from 0 to {MOST_REASONS}: 4")
        parser.add_argument("--contributions", action="store_true", help="the points of every characteristic too")

    def handle(self, *args: Any, **options: Any) -> None:
        # Not at the top: they take seconds to import, and every other command would pay for it.
        from apps.scoring_engine.score_files import score_file
        from apps.scoring_engine.score_tables import ScoreFileError

        job = _job(options)
        try:
            found = find_model(options["model"])
            if found.warning:
                self._warn(found.warning)
            with progress_bar() as show:
                show(f"scoring {job.source.name}", 0.0)
                summary = score_file(found.scorer, found.manifest, job, warn=self._warn,
                                     progress=lambda share, rows: show(f"{rows:,} rows", share))  # fmt: skip
        except (ModelNameError, ScoreFileError) as error:
            raise CommandError(str(error), returncode=2) from None
        if summary["refused"]:
            self._warn(f"{summary['refused']} rows were refused and have no score: see {job.out.stem}.errors.csv.")
        for name, rows in summary["missing_required"].items():
            self._warn(
                f"{name} is required by this card, but was not given in {rows} rows: such a row is to be referred."
            )
        self.stdout.write(json.dumps(summary, ensure_ascii=False, allow_nan=False))

    def _warn(self, text: str) -> None:
        self.stderr.write(f"Warning: {text}")


def _job(options: dict[str, Any]) -> Any:
    from apps.scoring_engine.score_files import Job

    if not 0 <= options["reasons"] <= MOST_REASONS:
        raise CommandError(f"--reasons must be from 0 to {MOST_REASONS}, not {options['reasons']}.", returncode=2)
    as_of = options["as_of"] or timezone.localdate()
    return Job(options["source"], options["out"], as_of, tuple(dict.fromkeys(options["keep"])), options["reasons"],
               options["contributions"])  # fmt: skip
