"""manage.py issue_service_token core-banking --days 90"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lookup import user_named
from apps.accounts.services import issue_token
from apps.common.commands import refusals_told

MOST_DAYS = 365


class Command(BaseCommand):
    help = "Print a new token of an account. Only its digest is stored, so it is seen this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=int, default=settings.SERVICE_TOKEN_DAYS, help=f"1 to {MOST_DAYS}")

    def handle(self, *, username: str, days: int, **options: Any) -> None:
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days is {days}; allowed is 1 to {MOST_DAYS}.")
        with refusals_told():
            row, text = issue_token(user=user_named(username), expires_in=timedelta(days=days), actor=None)
        self.stderr.write(f"Valid until {row.expiry:%Y-%m-%d %H:%M} UTC. Send it as: Authorization: Token <token>")
        self.stdout.write(text)
