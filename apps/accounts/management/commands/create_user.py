"""manage.py create_user aziza --role officer --branch main"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import branch_with_code
from apps.accounts.models import Role, User
from apps.accounts.passwords import read_password
from apps.accounts.services import create_user
from apps.common.commands import refusals_told


class Command(BaseCommand):
    help = "Create a person, who types a password (or has it on standard input), or a service account, without one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--branch", help="code of the branch; officers and approvers need one")
        parser.add_argument("--service", action="store_true", help="a service account: works with tokens only")

    def handle(self, *, username: str, role: str, branch: str | None, service: bool, **options: Any) -> None:
        with refusals_told():
            user = create_user(
                username=username,
                role=role,
                branch=branch_with_code(branch) if branch else None,
                password=None if service else read_password(),
                kind=User.Kind.SERVICE if service else User.Kind.PERSON,
                actor=None,
            )
        self.stdout.write(f"{user.get_kind_display()} {user.username} is there, as {user.role}.")
