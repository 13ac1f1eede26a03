"""manage.py register_shipped_models: what an installation does once, and after each update."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.registration import register_shipped_models


class Command(BaseCommand):
    help = "Register the shipped models that are not yet known; they never displace a model of the lender's own."

    def handle(self, **options: Any) -> None:
        try:
            models = register_shipped_models(now=timezone.now())
        except ModelFileError as error:
            raise CommandError(f"The shipped models are not registered: {error}.") from None
        for model in models:
            self.stdout.write(f"{model.version} of {model.segment} is registered: {model.state}.")
        if not models:
            self.stdout.write("All shipped models are registered.")
