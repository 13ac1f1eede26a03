"""manage.py challenge_model mine-1.0.0 --as aziza --reason "..." """

from typing import Any

from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import Change, told
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.promotion import challenge


class Command(Change):
    help = "Let a validated model score beside the champion; it decides nothing."
    roles = ANALYSTS

    def change(self, options: dict[str, Any], **by: Any) -> str:
        return told(challenge(model=find_registered(options["model"]), **by))
