"""manage.py rotate_keys, after a new key was put first in ENCRYPTION_KEYS and every process started with it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.key_rotation import Rotation, count_data_keys, rotate_keys
from apps.accounts.lookup import acting_as
from apps.accounts.models import Role
from apps.common.commands import progress_bar, refusals_told
from apps.common.crypto import ring_ids

NOT_COMPLETE, KEY_MISSING = 1, 2


class Command(BaseCommand):
    help = (
        "Wrap every data key anew under the first key of ENCRYPTION_KEYS, while the system runs. Exit 1: something is "
        "not under it; 2: the ring lacks a key that data need."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count, and change nothing")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="whom the audit trail names")

    def handle(self, *, check: bool, username: str | None, **options: Any) -> None:
        with refusals_told():
            if check:
                rotation = Rotation(ring_ids()[0], left=count_data_keys())
            else:
                actor = acting_as(username, {Role.ADMINISTRATOR}) if username else None
                with progress_bar() as show:
                    rotation = rotate_keys(actor=actor, show=show)
                self.stdout.write(f"{rotation.rewrapped} data keys were wrapped anew under {rotation.key_id!r}.")
        self._tell(rotation)
        self._refuse(rotation)

    def _tell(self, rotation: Rotation) -> None:
        for key_id in dict.fromkeys([*ring_ids(), *rotation.left]):
            note = ", which is not in ENCRYPTION_KEYS" if key_id in rotation.missing else ""
            self.stdout.write(f"{rotation.left.get(key_id, 0)} data keys under {key_id!r}{note}")
        for key_id in rotation.unneeded:
            self.stdout.write(
                f"{key_id!r} may be taken out of ENCRYPTION_KEYS, once every process runs with {rotation.key_id!r} "
                "first; keep a copy for the back-ups made before."
            )

    def _refuse(self, rotation: Rotation) -> None:
        if rotation.missing:
            raise CommandError(
                f"ENCRYPTION_KEYS lacks {', '.join(map(repr, rotation.missing))}: what is sealed under it cannot be "
                "read. Put it back behind the first key and run this again.",
                returncode=KEY_MISSING,
            )
        if rotation.unopened:
            raise CommandError(
                f"{len(rotation.unopened)} data keys do not open under the key that they name; the log has their ids. "
                "Was another key put into ENCRYPTION_KEYS under an old id?",
                returncode=NOT_COMPLETE,
            )
        if not rotation.is_complete:
            raise CommandError("Not every data key is under the first key: run rotate_keys.", returncode=NOT_COMPLETE)
