"""manage.py set_password aziza"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import user_named
from apps.accounts.passwords import read_password
from apps.accounts.services import set_password
from apps.common.commands import refusals_told


class Command(BaseCommand):
    help = "Give a person a new password and end their tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        with refusals_told():
            user = set_password(user=user_named(username), password=read_password(), actor=None)
        self.stdout.write(f"{user.username} has a new password; all tokens of the account have ended.")
