"""manage.py rollback_model individual --as aziza --reason "..." """

from argparse import ArgumentParser
from typing import Any

from apps.accounts.permissions import WITHDRAWERS
from apps.scoring_engine.management.model_commands import Change, add_who_and_why, told
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.promotion import rollback_champion


class Command(Change):
    help = "The champion before this one serves again, in every process from the next scoring on."
    # It does not wait for every address and setting of the system to be looked at: seconds may count.
    requires_system_checks = []
    roles = WITHDRAWERS

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("segment", choices=SEGMENTS)
        add_who_and_why(parser)

    def change(self, options: dict[str, Any], **by: Any) -> str:
        return told(rollback_champion(segment=options["segment"], **by))
