"""manage.py retire_model mine-1.0.0 --as aziza --reason "..." """

from typing import Any

from apps.accounts.permissions import WITHDRAWERS
from apps.scoring_engine.management.model_commands import Change
from apps.scoring_engine.model_names import find_registered
from apps.scoring_engine.models import CHAMPION
from apps.scoring_engine.promotion import retire_model
from apps.scoring_engine.registry import champion


class Command(Change):
    help = "Take a model out of service. Without a champion the expert card scores, and says so."
    roles = WITHDRAWERS

    def change(self, options: dict[str, Any], **by: Any) -> str:
        found = find_registered(options["model"])
        retired = retire_model(model=found, **by)
        after = f" {champion(retired.segment).reason}" if found.state == CHAMPION else ""
        return f"{retired.version} of {retired.segment} is retired.{after}"
