"""What is sent, when it is sent again, and what stands of it afterwards: against a real receiver on loopback."""

import base64
import hmac
import threading
import time
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from apps.audit.models import AuditEvent
from apps.common.models import Job
from apps.webhooks import delivering, services
from apps.webhooks.models import REFERRED, WebhookDelivery
from apps.webhooks.tests.factories import NOW, deliver, make_endpoint, publish, wait_of
from apps.webhooks.tests.receiver import receiver, saying

pytestmark = pytest.mark.django_db
NOTHING = {"delivered": 0, "failed": 0, "given_up": 0}
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture(autouse=True)
def _short_deadline(settings):
    settings.WEBHOOK_DEADLINE_SECONDS = 0.5


@pytest.fixture
def named(settings):
    """An endpoint at a name, not at an address."""
    settings.WEBHOOK_HOSTS = ["hooks.example"]
    url = "https://hooks.example/"
    return services.create_endpoint(url=url, description="", events=[REFERRED], actor=None, now=NOW)[0]


def signature(secret: str, came) -> str:
    """As docs/how-to/webhooks.md tells receivers to work it out."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{came.headers['webhook-id']}.{came.headers['webhook-timestamp']}.".encode() + came.body
    return "v1," + base64.b64encode(hmac.new(key, content, "sha256").digest()).decode()


def played(play, at=NOW):
    """One attempt at one event: (counts, delivery, endpoint, what came)."""
    with receiver(play) as server:
        endpoint, _ = make_endpoint(server.url)
        delivery = publish().deliveries.get()
        counts = deliver(endpoint, at)
        endpoint.refresh_from_db()
        delivery.refresh_from_db()
        return counts, delivery, endpoint, server.received


class TestWhatIsSent:
    def test_an_event_with_its_id_time_and_signature(self):
        with receiver() as server:
            endpoint, secret = make_endpoint(server.url)
            event = publish(REFERRED, credit_request=ID)
            assert deliver(endpoint) == NOTHING | {"delivered": 1}
            assert deliver(endpoint) == NOTHING
        (came,) = server.received
        assert came.path == "/hook"
        assert came.body == (
            b'{"type":"credit_request.referred","timestamp":"2026-03-01T09:29:58.250000Z",'
            b'"data":{"credit_request":"0f8fad5b-d9cb-469f-a165-70867728950e"}}'
        )
        assert (came.id, came.headers["webhook-timestamp"]) == (str(event.id), str(int(NOW.timestamp())))
        assert came.headers["webhook-signature"] == signature(secret, came)
        assert came.headers["content-type"] == "application/json"
        assert came.headers["host"] == server.url.split("/")[2]
        delivery = event.deliveries.get()
        told = (delivery.state, delivery.attempts, delivery.last_status, delivery.last_error, delivery.delivered_at)
        assert told == ("delivered", 1, 204, "", NOW)

    def test_a_second_attempt_has_the_same_id_and_its_own_time(self):
        def second_time(handler):
            handler.answer(200 if len(handler.server.received) > 1 else 500)

        with receiver(second_time) as server:
            endpoint, secret = make_endpoint(server.url)
            publish()
            assert deliver(endpoint) == NOTHING | {"failed": 1}
            later = NOW + timedelta(seconds=5)
            assert deliver(endpoint, later - timedelta(seconds=1)) == NOTHING
            assert deliver(endpoint, later) == NOTHING | {"delivered": 1}
        first, second = server.received
        assert (first.id, first.body) == (second.id, second.body)
        times = [int(came.headers["webhook-timestamp"]) for came in server.received]
        assert times == [int(NOW.timestamp()), int(later.timestamp())]
        assert [came.headers["webhook-signature"] for came in server.received] == [
            signature(secret, came) for came in server.received
        ]

    def test_the_old_secret_signs_beside_the_new_one_for_a_day(self):
        with receiver() as server:
            endpoint, old = make_endpoint(server.url)
            _, new, until = services.rotate_secret(endpoint=endpoint, version=1, actor=None, now=NOW)
            assert until == NOW + timedelta(hours=24)
            for at in (NOW, until - timedelta(seconds=1), until):
                publish()
                deliver(endpoint, at)
        during, near_the_end, after = server.received
        for came in (during, near_the_end):
            assert came.headers["webhook-signature"].split(" ") == [signature(new, came), signature(old, came)]
        assert after.headers["webhook-signature"] == signature(new, after)

    def test_what_is_due_goes_out_in_chunks_and_the_rest_is_queued(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
            events = {str(publish().id) for _ in range(25)}
            Job.objects.all().delete()
            counts = [deliver(endpoint)["delivered"] for _ in range(4)]
        assert counts == [10, 10, 5, 0]
        assert {came.id for came in server.received} == events
        assert len(server.received) == 25
        assert Job.objects.filter(name="deliver_webhooks", state="queued").count() == 1

    def test_the_name_is_looked_up_once_and_tls_is_asked_for_that_name(self, settings):
        settings.WEBHOOK_HOSTS = ["hooks.example"]
        endpoint, _ = services.create_endpoint(
            url="https://hooks.example/a", description="", events=[REFERRED], actor=None, now=NOW
        )
        publish(REFERRED)
        asked, looked_up = [], []

        def answer(request):
            asked.append(request)
            return httpx.Response(200)

        def resolve(host, port):
            looked_up.append((host, port))
            return ["93.184.216.34"]

        counts = deliver(endpoint, transport=httpx.MockTransport(answer), resolve=resolve)
        assert (counts["delivered"], looked_up) == (1, [("hooks.example", 443)])
        (request,) = asked
        assert (request.url, request.headers["Host"]) == ("https://93.184.216.34/a", "hooks.example")
        assert request.extensions["sni_hostname"] == "hooks.example"


def silent(handler):
    time.sleep(2)


def dripping(handler):
    """A header now and then: each one would restart a time-out that counts silence."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        handler.wfile.write(f"X-{number}: 1\r\n".encode())
        time.sleep(0.05)


