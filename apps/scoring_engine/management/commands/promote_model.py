"""manage.py promote_model mine-1.0.0 --as aziza --reason "..." """

from typing import Any

from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import Change, told
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.promotion import promote_model


class Command(Change):
    help = "Make a validated model the champion of its segment; the one until now retires."
    roles = ANALYSTS

    def change(self, options: dict[str, Any], **by: Any) -> str:
        return told(promote_model(model=find_registered(options["model"]), **by))
