"""manage.py draft_policy mine.toml --as anvar"""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import refusals_told
from apps.common.errors import InvalidInput
from apps.policies.services import MOST_CHARACTERS, check_policy, draft_policy


class Command(BaseCommand):
    help = "Hand in a policy file as a draft; somebody else has to publish it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a policy, TOML (docs/reference/policy-format.md)")
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="the analyst who made it")

    def handle(self, *, file: Path, username: str, **options: Any) -> None:
        text = _text(file)
        with refusals_told(), _each_problem_told(file):
            policy = draft_policy(text=text, actor=acting_as(username, ANALYSTS), now=timezone.now())
        for finding in check_policy(text).warnings:
            self.stderr.write(f"Warning: {finding.where}: {finding.message}")
        self.stdout.write(f"{policy} of {policy.segment} is a draft, to be valid from {policy.valid_from}.")


@contextmanager
def _each_problem_told(file: Path) -> Iterator[None]:
    try:
        yield
    except InvalidInput as refusal:
        lines = [f"  {problem.field}: {problem.message}" for problem in refusal.errors]
        raise CommandError("\n".join([f"{file} is refused, and nothing was stored:", *lines])) from None


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
