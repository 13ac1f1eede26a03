"""The door to exports: a model in; one file out, in a form that runs elsewhere."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.commands import read_day
from apps.scoring_engine.ml.exports.as_json import as_json
from apps.scoring_engine.ml.exports.as_pmml import as_pmml
from apps.scoring_engine.ml.exports.as_python import as_python
from apps.scoring_engine.ml.exports.as_sql import Table, as_sql
from apps.scoring_engine.ml.exports.dialects import DIALECTS
from apps.scoring_engine.ml.exports.parts import ExportError
from apps.scoring_engine.ml.scorer import Scorer
from apps.scoring_engine.model_names import ALLOWED, ModelNameError, find_model

FORMS = {"json": as_json, "pmml": as_pmml, "python": as_python}
SQL = "sql"
OF_SQL = ("dialect", "table", "key", "column", "as_of", "as_of_column", "unavailable_column")


class Command(BaseCommand):
    help = "Export a model as JSON, SQL, PMML or Python that scores exactly as the engine does."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=ALLOWED)
        parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
        parser.add_argument("--to", required=True, choices=[*FORMS, SQL])
        sql = parser.add_argument_group("of the SQL only")
        sql.add_argument("--dialect", choices=list(DIALECTS), help="sqlite, if none is named")
        sql.add_argument("--table", help="where the facts stand: applicants, if none is named")
        sql.add_argument("--key", action="append", metavar="COLUMN",
                         help="comes back beside the score: id, if none is named; may be given again")  # fmt: skip
        sql.add_argument("--column", action="append", metavar="FACT=COLUMN",
                         help="a column that is not called as its fact; may be given again")  # fmt: skip
        day = sql.add_mutually_exclusive_group()
        day.add_argument("--as-of", type=partial(read_day, option="--as-of", returncode=2), metavar="DAY",
                         help="one day of scoring for all rows")  # fmt: skip
        day.add_argument("--as-of-column", metavar="COLUMN", help="the day of scoring of each row: as_of")
        sql.add_argument("--unavailable-column", metavar="COLUMN",
                         help="names, between commas, the facts of a row whose source was down")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = find_model(options["model"])
            _write_whole(options["out"], _exported(found.scorer, options))
        except (ModelNameError, ExportError) as error:
            raise CommandError(str(error), returncode=2) from None
        if found.warning:
            self.stderr.write(f"Warning: {found.warning}")
        self.stdout.write(f"{found.scorer.version} ({found.scorer.digest}) is in {options['out']}.")


def _exported(scorer: Scorer, options: dict[str, Any]) -> str:
    if options["to"] == SQL:
        return as_sql(scorer, options["dialect"] or "sqlite", _table(options))
    if given := [f"--{name.replace('_', '-')}" for name in OF_SQL if options[name]]:
        raise ExportError(f"{', '.join(given)}: only for --to sql.")
    return FORMS[options["to"]](scorer)


def _table(options: dict[str, Any]) -> Table:
    pairs = [text.partition("=") for text in options["column"] or []]
    if wrong := [fact for fact, equals, column in pairs if not (fact and equals and column)]:
        raise ExportError(f"--column must be FACT=COLUMN, not {wrong[0]!r}.")
    usual = Table()
    return Table(
        name=options["table"] or usual.name,
        keys=tuple(options["key"] or usual.keys),
        columns={fact: column for fact, _, column in pairs},
        as_of=options["as_of"] or options["as_of_column"] or usual.as_of,
        unavailable=options["unavailable_column"],
    )


def _write_whole(path: Path, text: str) -> None:
    """The file whole or not at all."""
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        part.write_bytes(text.encode())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ExportError(f"{path} cannot be written ({error.strerror}).") from None
