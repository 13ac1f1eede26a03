"""The outbox is worked off: claimed under a lease, sent outside of any transaction, recorded.

Whoever dies in between leaves rows that come due again when the lease is over: at least once, never lost. The waits
between attempts are those that Standard Webhooks 1.0.0 gives as an example, up to a fifth longer by chance.
"""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.audit.services import record_event
from apps.common.background import enqueue, heartbeat
from apps.common.outgoing import Resolve, TargetRefused, look_up, retry_after
from apps.webhooks.addresses import find_target
from apps.webhooks.models import DELIVERED, GIVEN_UP, GONE, WAITING, WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.sending import Answer, Message, send_messages
from apps.webhooks.services import secrets_of
from apps.webhooks.signing import sign

log = structlog.get_logger("webhooks")
Clock = Callable[[], datetime]
CHUNK = 10  # sent at once to one endpoint
LEASE_MARGIN = timedelta(seconds=10)
WAITS = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
MOST_RETRY_AFTER = timedelta(hours=24)
RETRY_AFTER_STATUSES = (429, 503)
_chance = random.SystemRandom().random


def queue_due_deliveries(*, now: datetime) -> dict[str, int]:
    """One job for each endpoint that has something due; beat asks often, and a first attempt is queued at once."""
    waiting = _due(now).order_by().values_list("endpoint_id", flat=True).distinct()
    with transaction.atomic():
        endpoints = list(waiting)
        for endpoint_id in endpoints:
            enqueue("deliver_webhooks", endpoint_id=str(endpoint_id))
    return {"endpoints": len(endpoints)}


def deliver_due(
    *,
    endpoint_id: UUID | str,
    clock: Clock = timezone.now,
    transport: httpx.AsyncBaseTransport | None = None,
    resolve: Resolve = look_up,
    chance: Callable[[], float] = _chance,
) -> dict[str, int]:
    """Send a chunk of what is due for one endpoint; the rest is queued behind the other endpoints' turn.

    Returns how many were delivered, failed and given_up. An endpoint that answered nothing waits for the next sweep.
    """
    counts = {DELIVERED: 0, "failed": 0, GIVEN_UP: 0}
    claimed, lease = _claim(endpoint_id, clock())
    if not claimed:
        return counts
    answers = _send(claimed, clock(), transport, resolve)
    for delivery, answer in zip(claimed, answers, strict=True):
        result = _record(delivery, answer, lease, now=clock(), chance=chance)
        counts[result] = counts.get(result, 0) + 1
    heartbeat()
    if len(claimed) == CHUNK and any(answer.status for answer in answers):
        with transaction.atomic():
            enqueue("deliver_webhooks", endpoint_id=str(endpoint_id))
    return counts


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(state=WAITING, due_at__lte=now, endpoint__is_active=True)


@transaction.atomic(durable=True)
def _claim(endpoint_id: UUID | str, now: datetime) -> tuple[list[WebhookDelivery], datetime]:
    """The oldest due ones, moved to the end of the lease; nobody else takes them until then."""
    lease = now + timedelta(seconds=settings.WEBHOOK_DEADLINE_SECONDS) + LEASE_MARGIN
    rows = _due(now).filter(endpoint_id=endpoint_id).select_related("event", "endpoint__data_key")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    claimed = list(rows.order_by("due_at", "id")[:CHUNK])
    WebhookDelivery.objects.filter(id__in=[delivery.id for delivery in claimed]).update(due_at=lease)
    return claimed, lease


# --- Sending ----------------------------------------------------------------------------------------------------


def _send(
    claimed: Sequence[WebhookDelivery], now: datetime, transport: httpx.AsyncBaseTransport | None, resolve: Resolve
) -> list[Answer]:
    endpoint = claimed[0].endpoint
    secrets = secrets_of(endpoint, now)
    try:
        target = find_target(endpoint.url, resolve=resolve)
    except TargetRefused as refusal:
        return [Answer(refusal.fault)] * len(claimed)
    except TimeoutError:
        return [Answer("timeout")] * len(claimed)
    except OSError:  # no such name
        return [Answer("unreachable")] * len(claimed)
    messages = [_message(delivery.event, secrets, int(now.timestamp())) for delivery in claimed]
    return send_messages(target, messages, deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS, transport=transport)


def _message(event: WebhookEvent, secrets: Sequence[str], timestamp: int) -> Message:
    body = body_of(event)
    headers = {
        "webhook-id": str(event.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, event_id=str(event.id), timestamp=timestamp, body=body),
    }
    return Message(headers, body)


def body_of(event: WebhookEvent) -> bytes:
    """{type, timestamp, data}; the timestamp is when it happened."""
    when = event.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": event.type, "timestamp": when, "data": event.payload}
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


# --- Recording --------------------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def _record(
    delivery: WebhookDelivery, answer: Answer, lease: datetime, *, now: datetime, chance: Callable[[], float]
) -> str:
    """delivered, failed or given_up; "overtaken" when the row was no longer ours: it is sent by another then."""
    attempts = delivery.attempts + 1
    result = DELIVERED if not answer.fault else GIVEN_UP if _is_last(answer, attempts) else "failed"
    changes: dict[str, Any] = {"attempts": attempts, "last_status": answer.status, "last_error": answer.fault}
    if result == DELIVERED:
        changes |= {"state": DELIVERED, "delivered_at": now}
    elif result == GIVEN_UP:
        changes |= {"state": GIVEN_UP}
    else:
        changes |= {"due_at": now + wait_after(answer, attempts, now=now, chance=chance)}
    ours = WebhookDelivery.objects.filter(id=delivery.id, state=WAITING, due_at=lease).update(**changes)
    if not ours:
        return "overtaken"
    WebhookEndpoint.objects.filter(id=delivery.endpoint_id).update(**{result: F(result) + 1})
    _tell(delivery, answer, result, attempts)
    if answer.fault == GONE:
        _disable(delivery.endpoint, now)
    return result


def _is_last(answer: Answer, attempts: int) -> bool:
    return answer.fault == GONE or attempts > len(WAITS)


def wait_after(answer: Answer, attempts: int, *, now: datetime, chance: Callable[[], float]) -> timedelta:
    """Before the next attempt; what a 429 or 503 asks for, up to a day, if that is longer."""
    planned = WAITS[attempts - 1] * (1 + chance() / 5)
    asked = retry_after(answer.retry_after, now) if answer.status in RETRY_AFTER_STATUSES else None
    return max(planned, min(asked or planned, MOST_RETRY_AFTER))


def _tell(delivery: WebhookDelivery, answer: Answer, result: str, attempts: int) -> None:
    facts = {"event_id": str(delivery.event_id), "endpoint_id": str(delivery.endpoint_id), "attempts": attempts}
    facts |= {"status": answer.status, "fault": answer.fault}
    write = log.info if result == DELIVERED else log.warning
    write(f"webhook_{result}", delivery_id=str(delivery.id), **facts)
    if result == GIVEN_UP:
        record_event(actor=None, action="webhook_delivery.give_up", subject=delivery, details=facts)


def _disable(endpoint: WebhookEndpoint, now: datetime) -> None:
    """The receiver said 410. What waits for it goes on waiting, should it be made active again."""
    active = WebhookEndpoint.objects.filter(id=endpoint.id, is_active=True)
    if active.update(is_active=False, disabled_at=now, disabled_why=GONE, version=F("version") + 1):
        record_event(actor=None, action="webhook_endpoint.disable", subject=endpoint, details={"why": GONE})
        log.warning("webhook_endpoint_disabled", endpoint_id=str(endpoint.id), why=GONE)
