"""Every creating POST takes an Idempotency-Key: same key and body, the same reply; another body, 422. A form of the
workbench carries its key in a hidden field."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.crypto import ERASED, InvalidTag, blind_index, create_data_key, open_key, seal, unseal
from apps.common.errors import DataErased, InvalidInput, KeyReused
from apps.common.models import DataKey, IdempotencyKey
from apps.common.renderers import JSONRenderer
from apps.common.sentences import Sentence

MOST_LENGTH = 200
KEPT_FOR = timedelta(days=2)
View = Callable[..., Response]


def idempotent(create: View) -> View:
    """Wrap a view method that creates: it runs once per (client, route, Idempotency-Key), in one transaction."""

    @wraps(create)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return create(view, request, *args, **kwargs)
        return run_once(
            client=request.user,
            route=request.resolver_match.route,
            key=key,
            body=[request.data, kwargs],
            create=lambda: create(view, request, *args, **kwargs),
        )

    return once


def run_once(*, client: AbstractBaseUser, route: str, key: str, body: Any, create: Callable[[], Response]) -> Response:
    """The reply of `create`, which runs once per (client, route, key); of a repeat, the reply that was kept.

    All in one transaction, so that a refusal leaves nothing behind. Raises KeyReused for a repeat with another body.
    """
    if not 0 < len(key) <= MOST_LENGTH or not key.isprintable():
        raise InvalidInput(Sentence("The Idempotency-Key must be 1 to {most} printable characters.", most=MOST_LENGTH))
    claim = {"client": client, "route": route, "key": key}
    digest = _digest(body)
    try:
        with transaction.atomic():
            return _replay(claim, digest) or _keep(_claim(claim, digest), create())
    except IntegrityError:
        # Another request with this key was faster; its reply is ours too.
        reply = _replay(claim, digest)
        if reply is None:
            raise
        return reply


def _digest(body: Any) -> str:
    """Keyed: a plain hash of a body whose other fields are known would give away the PINFL in it by trial."""
    return blind_index("idempotency", json.dumps(body, sort_keys=True, default=str))


def _replay(claim: dict[str, Any], digest: str) -> Response | None:
    stored = IdempotencyKey.objects.filter(**claim).select_related("data_key").first()
    if stored is None:
        return None
    if stored.data_key.destroyed_at is not None:
        raise DataErased(ERASED)
    if stored.body_digest != digest:
        raise KeyReused(
            Sentence("The first request with this Idempotency-Key had another body. Use a new key for a new request.")
        )
    body = unseal(stored.data_key, stored.reply, _context(stored))
    return Response(body, status=stored.status, headers={"Idempotency-Replayed": "true"})


def _claim(claim: dict[str, Any], digest: str) -> IdempotencyKey:
    """Taken before the work, so that a second request with this key waits here, and not halfway through its own."""
    return IdempotencyKey.objects.create(**claim, body_digest=digest, status=0, data_key=create_data_key(), reply=b"")


def _context(kept: IdempotencyKey) -> str:
    return f"idempotency:{kept.data_key_id}"


def _keep(claimed: IdempotencyKey, response: Response) -> Response:
    body = json.loads(JSONRenderer().render(response.data))
    claimed.reply = seal(claimed.data_key, body, _context(claimed))
    claimed.status = response.status_code
    claimed.save(update_fields=["reply", "status"])
    return response


def replies_that_hold(texts: Iterable[str]) -> list[UUID]:
    """The data keys of the kept replies in which one of `texts` stands. Each is opened: they are kept for two days."""
    wanted = [text.encode() for text in texts]
    kept = IdempotencyKey.objects.filter(data_key__destroyed_at=None).exclude(reply=b"")
    rows = kept.select_related("data_key").iterator(chunk_size=500)
    return [stored.data_key_id for stored in rows if any(text in _opened(stored) for text in wanted)]


def _opened(stored: IdempotencyKey) -> bytes:
    """Nothing, if it was tampered with: nobody can read it."""
    try:
        return open_key(stored.data_key).plain(bytes(stored.reply), _context(stored))
    except InvalidTag:
        return b""


@transaction.atomic
def forget_replies(*, now: datetime) -> dict[str, int]:
    """Delete the replies that are older than KEPT_FOR, and the keys that sealed them: they hold personal data."""
    old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR)
    sealed_by = list(old.values_list("data_key_id", flat=True))
    forgotten, _ = old.delete()
    DataKey.objects.filter(id__in=sealed_by).delete()
    return {"forgotten": forgotten}
