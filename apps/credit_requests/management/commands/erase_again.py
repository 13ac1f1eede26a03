"""manage.py erase_again erased-keys.txt, after a database was restored and before anybody is let in."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lookup import acting_as
from apps.accounts.models import Role
from apps.common.commands import refusals_told
from apps.credit_requests.erasure import erase_again


class Command(BaseCommand):
    help = "Erase in a restored database what had been erased: the data keys that list_erased_keys wrote into FILE."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="whom the audit trail names")

    def handle(self, *, file: Path, username: str | None, **options: Any) -> None:
        # The whole file is read before anything is erased.
        ids = list(_read(file))
        with refusals_told():
            actor = acting_as(username, {Role.ADMINISTRATOR}) if username else None
            counts = erase_again(key_ids=ids, actor=actor)
        self.stdout.write(
            f"{len(ids)} data keys listed: {counts['erased']} erased again, {counts['erased_already']} erased already, "
            f"{counts['not_there']} not in this database."
        )


def _read(file: Path) -> Iterator[UUID]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield UUID(line.split()[0])
        except ValueError:
            raise CommandError(f"Line {number} of {file} does not begin with the id of a data key.") from None
