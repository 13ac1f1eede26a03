"""Rescore every undecided request, after another model came into service."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.credit_requests.bulk_rescoring import rescore_in_processes, rescore_undecided

MOST_WORKERS = 32


class Command(BaseCommand):
    help = (
        "Rescore every undecided request with the model in service, a few hundred in one transaction. Running it again "
        "writes nothing new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--workers", type=int, default=1, help=f"Processes that share the requests, 1 to {MOST_WORKERS}."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workers = options["workers"]
        if not 1 <= workers <= MOST_WORKERS:
            raise CommandError(f"--workers must be from 1 to {MOST_WORKERS}; {workers} was given.")
        counts = rescore_undecided() if workers == 1 else rescore_in_processes(workers)
        self.stdout.write(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
