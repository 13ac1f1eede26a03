"""manage.py validate_for_use shipped-individual-2 --figures validation/validation.json --as bekzod --reason "..." """

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import MODEL, add_who_and_why, one_sentence, read_document
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.validation import validate_for_use


class Command(BaseCommand):
    help = "Record that a model passed on the lender's own data, so that its assessments may decide by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=MODEL)
        parser.add_argument("--figures", type=Path, required=True, help="the validation.json of validate_model")
        parser.add_argument("--types-seen", action="store_true", help="the types that an estimator loads may be loaded")
        add_who_and_why(parser)

    def handle(self, *, model: str, figures: Path, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            actor, found = acting_as(username, ANALYSTS), find_registered(model)
            validate_for_use(
                model=found,
                figures=read_document(figures),
                comment=reason,
                actor=actor,
                types_seen=found.types if options["types_seen"] else (),
            )
        found.refresh_from_db()
        self.stdout.write(f"{found.version} passed on your own data; it is {found.state}, and may decide in service.")
