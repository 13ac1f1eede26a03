"""Writes on endpoints, and the one door by which an event comes into the outbox."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.background import enqueue
from apps.common.crypto import create_data_key, seal, unseal
from apps.common.errors import Conflict, InvalidInput
from apps.webhooks.addresses import TargetRefused, check_url
from apps.webhooks.models import (
    BY_A_PERSON,
    EVENT_TYPES,
    PING,
    SUBSCRIBABLE,
    WAITING,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from apps.webhooks.signing import draw_secret

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
MOST_SECRETS = 5
CHANGEABLE = frozenset({"url", "description", "events", "is_active"})
MOST_NUMBER = 999_999
# Of a payload: ids, and codes such as "approve". Long digits, names and addresses do not pass.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[a-z][a-z_]*([.:][a-z][a-z_]*)*")

# --- Events -----------------------------------------------------------------------------------------------------


def publish_event(*, type: str, payload: Mapping[str, Any], occurred_at: datetime) -> WebhookEvent:
    """Into the outbox, in the caller's transaction; it is sent once that commits, and never if it does not.

    `payload`: opaque ids, codes, small numbers and flags. What else there is to know, the receiver asks the API for.
    """
    endpoints = [each for each in WebhookEndpoint.objects.filter(is_active=True) if type in each.events]
    return _publish(type, payload, occurred_at, endpoints)


def _publish(
    type: str, payload: Mapping[str, Any], occurred_at: datetime, endpoints: list[WebhookEndpoint]
) -> WebhookEvent:
    _check_event(type, payload)
    event = WebhookEvent.objects.create(type=type, payload=dict(payload), occurred_at=occurred_at)
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(event=event, endpoint=endpoint, due_at=now, created_at=now) for endpoint in endpoints
    )
    for endpoint in endpoints:
        enqueue("deliver_webhooks", endpoint_id=str(endpoint.id))
    return event


def _check_event(type: str, payload: Mapping[str, Any]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An event belongs to the transaction of what it tells.")
    if type not in EVENT_TYPES:
        raise ValueError(f"{type!r} is no event type; known are {', '.join(EVENT_TYPES)}.")
    unfit = sorted(name for name, value in payload.items() if not _CODE.fullmatch(name) or not _is_opaque(value))
    if unfit:
        raise ValueError(f"Not opaque ids, codes, small numbers or flags: {', '.join(unfit)}.")


def _is_opaque(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_ID.fullmatch(value) or _CODE.fullmatch(value))
    if isinstance(value, list):
        return all(isinstance(each, str) and _is_opaque(each) for each in value)
    return value is None or (isinstance(value, int) and abs(value) <= MOST_NUMBER)


# --- Endpoints --------------------------------------------------------------------------------------------------


@transaction.atomic
def create_endpoint(
    *, url: str, description: str, events: list[str], actor: User | None, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret, which is told this once."""
    _check({"url": url, "events": events})
    secret = draw_secret()
    endpoint = WebhookEndpoint(
        url=url, description=description, events=sorted(set(events)), created_by=actor, created_at=now
    )
    endpoint.data_key = create_data_key()
    endpoint.sealed = _sealed(endpoint, [{"secret": secret, "signs_until": None}])
    endpoint.save(force_insert=True)
    record_event(actor=actor, action="webhook_endpoint.create", subject=endpoint, details={"events": endpoint.events})
    return endpoint, secret


@transaction.atomic
def update_endpoint(
    *, endpoint: WebhookEndpoint, version: int, changes: Mapping[str, Any], actor: User | None, now: datetime
) -> WebhookEndpoint:
    """`changes`: url, description, events, is_active. While it is not active its deliveries wait."""
    if not changes or not changes.keys() <= CHANGEABLE:
        raise InvalidInput.of(version=f"Give what is to change beside it: {', '.join(sorted(CHANGEABLE))}.")
    _check(changes)
    held = _held(endpoint, version)
    for name, value in changes.items():
        setattr(held, name, sorted(set(value)) if name == "events" else value)
    held.disabled_at = None if held.is_active else held.disabled_at or now
    held.disabled_why = "" if held.is_active else held.disabled_why or BY_A_PERSON
    held.version += 1
    held.save(update_fields=[*changes, "disabled_at", "disabled_why", "version"])
    details = {"version": held.version, "changed": sorted(changes), "is_active": held.is_active}
    record_event(actor=actor, action="webhook_endpoint.update", subject=held, details=details)
    if held.is_active:
        enqueue("deliver_webhooks", endpoint_id=str(held.id))
    return held


