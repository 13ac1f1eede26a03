"""manage.py create_branch samarkand "Самарканд" """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services import create_branch
from apps.common.commands import refusals_told


class Command(BaseCommand):
    help = "Create a branch; officers and approvers belong to one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="letters, digits, '-' and '_'")
        parser.add_argument("name")

    def handle(self, *, code: str, name: str, **options: Any) -> None:
        with refusals_told():
            branch = create_branch(code=code, name=name, actor=None)
        self.stdout.write(f"Branch {branch.code} is there.")
