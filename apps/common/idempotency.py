"""Every creating POST takes an Idempotency-Key: same key and body, the same reply; another body, 422."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.crypto import blind_index, create_data_key, seal, unseal
from apps.common.errors import InvalidInput, KeyReused
from apps.common.models import DataKey, IdempotencyKey
from apps.common.renderers import JSONRenderer

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
        if not 0 < len(key) <= MOST_LENGTH or not key.isprintable():
            raise InvalidInput(f"The Idempotency-Key must be 1 to {MOST_LENGTH} printable characters.")
        claim = {"client": request.user, "route": request.resolver_match.route, "key": key}
        digest = _digest(request.data, kwargs)
        try:
            with transaction.atomic():
                return _replay(claim, digest) or _keep(_claim(claim, digest), create(view, request, *args, **kwargs))
        except IntegrityError:
            # Another request with this key was faster; its reply is ours too.
            reply = _replay(claim, digest)
            if reply is None:
                raise
            return reply

    return once


def _digest(body: Any, kwargs: dict[str, Any]) -> str:
    """Keyed: a plain hash of a body whose other fields are known would give away the PINFL in it by trial."""
    return blind_index("idempotency", json.dumps([body, kwargs], sort_keys=True, default=str))


def _replay(claim: dict[str, Any], digest: str) -> Response | None:
    stored = IdempotencyKey.objects.filter(**claim).select_related("data_key").first()
    if stored is None:
        return None
    if stored.body_digest != digest:
        raise KeyReused(
            "The first request with this Idempotency-Key had another body. Use a new key for a new request."
        )
    body = unseal(stored.data_key, stored.reply, f"idempotency:{stored.data_key_id}")
    return Response(body, status=stored.status, headers={"Idempotency-Replayed": "true"})


def _claim(claim: dict[str, Any], digest: str) -> IdempotencyKey:
    """Taken before the work, so that a second request with this key waits here, and not halfway through its own."""
    return IdempotencyKey.objects.create(**claim, body_digest=digest, status=0, data_key=create_data_key(), reply=b"")


def _keep(claimed: IdempotencyKey, response: Response) -> Response:
    body = json.loads(JSONRenderer().render(response.data))
    claimed.reply = seal(claimed.data_key, body, f"idempotency:{claimed.data_key_id}")
    claimed.status = response.status_code
    claimed.save(update_fields=["reply", "status"])
    return response


@transaction.atomic
def forget_replies(*, now: datetime) -> dict[str, int]:
    """Delete the replies that are older than KEPT_FOR, and the keys that sealed them: they hold personal data."""
    old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR)
    sealed_by = list(old.values_list("data_key_id", flat=True))
    forgotten, _ = old.delete()
    DataKey.objects.filter(id__in=sealed_by).delete()
    return {"forgotten": forgotten}
