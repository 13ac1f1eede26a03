"""Personal data at rest: one data key per person, wrapped by a key ring; identifiers found by a blind index.

AES-256-GCM with a fresh 96-bit nonce (NIST SP 800-38D). A ciphertext is bound to the row that holds it through
the additional data, so it cannot be moved to another row and still open.
"""

import hmac
import json
import os
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.common.errors import DataErased, KeyMissing
from apps.common.inserting import insert_rows
from apps.common.key_ring import KEY_BYTES, read_key, read_key_ring
from apps.common.models import DataKey, NameWord
from apps.common.sentences import Sentence

NONCE_BYTES = 12
UNFINDABLE = "erased:"  # how the blind index of one who was erased begins
ERASED = Sentence("The personal data were erased; what is left is the record that they were used.")
log = structlog.get_logger("crypto")
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@cache
def _key_ring() -> dict[str, AESGCM]:
    return {key_id: AESGCM(key) for key_id, key in read_key_ring(settings.ENCRYPTION_KEYS).items()}


def ring_ids() -> tuple[str, ...]:
    """The ids of ENCRYPTION_KEYS, that which wraps new data keys first."""
    return tuple(_key_ring())


def missing_ids() -> list[str]:
    """Keys that data in use are wrapped by and that the ring lacks. One step along an index per key, however many."""
    found, last = [], ""
    used = DataKey.objects.filter(destroyed_at=None).order_by("key_id").values_list("key_id", flat=True)
    while (last := used.filter(key_id__gt=last).first()) is not None:
        found.append(last)
    return [key_id for key_id in found if key_id not in ring_ids()]


def _encrypt(cipher: AESGCM, plain: bytes, context: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, context.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, context: str) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())


class OpenKey(NamedTuple):
    """A data key unwrapped once, to seal or open several things of one person. `id`, `key_id` and `wrapped` are
    those of its row, which a drawn one does not have yet.
    """

    id: uuid.UUID
    key_id: str
    wrapped: bytes
    cipher: AESGCM

    def seal_text(self, text: str, context: str) -> bytes:
        """`text`: a JSON document."""
        return self.seal_bytes(text.encode(), context)

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        return _encrypt(self.cipher, data, context)

    def unseal(self, sealed: bytes, context: str) -> Any:
        return json.loads(self.plain(sealed, context))

    def plain(self, sealed: bytes, context: str) -> bytes:
        """The bytes as they were sealed; of a document, in UTF-8."""
        return _decrypt(self.cipher, sealed, context)


def blind_index(kind: str, value: str) -> str:
    """64 hex digits that find `value` without holding it: HMAC-SHA256 under BLIND_INDEX_KEY, apart by kind."""
    return hmac.digest(_blind_key(), f"{kind}:{value}".encode(), "sha256").hex()


@cache
def _blind_key() -> bytes:
    return read_key(settings.BLIND_INDEX_KEY, "BLIND_INDEX_KEY")


def create_data_key(owner_index: str | None = None) -> DataKey:
    """The data key of the person with this blind index, made if there is none; without an index, a new one."""
    if owner_index is None:
        return DataKey.objects.create(**_columns(draw_key()))
    # Held, so that an erasure of this person comes before all of the caller's transaction, or after it.
    with transaction.atomic(savepoint=False):
        rows = DataKey.objects.select_for_update(no_key=True)
        return rows.get_or_create(owner_index=owner_index, defaults=_columns(draw_key()))[0]


def draw_data_key() -> DataKey:
    """A new one of nobody's yet, to be inserted with the rows that it seals."""
    return DataKey(**_columns(draw_key()))


def draw_key() -> OpenKey:
    """The same before it is a row, for those who insert many."""
    fresh, key = uuid.uuid4(), os.urandom(KEY_BYTES)
    return OpenKey(fresh, *_wrapped(fresh, key), AESGCM(key))


def _wrapped(id_: uuid.UUID, key: bytes) -> tuple[str, bytes]:
    key_id, wrapping = next(iter(_key_ring().items()))
    return key_id, _encrypt(wrapping, key, str(id_))


