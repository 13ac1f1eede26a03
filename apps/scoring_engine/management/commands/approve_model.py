"""manage.py approve_model mine-1.0.0 --figures validation/validation.json --as bekzod --reason "..." """

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import MODEL, add_who_and_why, one_sentence, read_document
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.validation import record_validation


class Command(BaseCommand):
    help = "Record what a validator found of a registered model that somebody else made: it passed, or it failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=MODEL)
        parser.add_argument("--figures", type=Path, required=True, help="the validation.json of validate_model")
        parser.add_argument("--failed", action="store_true", help="it did not pass; without this, it did")
        parser.add_argument("--own-data", action="store_true", help="the data were of the lender's own customers")
        parser.add_argument("--types-seen", action="store_true", help="the types that an estimator loads may be loaded")
        add_who_and_why(parser)

    def handle(self, *, model: str, figures: Path, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            actor, found = acting_as(username, ANALYSTS), find_registered(model)
            if found.types:
                self.stdout.write(f"Reading {found.version} loads {', '.join(found.types)}.")
            validation = record_validation(
                model=found,
                figures=read_document(figures),
                passed=not options["failed"],
                on_own_data=options["own_data"],
                comment=reason,
                actor=actor,
                types_seen=found.types if options["types_seen"] else (),
            )
        found.refresh_from_db()
        result = "passed" if validation.passed else "did not pass"
        self.stdout.write(f"{found.version} {result}; it is {found.state}.")
