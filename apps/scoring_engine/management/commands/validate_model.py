"""The door to validation: a model file and a table in; figures (JSON) and a report (HTML) out."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.commands import progress_bar

from .train_model import extras_by_name


class Command(BaseCommand):
    help = "Validate a model file on a table (CSV or Parquet): figures, a report, and one line of JSON."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", type=Path, metavar="MODEL", help="a <segment>_model.joblib")
        parser.add_argument("--data", type=Path, required=True, metavar="FILE")
        parser.add_argument("--extra", action="append", default=[], metavar="NAME=FILE",
                            help="an extra table that the recipe names; may be given again")  # fmt: skip
        parser.add_argument("--recipe", type=Path, metavar="FILE",
                            help="read the data by this recipe instead of the copy beside the model")  # fmt: skip
        parser.add_argument("--group", action="append", default=[], metavar="COLUMN",
                            help="compare groups by this column, which is no input; may be given again")  # fmt: skip
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        # Not at the top: they take seconds to import, and every other command would pay for it.
        from apps.scoring_engine.ml.learning.errors import TrainingError
        from apps.scoring_engine.ml.learning.report import write_report
        from apps.scoring_engine.ml.learning.validation import headline, validate

        try:
            with progress_bar() as progress:
                figures = validate(
                    options["model"], options["data"], extras_by_name(options["extra"]), recipe=options["recipe"],
                    groups=options["group"], progress=progress,
                )  # fmt: skip
            write_report(figures, options["out"])
        except TrainingError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(json.dumps(headline(figures), allow_nan=False))
