"""Signatures after Standard Webhooks 1.0.0 (its scheme v1): HMAC-SHA256 over `<id>.<timestamp>.<body>`.

The secret is `whsec_` and the base64 of 24 to 64 random bytes.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Callable, Iterable

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES, DRAWN_BYTES = 24, 64, 32


def draw_secret(randomness: Callable[[int], bytes] = os.urandom) -> str:
    return PREFIX + base64.b64encode(randomness(DRAWN_BYTES)).decode()


def read_secret(secret: str) -> bytes:
    """The key in it. Raises ValueError, without the secret in its message."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A webhook secret is whsec_ and base64 text.") from None
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"A webhook secret holds {FEWEST_BYTES} to {MOST_BYTES} bytes, not {len(key)}.")
    return key


def sign(secrets: Iterable[str], *, event_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature: one `v1,<base64>` per secret, separated by spaces. `timestamp` in Unix seconds."""
    content = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(read_secret(secret), content, "sha256") for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