def hang_up(handler):
    handler.close_connection = True
    handler.connection.close()


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


class TestFaults:
    @pytest.mark.parametrize(
        ("play", "status", "fault"),
        [
            (saying(500), 500, "failed"),
            (saying(503), 503, "failed"),
            (saying(404), 404, "refused"),
            (saying(429), 429, "refused"),
            (saying(302, Location="/elsewhere"), 302, "redirected"),
            (saying(304), 304, "redirected"),
            (silent, None, "timeout"),
            (dripping, None, "timeout"),
            (hang_up, None, "unreachable"),
        ],
        ids=["500", "503", "404", "429", "302", "304", "silent", "dripping", "hang_up"],
    )
    def test_a_failure_is_told_and_tried_again_after_5_seconds(self, play, status, fault):
        counts, delivery, endpoint, received = played(play)
        assert counts == NOTHING | {"failed": 1}
        told = (delivery.state, delivery.attempts, delivery.last_status, delivery.last_error)
        assert told == ("waiting", 1, status, fault)
        assert delivery.due_at - NOW == timedelta(seconds=5)
        assert (endpoint.delivered, endpoint.failed, endpoint.given_up) == (0, 1, 0)
        assert len(received) == 1  # a redirect was not followed

    def test_a_reply_without_end_is_not_read(self):
        counts, delivery, _, _ = played(endless)
        assert (counts["delivered"], delivery.last_status) == (1, 200)

    def test_nobody_there(self, settings):
        settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
        endpoint, _ = make_endpoint("http://127.0.0.1:1/hook")
        delivery = publish().deliveries.get()
        assert deliver(endpoint)["failed"] == 1
        assert (wait_of(delivery), delivery.last_error) == (timedelta(seconds=5), "unreachable")

    @pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
    def test_a_name_that_cannot_be_found(self, named, error):
        def resolve(host, port):
            raise error

        delivery = publish(REFERRED).deliveries.get()
        assert deliver(named, resolve=resolve)["failed"] == 1
        assert (wait_of(delivery), delivery.last_error) == (timedelta(seconds=5), "unreachable")

    def test_a_look_up_that_hangs_is_not_waited_for(self, named, settings):
        settings.WEBHOOK_DEADLINE_SECONDS = 0.1
        woken = threading.Event()
        delivery = publish(REFERRED).deliveries.get()
        assert deliver(named, resolve=lambda *_: woken.wait(60) and [])["failed"] == 1
        assert (wait_of(delivery), delivery.last_error, woken.is_set()) == (timedelta(seconds=5), "timeout", False)
        woken.set()

    def test_a_host_that_is_no_longer_allowed_is_not_asked(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
        delivery = publish().deliveries.get()
        assert deliver(endpoint)["failed"] == 1
        delivery.refresh_from_db()
        assert (delivery.last_error, server.received) == ("host_not_allowed", [])

    def test_a_name_that_now_leads_inside_is_not_asked(self, named):
        delivery = publish(REFERRED).deliveries.get()
        asked = []
        transport = httpx.MockTransport(lambda request: asked.append(request))
        assert deliver(named, transport=transport, resolve=lambda *_: ["10.0.0.7"])["failed"] == 1
        delivery.refresh_from_db()
        assert (delivery.last_error, asked) == ("address_not_allowed", [])

    def test_one_that_fails_takes_no_other_with_it(self):
        with receiver(lambda handler: handler.answer(500 if b"bad" in handler.came.body else 200)) as server:
            endpoint, _ = make_endpoint(server.url)
            good, bad = publish(REFERRED, kind="good"), publish(REFERRED, kind="bad")
            assert deliver(endpoint) == {"delivered": 1, "failed": 1, "given_up": 0}
        assert (good.deliveries.get().state, bad.deliveries.get().state) == ("delivered", "waiting")


class TestTryingAgain:
    def test_the_waits_are_those_of_standard_webhooks_and_then_it_is_given_up(self):
        with receiver(saying(500)) as server:
            endpoint, _ = make_endpoint(server.url)
            delivery, at, waits = publish().deliveries.get(), NOW, []
            while delivery.state == "waiting":
                deliver(endpoint, at)
                waits.append(wait_of(delivery, at).total_seconds())
                at = delivery.due_at
        minute, hour = 60, 3600
        # The tenth attempt closes it, and leaves the end of the lease behind.
        assert waits[:-1] == [
            5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
        ]  # fmt: skip
        assert (delivery.state, delivery.attempts, len(server.received)) == ("given_up", 10, 10)
        assert len({came.id for came in server.received}) == 1
        endpoint.refresh_from_db()
        assert (endpoint.delivered, endpoint.failed, endpoint.given_up, endpoint.is_active) == (0, 9, 1, True)
        event = AuditEvent.objects.get(action="webhook_delivery.give_up")
        assert (event.subject_id, event.actor) == (str(delivery.id), None)
        assert event.details == {
            "event_id": str(delivery.event_id), "endpoint_id": str(endpoint.id), "attempts": 10, "status": 500,
            "fault": "failed",
        }  # fmt: skip

    def test_chance_makes_a_wait_longer_by_up_to_a_fifth(self):
        answer = delivering.Answer("failed", 500)
        waits = [delivering.wait_after(answer, 2, now=NOW, chance=lambda by=by: by) for by in (0.0, 0.5, 1.0)]
        assert [wait.total_seconds() for wait in waits] == [300, 330, 360]

    @pytest.mark.parametrize(
        ("status", "retry_after", "seconds"),
        [
            (429, "120", 120),
            (503, "120", 120),
            (503, "2", 5),
            (503, format_datetime(NOW + timedelta(minutes=7), usegmt=True), 420),
            (503, format_datetime(NOW - timedelta(minutes=7), usegmt=True), 5),
            (503, "999999", 86_400),
            (503, "9" * 400, 86_400),
            (503, "Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
            (503, "soon", 5),
            (503, "-1", 5),
            (503, "²", 5),
            (503, "", 5),
            (500, "120", 5),
        ],
    )
    def test_retry_after_is_kept_within_a_day(self, status, retry_after, seconds):
        answer = delivering.Answer("failed", status, retry_after)
        assert delivering.wait_after(answer, 1, now=NOW, chance=lambda: 0.0) == timedelta(seconds=seconds)

    def test_retry_after_over_http(self):
        _, delivery, _, _ = played(saying(429, Retry_After="90"))
        assert (delivery.due_at - NOW, delivery.last_error) == (timedelta(seconds=90), "refused")

    def test_gone_switches_the_endpoint_off_and_what_waits_is_kept(self):
        with receiver(saying(410)) as server:
            endpoint, _ = make_endpoint(server.url)
            delivery, other = publish().deliveries.get(), publish().deliveries.get()
            WebhookDelivery.objects.filter(id=other.id).update(due_at=NOW + timedelta(seconds=5))
            assert deliver(endpoint) == NOTHING | {"given_up": 1}
            assert deliver(endpoint, NOW + timedelta(minutes=1)) == NOTHING
        for row in (endpoint, delivery, other):
            row.refresh_from_db()
        assert (delivery.state, delivery.last_error, other.state) == ("given_up", "gone", "waiting")
        told = (endpoint.is_active, endpoint.disabled_why, endpoint.disabled_at, endpoint.version)
        assert told == (False, "gone", NOW, 2)
        assert AuditEvent.objects.get(action="webhook_endpoint.disable").details == {"why": "gone"}
        assert publish().deliveries.count() == 0

    def test_an_endpoint_that_is_made_active_again_gets_what_waited(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
            event = publish()
            off = services.update_endpoint(
                endpoint=endpoint, version=1, changes={"is_active": False}, actor=None, now=NOW
            )
            assert deliver(endpoint) == NOTHING
            services.update_endpoint(endpoint=off, version=2, changes={"is_active": True}, actor=None, now=NOW)
            assert deliver(endpoint) == NOTHING | {"delivered": 1}
        assert [came.id for came in server.received] == [str(event.id)]


class TestTheLease:
    def test_what_was_taken_up_is_taken_by_nobody_else_until_the_lease_is_over(self):
        with receiver() as server:
            endpoint, _ = make_endpoint(server.url)
            publish()
            claimed, lease = delivering._claim(endpoint.id, NOW)  # and its worker dies
            assert (len(claimed), lease) == (1, NOW + timedelta(seconds=10.5))
            assert deliver(endpoint, lease - timedelta(seconds=1)) == NOTHING
            assert delivering.queue_due_deliveries(now=NOW) == {"endpoints": 0}
            assert delivering.queue_due_deliveries(now=lease) == {"endpoints": 1}
            assert deliver(endpoint, lease) == NOTHING | {"delivered": 1}

    def test_who_comes_after_the_end_of_the_lease_records_nothing(self):
        endpoint, _ = make_endpoint()
        delivery = publish().deliveries.get()
        (claimed,), lease = delivering._claim(endpoint.id, NOW)
        delivering._claim(endpoint.id, lease)
        late = delivering._record(claimed, delivering.Answer("failed", 500), lease, now=lease, chance=lambda: 0.0)
        delivery.refresh_from_db()
        assert (late, delivery.attempts, delivery.state) == ("overtaken", 0, "waiting")

    def test_one_asked_for_anew_meanwhile_is_sent_once_more(self):
        endpoint, _ = make_endpoint()
        delivery = publish().deliveries.get()
        (claimed,), lease = delivering._claim(endpoint.id, NOW)
        services.redeliver(delivery=delivery, actor=None, now=NOW)
        late = delivering._record(claimed, delivering.Answer("", 200), lease, now=NOW, chance=lambda: 0.0)
        delivery.refresh_from_db()
        assert (late, delivery.state, delivery.due_at) == ("overtaken", "waiting", NOW)


class TestOneSlowEndpoint:
    def test_each_endpoint_is_a_job_of_its_own(self):
        for _ in range(3):
            make_endpoint()
        publish()
        Job.objects.all().delete()
        assert delivering.queue_due_deliveries(now=NOW) == {"endpoints": 3}
        assert Job.objects.filter(name="deliver_webhooks").count() == 3

    def test_one_that_answers_nothing_is_not_queued_again_at_once(self):
        with receiver(silent) as slow, receiver() as quick:
            waiting, _ = make_endpoint(slow.url)
            served, _ = make_endpoint(quick.url)
            for _ in range(15):
                publish()
            Job.objects.all().delete()
            assert deliver(waiting) == NOTHING | {"failed": 10}
            assert Job.objects.count() == 0  # the sweep comes to it
            assert [deliver(served)["delivered"] for _ in range(2)] == [10, 5]
        assert delivering.queue_due_deliveries(now=NOW) == {"endpoints": 1}
