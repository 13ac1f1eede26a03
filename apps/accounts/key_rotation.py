"""Wrapping every data key anew under the first key of ENCRYPTION_KEYS, while the system runs.

Only `key_id` and `wrapped` of DataKey rows change; what they seal stays as it is, bit for bit. On PostgreSQL a chunk
holds its rows without barring what refers to them, and passes by those that somebody else holds; they come in the next
pass.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Count

from apps.accounts.models import User
from apps.audit.services import insert_events
from apps.common.crypto import InvalidTag, rewrap, ring_ids
from apps.common.models import DataKey

log = structlog.get_logger("key_rotation")
ROWS_AT_ONCE = 1_000
MOST_PASSES = 50
PAUSE_SECONDS = 0.2  # before the next pass, for those who hold what was passed by
_REWRAP = (
    "UPDATE common_datakey SET key_id = %s, wrapped = %s"
    " WHERE id = %s AND key_id = %s AND wrapped = %s AND destroyed_at IS NULL"
)
Progress = Callable[[str, float, float], None]
Held = tuple[UUID, bytes]  # of one data key: its id and what is wrapped


@dataclass(slots=True)
class Rotation:
    """`left`: data keys in use by the id that wraps them. `unopened`: those that their own key does not open."""

    key_id: str
    rewrapped: int = 0
    unopened: set[UUID] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        return [key_id for key_id in self.left if key_id not in ring_ids()]

    @property
    def unneeded(self) -> list[str]:
        """Old keys of the ring that no data key rests on any more."""
        return [key_id for key_id in ring_ids()[1:] if key_id not in self.left]

    @property
    def is_complete(self) -> bool:
        return set(self.left) <= {self.key_id}


def count_data_keys() -> dict[str, int]:
    """Those in use, by the id of the key that wraps them."""
    found = DataKey.objects.filter(destroyed_at=None).order_by("key_id").values("key_id")
    return dict(found.annotate(number=Count("id")).values_list("key_id", "number"))


def rotate_keys(*, actor: User | None, show: Progress, rows_at_once: int = ROWS_AT_ONCE) -> Rotation:
    """Until nothing is left that the ring can open and that nobody else holds; told to the audit trail at the end."""
    rotation = Rotation(ring_ids()[0])
    before = count_data_keys()
    total = sum(before.values()) - before.get(rotation.key_id, 0)
    try:
        for _ in range(MOST_PASSES):
            for key_id in ring_ids()[1:]:
                for rewrapped in _one_pass(rotation, key_id, rows_at_once):
                    rotation.rewrapped += rewrapped
                    show("wrapping data keys anew", rotation.rewrapped, total)
            rotation.left = count_data_keys()
            if not _is_more_to_do(rotation):
                break
            time.sleep(PAUSE_SECONDS)
    finally:
        _record(rotation, actor)
    return rotation


def _is_more_to_do(rotation: Rotation) -> bool:
    known = sum(rotation.left.get(key_id, 0) for key_id in ring_ids()[1:])
    return known > len(rotation.unopened)


def _one_pass(rotation: Rotation, key_id: str, rows_at_once: int) -> Iterator[int]:
    """How many were rewrapped, chunk by chunk, each in a transaction of its own."""
    after = UUID(int=0)
    while True:
        with transaction.atomic():
            held = _hold(key_id, after, rows_at_once)
            rewrapped = _store(key_id, held, rotation)
        yield rewrapped
        if not held:
            return
        after = held[-1][0]


def _hold(key_id: str, after: UUID, number: int) -> list[Held]:
    rows = DataKey.objects.filter(key_id=key_id, destroyed_at=None, id__gt=after).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, no_key=True)
    return [(id_, bytes(wrapped)) for id_, wrapped in rows.values_list("id", "wrapped")[:number]]


def _store(key_id: str, held: list[Held], rotation: Rotation) -> int:
    changes = []
    for id_, wrapped in held:
        try:
            changes.append((*rewrap(id_, key_id, wrapped), _as_stored(id_), key_id, wrapped))
        except InvalidTag:
            log.error("data_key_does_not_open", data_key_id=str(id_), key_id=key_id)
            rotation.unopened.add(id_)
    if not changes:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(_REWRAP, changes)
        return cursor.rowcount


def _as_stored(id_: UUID) -> UUID | str:
    return DataKey._meta.pk.get_db_prep_value(id_, connection)


@transaction.atomic
def _record(rotation: Rotation, actor: User | None) -> None:
    rotation.left = count_data_keys()
    details = {"rewrapped": rotation.rewrapped, "unopened": len(rotation.unopened), "left": rotation.left}
    insert_events(actor, [("keys.rotate", DataKey, rotation.key_id, details)])
