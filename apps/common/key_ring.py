"""ENCRYPTION_KEYS read strictly. Needs no models, so that the settings refuse a bad ring before anything starts."""

import base64
import binascii
import re
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


def read_key_ring(entries: Sequence[str]) -> dict[str, bytes]:
    """`entries`: "id:base64 of 32 bytes"; the first wraps new data keys. A refusal never repeats a key."""
    ring: dict[str, bytes] = {}
    for place, entry in enumerate(entries, 1):
        key_id, _, text = entry.strip().partition(":")
        if not text or not _KEY_ID.fullmatch(key_id):
            raise ImproperlyConfigured(
                f"ENCRYPTION_KEYS: entry {place} of {len(entries)} is not id:base64, the id being 1 to 40 letters, "
                "digits, dots, dashes or underscores."
            )
        if key_id in ring:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the id {key_id!r} stands twice; give each key its own.")
        ring[key_id] = read_key(text, f"ENCRYPTION_KEYS: the key {key_id!r}")
    if not ring:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty; docs/how-to/run-in-production.md says how to make one.")
    _refuse_twins(ring)
    return ring


def read_key(text: str, name: str) -> bytes:
    """`name` begins the sentence of a refusal."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ImproperlyConfigured(f"{name} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name} has {len(key)} bytes; {KEY_BYTES} are needed.")
    return key


def _refuse_twins(ring: dict[str, bytes]) -> None:
    """A rotation from a key to itself under another name would look done and change nothing."""
    named: dict[bytes, str] = {}
    for key_id, key in ring.items():
        if (first := named.setdefault(key, key_id)) != key_id:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: {first!r} and {key_id!r} are the same key; draw a new one.")
