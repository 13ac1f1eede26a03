"""The door to a first recipe: a table in, a recipe to read and correct out."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Draft a recipe (TOML) from a table (CSV or Parquet): kinds, empties, codes and likely leaks are guessed."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA")
        parser.add_argument("--target", required=True, metavar="COLUMN", help="the column that tells bad from good")
        parser.add_argument("--date", default="", metavar="COLUMN",
                            help="the day of each application: the newest rows will be the test")  # fmt: skip
        parser.add_argument("--segment", default="individual", choices=("individual", "company"))
        parser.add_argument("--encoding", default="", help="of a CSV that is not UTF-8, such as cp1251")
        parser.add_argument("--out", type=Path, metavar="FILE", help="written here instead of to the terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        # Not at the top: they take seconds to import, and every other command would pay for it.
        from apps.scoring_engine.ml.learning.draft import draft_of
        from apps.scoring_engine.ml.learning.draft_text import text_of_draft
        from apps.scoring_engine.ml.learning.errors import TrainingError

        out, segment = options["out"], options["segment"]
        try:
            draft = draft_of(options["data"], options["target"], date=options["date"], segment=segment,
                             encoding=options["encoding"])  # fmt: skip
        except TrainingError as error:
            raise CommandError(str(error), returncode=2) from None
        text = text_of_draft(draft, segment)
        if out is None:
            self.stdout.write(text)
            return
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise CommandError(f"The file {out} is there already: name another with --out.", returncode=2) from None
        except OSError as error:
            raise CommandError(f"The file {out} cannot be written: {error.strerror}.", returncode=2) from None
        self.stderr.write(f"{out}: {len(draft.inputs)} inputs, {len(draft.not_used)} columns left out. Read it, then"
                          " correct it.")  # fmt: skip