def _held(endpoint: WebhookEndpoint, version: int) -> WebhookEndpoint:
    """Its row, locked. Raises Conflict if that is not the version that the caller read."""
    held = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("data_key").get(id=endpoint.id)
    if held.version != version:
        raise Conflict(f"The endpoint has changed since version {version} was read. Read it again and repeat.")
    return held


def _check(given: Mapping[str, Any]) -> None:
    events = set(given.get("events", SUBSCRIBABLE))
    if not events or not events <= set(SUBSCRIBABLE):
        raise InvalidInput.of(events=f"Name at least one of {', '.join(SUBSCRIBABLE)}.")
    if "url" in given:
        try:
            check_url(given["url"])
        except TargetRefused as refusal:
            raise InvalidInput.of(url=str(refusal)) from None


# --- Secrets ----------------------------------------------------------------------------------------------------


@transaction.atomic
def rotate_secret(
    *, endpoint: WebhookEndpoint, version: int, actor: User | None, now: datetime
) -> tuple[WebhookEndpoint, str, datetime]:
    """The endpoint, its new secret, told this once, and until when the old one signs beside it."""
    held = _held(endpoint, version)
    secret, signs_until = draw_secret(), now + OLD_SECRET_SIGNS_FOR
    kept = _signing(held, now)
    if len(kept) >= MOST_SECRETS:
        raise Conflict(f"{MOST_SECRETS} secrets sign already; wait until one of the old ones ends, after 24 hours.")
    current, *older = kept
    renewed = [{"secret": secret, "signs_until": None}, current | {"signs_until": signs_until.isoformat()}, *older]
    held.sealed, held.version = _sealed(held, renewed), held.version + 1
    held.save(update_fields=["sealed", "version"])
    record_event(actor=actor, action="webhook_endpoint.rotate_secret", subject=held, details={"version": held.version})
    return held, secret, signs_until


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Those that sign at that moment, the newest first."""
    return [each["secret"] for each in _signing(endpoint, now)]


def _signing(endpoint: WebhookEndpoint, now: datetime) -> list[dict[str, Any]]:
    known = unseal(endpoint.data_key, endpoint.sealed, endpoint.context)
    return [each for each in known if each["signs_until"] is None or datetime.fromisoformat(each["signs_until"]) > now]


def _sealed(endpoint: WebhookEndpoint, secrets: list[dict[str, Any]]) -> bytes:
    return seal(endpoint.data_key, secrets, endpoint.context)


# --- Deliveries -------------------------------------------------------------------------------------------------


@transaction.atomic
def send_ping(*, endpoint: WebhookEndpoint, actor: User | None, now: datetime) -> WebhookDelivery:
    """A test event for this endpoint alone, whatever it subscribed to. Raises Conflict unless it is active."""
    _refuse_inactive(endpoint)
    event = _publish(PING, {"endpoint": str(endpoint.id)}, now, [endpoint])
    record_event(actor=actor, action="webhook_endpoint.ping", subject=endpoint, details={"event_id": str(event.id)})
    return event.deliveries.get()


@transaction.atomic
def redeliver(*, delivery: WebhookDelivery, actor: User | None, now: datetime) -> WebhookDelivery:
    """Send it now, again if need be, with all attempts before it."""
    _refuse_inactive(delivery.endpoint)
    before = delivery.state
    WebhookDelivery.objects.filter(id=delivery.id).update(state=WAITING, attempts=0, due_at=now, delivered_at=None)
    delivery.refresh_from_db()
    details = {"endpoint_id": str(delivery.endpoint_id), "was": before}
    record_event(actor=actor, action="webhook_delivery.redeliver", subject=delivery, details=details)
    enqueue("deliver_webhooks", endpoint_id=str(delivery.endpoint_id))
    return delivery


def _refuse_inactive(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_active:
        raise Conflict("The endpoint is not active: nothing is sent to it. Set is_active to true first.")
