"""manage.py revoke_tokens core-banking"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import user_named
from apps.accounts.services import revoke_tokens
from apps.common.commands import refusals_told


class Command(BaseCommand):
    help = "End all tokens of an account, or the one that starts with --token-key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--token-key", help="the start of the token, as lists show it")

    def handle(self, *, username: str, token_key: str | None, **options: Any) -> None:
        with refusals_told():
            ended = revoke_tokens(user=user_named(username), token_key=token_key, actor=None)
        self.stdout.write(f"{ended} token{'' if ended == 1 else 's'} of {username} ended.")
