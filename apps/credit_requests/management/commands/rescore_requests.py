"""Rescore every undecided request, after another model came into service."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.credit_requests.bulk_rescoring import rescore_undecided


class Command(BaseCommand):
    help = (
        "Rescore every undecided request with the model in service, a few hundred in one transaction. Running it again "
        "writes nothing new."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        counts = rescore_undecided()
        self.stdout.write(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
