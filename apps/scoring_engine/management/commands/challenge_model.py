"""manage.py challenge_model mine-1.0.0 --as aziza --reason "..." """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import MODEL, add_who_and_why, one_sentence, told
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.promotion import challenge


class Command(BaseCommand):
    help = "Let a validated model score beside the champion; it decides nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=MODEL)
        add_who_and_why(parser)

    def handle(self, *, model: str, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            actor = acting_as(username, ANALYSTS)
            assignment = challenge(model=find_registered(model), actor=actor, reason=reason)
        self.stdout.write(told(assignment))
