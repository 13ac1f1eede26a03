"""What the commands of the registry share: who acts, on which model, and refusals as one sentence."""

from argparse import ArgumentParser
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lookup import acting_as
from apps.accounts.models import User
from apps.common.commands import refusals_told
from apps.common.errors import InvalidInput
from apps.common.strict_json import parse_json
from apps.scoring_engine.model_names import ModelNameError
from apps.scoring_engine.models import ModelAssignment

MODEL = "version of a registered model, or at least 8 characters of its digest"


@contextmanager
def one_sentence() -> Iterator[None]:
    with refusals_told():
        try:
            yield
        except ModelNameError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be opened ({error.strerror}).") from None


def add_who(parser: ArgumentParser) -> None:
    parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="who does this")


def add_who_and_why(parser: ArgumentParser) -> None:
    add_who(parser)
    parser.add_argument("--reason", required=True, help="why; the history keeps it")


class Change(BaseCommand):
    """A person changes, for a reason, which models are in service. A command gives `roles` and `change`."""

    roles: Set[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help=MODEL)
        add_who_and_why(parser)

    def handle(self, *, username: str, reason: str, **options: Any) -> None:
        with one_sentence():
            done = self.change(options, actor=acting_as(username, self.roles), reason=reason)
        self.stdout.write(done)

    def change(self, options: dict[str, Any], *, actor: User, reason: str) -> str:
        """Make the change and say what stands now."""
        raise NotImplementedError


def read_document(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(path.read_bytes())
    except InvalidInput as error:
        raise CommandError(f"{path} cannot be used: {error.detail}") from None
    if type(document) is not dict:
        raise CommandError(f"{path} holds no JSON object.")
    return document


def told(assignment: ModelAssignment) -> str:
    model, at = assignment.model, assignment.started_at
    return (
        f"{model.version} ({model.card_id[:12]}) is the {assignment.role} of {assignment.segment} since {at:%F %T} UTC."
    )
