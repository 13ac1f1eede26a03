"""Endpoints, events and their deliveries to test with, made by the services."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.test import override_settings

from apps.webhooks.delivering import deliver_due
from apps.webhooks.models import DECIDED, SUBSCRIBABLE, WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.services import create_endpoint, publish_event

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HAPPENED = datetime(2026, 3, 1, 9, 29, 58, 250_000, tzinfo=UTC)


def make_endpoint(url: str = "http://127.0.0.1:9/hook", events=SUBSCRIBABLE) -> tuple[WebhookEndpoint, str]:
    with override_settings(WEBHOOK_PRIVATE_HOSTS=["127.0.0.1"]):
        return create_endpoint(url=url, description="Core banking", events=list(events), actor=None, now=NOW)


def publish(type: str = DECIDED, **payload: object) -> WebhookEvent:
    """Its deliveries are due at NOW."""
    with transaction.atomic():
        event = publish_event(type=type, payload=payload or {"credit_request": str(uuid.uuid4())}, occurred_at=HAPPENED)
    WebhookDelivery.objects.filter(event=event).update(due_at=NOW)
    return event


def deliver(endpoint: WebhookEndpoint, at: datetime = NOW, **options: object) -> dict[str, int]:
    """Without chance in the waits."""
    return deliver_due(endpoint_id=endpoint.id, clock=lambda: at, chance=lambda: 0.0, **options)


def wait_of(delivery: WebhookDelivery, since: datetime = NOW) -> timedelta:
    delivery.refresh_from_db()
    return delivery.due_at - since
