"""An event comes into the outbox with the transaction of what it tells, for those who asked for it, without names."""

from datetime import datetime

import pytest
from django.db import transaction

from apps.common.models import Job
from apps.common.tests.committed import CommittedTestCase
from apps.webhooks.models import DECIDED, PING, REFERRED, WebhookDelivery, WebhookEvent
from apps.webhooks.services import publish_event, update_endpoint
from apps.webhooks.tests.factories import HAPPENED, NOW, make_endpoint, publish

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.django_db
class TestPublishing:
    def test_it_waits_for_each_endpoint_that_asked_for_its_type(self):
        both, _ = make_endpoint()
        decided, _ = make_endpoint(events=[DECIDED])
        referred, _ = make_endpoint(events=[REFERRED])
        event = publish(DECIDED, credit_request=ID, outcome="approve")
        waiting = WebhookDelivery.objects.filter(event=event)
        assert {delivery.endpoint_id for delivery in waiting} == {both.id, decided.id}
        assert {(each.state, each.attempts, each.last_status) for each in waiting} == {("waiting", 0, None)}
        assert (event.payload, event.occurred_at) == ({"credit_request": ID, "outcome": "approve"}, HAPPENED)
        queued = Job.objects.filter(name="deliver_webhooks").values_list("arguments", flat=True)
        assert {job["endpoint_id"] for job in queued} == {str(both.id), str(decided.id)}
        assert referred.deliveries.count() == 0

    def test_an_endpoint_that_is_not_active_is_not_told(self):
        endpoint, _ = make_endpoint()
        update_endpoint(endpoint=endpoint, version=1, changes={"is_active": False}, actor=None, now=NOW)
        assert publish().deliveries.count() == 0

    def test_it_is_kept_though_nobody_asked(self):
        assert publish().deliveries.count() == 0
        assert WebhookEvent.objects.count() == 1

    def test_a_hundred_events_of_one_transaction_are_one_job(self):
        make_endpoint()
        with transaction.atomic():
            for _ in range(100):
                publish()
        assert (WebhookDelivery.objects.count(), Job.objects.filter(name="deliver_webhooks").count()) == (100, 1)

    @pytest.mark.parametrize(
        "value",
        [
            ID,
            "approve",
            "bar:fallback",
            "credit_request.decided",
            3,
            0,
            True,
            None,
            ["dsti_over_limit", "score_too_low"],
        ],
    )
    def test_ids_codes_small_numbers_and_flags_pass(self, value):
        assert publish(DECIDED, value=value).payload == {"value": value}

    @pytest.mark.parametrize(
        "value",
        [
            "31210632040244",
            31210632040244,
            "Zumrad",
            "zumrad karimova",
            "a@b.example",
            "+998935550187",
            "10:01:02",
            "",
            1.5,
            {"name": "zumrad"},
            [["approve"]],
            ["approve", "31210632040244"],
            datetime(2026, 1, 1),
        ],
    )
    def test_what_may_be_personal_is_refused_by_its_name_and_not_repeated(self, value):
        make_endpoint()
        with pytest.raises(ValueError, match="flags: value") as refusal:
            publish(DECIDED, credit_request=ID, value=value)
        assert len(str(refusal.value)) < 70
        assert (WebhookEvent.objects.count(), WebhookDelivery.objects.count()) == (0, 0)

    def test_an_unknown_type_is_refused(self):
        with pytest.raises(ValueError, match="no event type"):
            publish("credit_request.forgotten")

    def test_a_ping_is_no_subscription(self):
        make_endpoint()
        assert publish(PING).deliveries.count() == 0


class TransactionTests(CommittedTestCase):
    def test_it_belongs_to_a_transaction(self):
        with pytest.raises(RuntimeError, match="belongs to the transaction"):
            publish_event(type=DECIDED, payload={"credit_request": ID}, occurred_at=HAPPENED)

    def test_what_is_rolled_back_was_never_there(self):
        make_endpoint()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            publish_event(type=DECIDED, payload={"credit_request": ID}, occurred_at=HAPPENED)
            raise ZeroDivisionError
        assert (WebhookEvent.objects.count(), WebhookDelivery.objects.count(), Job.objects.count()) == (0, 0, 0)
