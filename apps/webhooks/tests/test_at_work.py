"""From commit to receiver by the tasks themselves, and several workers at one endpoint: each event once."""

import threading
from collections import Counter

from django.db import connection, transaction
from django.utils import timezone

from apps.common.models import Job
from apps.common.tests.committed import CommittedTestCase
from apps.webhooks.delivering import deliver_due
from apps.webhooks.models import DECIDED, WebhookDelivery
from apps.webhooks.services import publish_event
from apps.webhooks.tests.factories import HAPPENED, make_endpoint
from apps.webhooks.tests.receiver import receiver
from tasks import tasks

WORKERS = 4


class AtWorkTests(CommittedTestCase):
    def test_what_is_committed_is_sent_at_once(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
            with transaction.atomic():
                event = publish_event(type=DECIDED, payload={"number": 1}, occurred_at=HAPPENED)
                assert server.received == []
        assert [came.id for came in server.received] == [str(event.id)]
        assert Job.objects.get(name="deliver_webhooks").result == {"delivered": 1, "failed": 0, "given_up": 0}
        endpoint.refresh_from_db()
        assert endpoint.delivered == 1

    def test_the_sweep_finds_what_no_job_is_left_for(self):
        with receiver() as server:
            make_endpoint("http://127.0.0.1:1/hook")
            make_endpoint(server.url)
            with transaction.atomic():  # nobody listens at the one, and the other gets it
                publish_event(type=DECIDED, payload={}, occurred_at=HAPPENED)
            assert len(server.received) == 1
            WebhookDelivery.objects.filter(state="waiting").update(due_at=timezone.now())
            assert tasks.queue_due_webhooks() == {"endpoints": 1}
        assert list(WebhookDelivery.objects.values_list("state", "attempts").order_by("attempts")) == [
            ("delivered", 1),
            ("waiting", 2),
        ]

    def test_several_workers_at_one_endpoint_send_each_event_once(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
            with transaction.atomic():
                events = {str(self._unsent().id) for _ in range(40)}
            self._work_side_by_side(endpoint.id)
        assert Counter(came.id for came in server.received) == dict.fromkeys(events, 1)
        endpoint.refresh_from_db()
        assert (endpoint.delivered, endpoint.failed) == (40, 0)

    def _unsent(self):
        """Its job is dropped, so that only the workers of the test send it."""
        event = publish_event(type=DECIDED, payload={}, occurred_at=HAPPENED)
        Job.objects.all().delete()
        return event

    def _work_side_by_side(self, endpoint_id):
        together = threading.Barrier(WORKERS)

        def work():
            together.wait()
            while deliver_due(endpoint_id=endpoint_id)["delivered"]:
                pass
            connection.close()

        workers = [threading.Thread(target=work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
