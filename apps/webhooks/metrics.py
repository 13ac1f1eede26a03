"""What Prometheus learns of webhooks, read from the rows when it asks: workers have no page of their own."""

from collections.abc import Iterator

import structlog
from django.db import DatabaseError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.webhooks.models import WAITING, WebhookDelivery, WebhookEndpoint

log = structlog.get_logger("webhooks")
RESULTS = ("delivered", "failed", "given_up")


class WebhookCollector(Collector):
    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered: there may be no database yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            yield from (_attempts(), *_waiting())
        except DatabaseError as error:
            log.warning("webhook_metrics_unavailable", error=type(error).__name__)


def _attempts() -> Metric:
    told = CounterMetricFamily(
        "credit_ml_webhook_attempts", "Attempts to deliver a webhook, by how they ended", labels=["endpoint", "result"]
    )
    for row in WebhookEndpoint.objects.values("id", *RESULTS):
        for result in RESULTS:
            told.add_metric([str(row["id"]), result], row[result])
    return told


def _waiting() -> tuple[Metric, Metric]:
    waiting = GaugeMetricFamily("credit_ml_webhook_waiting", "Webhooks not yet delivered", labels=["endpoint"])
    oldest = GaugeMetricFamily(
        "credit_ml_webhook_oldest_waiting_seconds", "Since when the oldest of them waits", labels=["endpoint"]
    )
    now = timezone.now()
    rows = WebhookDelivery.objects.filter(state=WAITING).values("endpoint")
    for row in rows.annotate(count=Count("id"), since=Min("created_at")).order_by():
        waiting.add_metric([str(row["endpoint"])], row["count"])
        oldest.add_metric([str(row["endpoint"])], (now - row["since"]).total_seconds())
    return waiting, oldest


def register_metrics() -> None:
    REGISTRY.register(WebhookCollector())
