"""Personal data at rest: one data key per person, wrapped by a key ring; identifiers found by a blind index.

AES-256-GCM with a fresh 96-bit nonce (NIST SP 800-38D). A ciphertext is bound to the row that holds it through
the additional data, so it cannot be moved to another row and still open.
"""

import base64
import hmac
import json
import os
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.common.inserting import insert_rows
from apps.common.models import DataKey

NONCE_BYTES = 12
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class DataErased(LookupError):
    """The person's key was destroyed: what it sealed is gone for good."""


@cache
def _key_ring() -> dict[str, AESGCM]:
    ring = {}
    for entry in settings.ENCRYPTION_KEYS:
        key_id, _, text = entry.partition(":")
        key = base64.b64decode(text)
        if len(key) != 32:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {key_id!r} has {len(key)} bytes; 32 are needed.")
        ring[key_id] = AESGCM(key)
    return ring


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
        return _encrypt(self.cipher, text.encode(), context)

    def unseal(self, sealed: bytes, context: str) -> Any:
        return json.loads(_decrypt(self.cipher, sealed, context).decode())


def blind_index(kind: str, value: str) -> str:
    """64 hex digits that find `value` without holding it: HMAC-SHA256 under BLIND_INDEX_KEY, apart by kind."""
    return hmac.digest(_blind_key(), f"{kind}:{value}".encode(), "sha256").hex()


@cache
def _blind_key() -> bytes:
    return base64.b64decode(settings.BLIND_INDEX_KEY)


def create_data_key(owner_index: str | None = None) -> DataKey:
    """The data key of the person with this blind index, made if there is none; without an index, a new one."""
    if owner_index is None:
        return DataKey.objects.create(**_columns(draw_key()))
    return DataKey.objects.get_or_create(owner_index=owner_index, defaults=_columns(draw_key()))[0]


def draw_data_key() -> DataKey:
    """A new one of nobody's yet, to be inserted with the rows that it seals."""
    return DataKey(**_columns(draw_key()))


def draw_key() -> OpenKey:
    """The same before it is a row, for those who insert many."""
    key_id, wrapping = next(iter(_key_ring().items()))
    fresh, key = uuid.uuid4(), os.urandom(32)
    return OpenKey(fresh, key_id, _encrypt(wrapping, key, str(fresh)), AESGCM(key))


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
    """Raises DataErased."""
    return data_key.opened if isinstance(data_key, KeptKey) else _unwrapped(data_key)


def _unwrapped(data_key: DataKey | KeptKey) -> OpenKey:
    if data_key.destroyed_at is not None:
        raise DataErased("The personal data were erased; what is left is the record that they were used.")
    key_id, wrapped = data_key.key_id, bytes(data_key.wrapped)
    key = _decrypt(_key_ring()[key_id], wrapped, str(data_key.id))
    return OpenKey(data_key.id, key_id, wrapped, AESGCM(key))


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
    "DataErased",
    "InvalidTag",
    "KeptKey",
    "OpenKey",
    "blind_index",
    "create_data_key",
    "draw_data_key",
    "draw_key",
    "insert_keys",
    "mask",
    "open_key",
    "seal",
    "unseal",
]
