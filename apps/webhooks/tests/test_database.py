"""What the database itself refuses, whoever writes: on SQLite and on PostgreSQL alike."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.webhooks.models import WebhookDelivery, WebhookEvent
from apps.webhooks.tests.factories import HAPPENED, NOW, make_endpoint, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery():
    make_endpoint()
    return publish().deliveries.get()


def refused(change, match=None):
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        change()


def update(row, **changes):
    return lambda: type(row).objects.filter(id=row.id).update(**changes)


def test_events_are_insert_only(delivery):
    event = delivery.event
    refused(update(event, payload={}), "insert-only: UPDATE refused")
    with connection.cursor() as cursor:
        refused(lambda: cursor.execute("DELETE FROM webhooks_webhookevent"))
    assert WebhookEvent.objects.get().payload == event.payload


@pytest.mark.parametrize("table", ["webhooks_webhookdelivery", "webhooks_webhookendpoint"])
def test_deliveries_and_endpoints_stay(delivery, table):
    with connection.cursor() as cursor:
        refused(lambda: cursor.execute(f"DELETE FROM {table}"), "never deleted")


def test_an_event_is_for_an_endpoint_once(delivery):
    same = {"event": delivery.event, "endpoint": delivery.endpoint, "due_at": NOW, "created_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookDelivery.objects.create(**same)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "lost"},
        {"state": "delivered", "attempts": 1},
        {"state": "delivered", "attempts": 1, "delivered_at": NOW, "last_error": "failed"},
        {"delivered_at": NOW},
        {"attempts": 11},
        {"last_error": "bad luck"},
        {"last_status": 99},
        {"last_status": 600},
    ],
)
def test_values_that_no_delivery_has(delivery, changes):
    refused(update(delivery, **changes))


def test_a_delivery_is_closed_by_an_attempt(delivery):
    refused(update(delivery, state="given_up"), "closed by an attempt")
    refused(update(delivery, state="delivered", delivered_at=NOW), "closed by an attempt")
    refused(update(delivery, state="given_up", attempts=2), "closed by an attempt")
    assert update(delivery, state="given_up", attempts=1)() == 1


def test_a_closed_delivery_is_only_asked_for_anew(delivery):
    update(delivery, state="delivered", attempts=1, delivered_at=NOW)()
    for changes in (
        {"delivered_at": NOW + timedelta(days=1)},
        {"state": "given_up", "delivered_at": None},
        {"state": "waiting", "delivered_at": None},
        {"attempts": 5},
    ):
        refused(update(delivery, **changes), "only asked for anew")
    assert update(delivery, state="waiting", attempts=0, delivered_at=None)() == 1


def test_a_delivery_is_of_one_event_to_one_endpoint(delivery):
    other, _ = make_endpoint()
    refused(update(delivery, endpoint=other), "one event to one endpoint")
    refused(update(delivery, event=publish()), "one event to one endpoint")
    refused(update(delivery, created_at=NOW - timedelta(days=1)), "one event to one endpoint")


def test_a_new_delivery_waits(delivery):
    other, _ = make_endpoint()
    row = {"event": delivery.event, "endpoint": other, "due_at": NOW, "created_at": NOW}
    for changes in ({"state": "delivered", "attempts": 0, "delivered_at": NOW}, {"attempts": 1}):
        refused(lambda changes=changes: WebhookDelivery.objects.create(**row | changes), "a new delivery waits")


def test_an_event_of_an_unknown_type():
    refused(lambda: WebhookEvent.objects.create(type="credit_request.lost", payload={}, occurred_at=HAPPENED))


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://hooks.example/", "version": 2},
        {"is_active": False, "version": 2},
        {"is_active": False, "version": 2, "disabled_at": NOW},
        {"is_active": False, "version": 2, "disabled_at": NOW, "disabled_why": "bored"},
        {"disabled_at": NOW, "disabled_why": "gone"},
        {"failed": -1},
    ],
)
def test_values_that_no_endpoint_has(delivery, changes):
    refused(update(delivery.endpoint, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://elsewhere.example/"},
        {"sealed": b"another"},
        {"description": "another"},
        {"events": []},
        {"is_active": False, "disabled_at": NOW, "disabled_why": "gone"},
    ],
)
def test_an_endpoint_changes_with_its_version(delivery, changes):
    refused(update(delivery.endpoint, **changes), "changes with its version")
    assert update(delivery.endpoint, version=2, **changes)() == 1


def test_its_version_never_falls_and_its_maker_stays(delivery):
    endpoint = delivery.endpoint
    update(endpoint, version=3)()
    refused(update(endpoint, version=2), "only rises")
    refused(update(endpoint, created_at=NOW - timedelta(days=1)), "made once")
    assert update(endpoint, delivered=5, failed=6, given_up=7)() == 1
