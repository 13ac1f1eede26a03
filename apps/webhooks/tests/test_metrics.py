"""What Prometheus reads comes from the rows, so that it is true in every process."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from apps.webhooks.metrics import WebhookCollector
from apps.webhooks.models import WebhookDelivery
from apps.webhooks.tests.factories import deliver, make_endpoint, publish
from apps.webhooks.tests.receiver import receiver

pytestmark = pytest.mark.django_db


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"credit_ml_webhook_{name}", labels)


def test_attempts_and_what_waits():
    with receiver(lambda handler: handler.answer(500 if b"bad" in handler.came.body else 200)) as server:
        endpoint, _ = make_endpoint(server.url)
        for kind in ("good", "bad", "good"):
            publish(kind=kind)
        deliver(endpoint)
    labels = {"endpoint": str(endpoint.id)}
    attempts = {
        result: sample("attempts_total", result=result, **labels) for result in ("delivered", "failed", "given_up")
    }
    assert attempts == {"delivered": 2, "failed": 1, "given_up": 0}
    assert sample("waiting", **labels) == 1


def test_since_when_the_oldest_waits():
    endpoint, _ = make_endpoint()
    event = publish()
    old = timezone.now() - timedelta(hours=3)
    WebhookDelivery.objects.create(event=event, endpoint=make_endpoint()[0], due_at=old, created_at=old)
    other = WebhookDelivery.objects.get(created_at=old).endpoint
    assert 10_800 <= sample("oldest_waiting_seconds", endpoint=str(other.id)) < 10_860
    assert sample("oldest_waiting_seconds", endpoint=str(endpoint.id)) < 60


def test_nothing_waits_nothing_is_told():
    endpoint, _ = make_endpoint()
    assert sample("waiting", endpoint=str(endpoint.id)) is None
    assert sample("attempts_total", endpoint=str(endpoint.id), result="delivered") == 0


def test_they_are_on_the_page(settings):
    make_endpoint()
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert "credit_ml_webhook_attempts_total{" in page


def test_registering_reads_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert WebhookCollector().describe() == []
