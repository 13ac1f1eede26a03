"""manage.py rollback_model individual --as aziza --reason "..." """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import WITHDRAWERS
from apps.scoring_engine.management.model_commands import add_who_and_why, one_sentence, told
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.promotion import rollback_champion


class Command(BaseCommand):
    help = "The champion before this one serves again, in every process from the next scoring on."
    # It does not wait for every address and setting of the system to be looked at: seconds may count.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("segment", choices=SEGMENTS)
        add_who_and_why(parser)

    def handle(self, *, segment: str, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            actor = acting_as(username, WITHDRAWERS)
            assignment = rollback_champion(segment=segment, actor=actor, reason=reason)
        self.stdout.write(told(assignment))
