"""The door to training: a recipe and a table in; a model file, its manifest and its model card out.

Exit codes: 0 written; 2 refused, nothing written; 3 written, but an acceptance gate of the recipe failed.
"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.commands import progress_bar


class Command(BaseCommand):
    help = "Train a card from a recipe (TOML) and a table (CSV or Parquet); prints one line of JSON figures."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("recipe", type=Path)
        parser.add_argument("--data", type=Path, required=True, metavar="FILE")
        parser.add_argument("--extra", action="append", default=[], metavar="NAME=FILE",
                            help="an extra table that the recipe names; may be given again")  # fmt: skip
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        # Not at the top: they take seconds to import, and every other command would pay for it.
        from apps.scoring_engine.ml.learning.artefact import write_model
        from apps.scoring_engine.ml.learning.errors import TrainingError
        from apps.scoring_engine.ml.learning.recipe import load_recipe
        from apps.scoring_engine.ml.learning.training import train

        try:
            recipe = load_recipe(options["recipe"])
            with progress_bar() as progress:
                trained = train(recipe, options["data"], extras_by_name(options["extra"]), progress=progress)
            write_model(trained, options["out"])
        except TrainingError as error:
            raise CommandError(str(error), returncode=2) from None
        for warning in trained.report["warnings"]:
            self.stderr.write(f"Warning: {warning}")
        self.stdout.write(json.dumps(trained.headline(), allow_nan=False))
        _check_gates(trained.report["gates"])


def _check_gates(gates: list[dict[str, Any]]) -> None:
    """The model is written all the same, so that one can see why; a script sees the exit code."""
    failed = [f"{one['gate']} is {one['found']}, required {one['required']}" for one in gates if not one["passed"]]
    if failed:
        raise CommandError(f"The model is written, but a gate of the recipe failed: {'; '.join(failed)}.", returncode=3)


def extras_by_name(given: list[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, equals, file in pairs if not (name and equals and file)]:
        raise CommandError(f"--extra must be NAME=FILE, not {wrong[0]!r}.", returncode=2)
    return {name: Path(file) for name, _, file in pairs}