def rewrap(id_: uuid.UUID, key_id: str, wrapped: bytes) -> tuple[str, bytes]:
    """The same data key under the first key of the ring: its id and what is wrapped. Raises KeyMissing, InvalidTag."""
    return _wrapped(id_, _unwrap(id_, key_id, wrapped))


def insert_keys(keys: Iterable[OpenKey]) -> None:
    """Rows of keys that were drawn."""
    now = timezone.now()
    columns = ("id", "key_id", "wrapped", "created_at")
    insert_rows(DataKey, columns, ((key.id, key.key_id, key.wrapped, now) for key in keys))


def _columns(key: OpenKey) -> dict[str, Any]:
    return {"id": key.id, "key_id": key.key_id, "wrapped": key.wrapped}


class KeptKey:
    """The columns of a DataKey whose row was read without making an instance; it is unwrapped once at most."""

    def __init__(self, id_: uuid.UUID, key_id: str, wrapped: bytes, destroyed_at: datetime | None) -> None:
        self.id, self.key_id, self.wrapped, self.destroyed_at = id_, key_id, wrapped, destroyed_at

    @cached_property
    def opened(self) -> OpenKey:
        return _unwrapped(self)


def open_key(data_key: DataKey | KeptKey) -> OpenKey:
    """Raises DataErased, KeyMissing."""
    return data_key.opened if isinstance(data_key, KeptKey) else _unwrapped(data_key)


def _unwrapped(data_key: DataKey | KeptKey) -> OpenKey:
    if data_key.destroyed_at is not None:
        raise DataErased(ERASED)
    key_id, wrapped = data_key.key_id, bytes(data_key.wrapped)
    return OpenKey(data_key.id, key_id, wrapped, AESGCM(_unwrap(data_key.id, key_id, wrapped)))


def _unwrap(id_: uuid.UUID, key_id: str, wrapped: bytes) -> bytes:
    wrapping = _key_ring().get(key_id)
    if wrapping is None:
        log.error("key_not_in_ring", key_id=key_id, data_key_id=str(id_))
        raise KeyMissing(
            Sentence(
                "What is stored was sealed under the key {key_id!r}, which ENCRYPTION_KEYS does not have."
                " The operator has to put it back behind the first one.",
                key_id=key_id,
            )
        )
    return _decrypt(wrapping, wrapped, str(id_))


def destroy_keys(ids: Iterable[uuid.UUID], *, now: datetime) -> int:
    """For good: what they sealed is gone, and nobody is found by them. How many were not destroyed before."""
    wanted = list(ids)
    NameWord.objects.filter(data_key_id__in=wanted).delete()
    kept = DataKey.objects.filter(id__in=wanted, destroyed_at=None)
    return kept.update(destroyed_at=now, wrapped=b"", owner_index=None)


def seal(data_key: DataKey | KeptKey, document: Any, context: str) -> bytes:
    """`document` (JSON-able) encrypted for the row named by `context`, e.g. "individual:<id>"."""
    return open_key(data_key).seal_text(_json.encode(document), context)


def unseal(data_key: DataKey | KeptKey, sealed: bytes, context: str) -> Any:
    """The document of `seal`. Raises DataErased, or InvalidTag when the row was tampered with."""
    return open_key(data_key).unseal(bytes(sealed), context)


def mask(identifier: str) -> str:
    """All but the last two characters hidden, for screens and replies that need not show more."""
    return "•" * max(len(identifier) - 2, 4) + identifier[-2:]


__all__ = [
    "ERASED",
    "UNFINDABLE",
    "DataErased",
    "InvalidTag",
    "KeptKey",
    "KeyMissing",
    "OpenKey",
    "blind_index",
    "create_data_key",
    "destroy_keys",
    "draw_data_key",
    "draw_key",
    "insert_keys",
    "mask",
    "missing_ids",
    "open_key",
    "rewrap",
    "ring_ids",
    "seal",
    "unseal",
]
