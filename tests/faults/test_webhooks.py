"""500 events to a receiver that fails at random, while those who send and who publish are killed in the middle:
every event that was committed arrives, none that was rolled back, and every signature is right.
"""

import base64
import hmac
import random
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack

import pytest

from apps.webhooks.tests.receiver import Handler, Received, Receiver, serve
from tests.installation import Installation, wait_for

EVENTS = 500
KILLED_AT = (40, 130, 260, 390)  # so many requests came in, the last of them is not answered yet
MOST_FAILURES = 5  # of one event: fewer than the ten attempts

CREATE = """
from django.utils import timezone
from apps.webhooks.services import create_endpoint
events = ["credit_request.decided"]
print(create_endpoint(url={url!r}, description="", events=events, actor=None, now=timezone.now())[1])
"""
# Five at a time; each third transaction fails at its end.
PUBLISH = f"""
import uuid
from itertools import count
from django.db import transaction
from django.utils import timezone
from apps.webhooks.models import WebhookEvent
from apps.webhooks.services import publish_event
for number in count():
    if WebhookEvent.objects.count() >= {EVENTS}:
        break
    kind = "rolled_back" if number % 3 == 2 else "kept"
    try:
        with transaction.atomic():
            for _ in range(5):
                payload = {{"credit_request": str(uuid.uuid4()), "kind": kind}}
                publish_event(type="credit_request.decided", payload=payload, occurred_at=timezone.now())
            1 / (kind == "kept")
    except ZeroDivisionError:
        pass
"""
# What beat and a worker do. Minutes and hours of waiting are over at once; the lease of 11.5 s is not.
WORK = """
import time
from datetime import timedelta
from django.utils import timezone
from apps.webhooks.models import WebhookDelivery
from tasks import tasks
while True:
    now = timezone.now()
    WebhookDelivery.objects.filter(state="waiting", due_at__gt=now + timedelta(seconds=15)).update(due_at=now)
    tasks.queue_due_webhooks()
    tasks.work_due_jobs()
    time.sleep(0.05)
"""


class Moody:
    """Answers 204, or fails by chance: with 500, by hanging up, by silence. Holds some requests until told."""

    def __init__(self) -> None:
        self.chance, self.lock = random.Random(20260301), threading.Lock()
        self.came, self.failures, self.accepted = 0, Counter(), Counter()
        self.held, self.let_go = threading.Event(), threading.Event()

    def __call__(self, handler: Handler) -> None:
        with self.lock:
            self.came += 1
            mood = "hold" if self.came in KILLED_AT else self._mood(handler.came.id)
        if mood == "hold":
            self.held.set()
            self.let_go.wait(30)
        elif mood == "silence":
            time.sleep(2.5)
        elif mood != "hang_up":
            handler.answer({"accept": 204, "fail": 500}[mood])
            return
        handler.close_connection = True
        handler.connection.close()

    def _mood(self, event: str) -> str:
        mood = self.chance.choices(["accept", "fail", "hang_up", "silence"], [72, 15, 11, 2])[0]
        if mood == "accept" or self.failures[event] == MOST_FAILURES:
            self.accepted[event] += 1
            return "accept"
        self.failures[event] += 1
        return mood


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, WEBHOOK_PRIVATE_HOSTS="127.0.0.1", WEBHOOK_DEADLINE_SECONDS="1.5")
    made.manage("migrate", "--verbosity=0")
    yield made
    made.remove()


@pytest.fixture
def mood():
    return Moody()


@pytest.fixture
def receiver(mood):
    server = serve(mood)
    yield server
    server.shutdown()
    server.server_close()


def running(installation: Installation, log: str, script: str):
    return installation.process(log, "manage.py", "shell", "--no-imports", "-c", script)


def kill_in_the_middle(installation: Installation, mood: Moody, round_: int) -> None:
    """Workers, and in the first round the publisher, die while the receiver holds a request of theirs."""
    scripts = [WORK, WORK] if round_ else [WORK, WORK, PUBLISH]
    with ExitStack() as stack:
        started = [
            stack.enter_context(running(installation, f"{round_}-{number}.log", script))
            for number, script in enumerate(scripts)
        ]
        assert mood.held.wait(120)
        for process in started:
            process.kill()
        for process in started:
            process.wait(10)
    mood.held.clear()
    mood.let_go.set()
    mood.let_go = threading.Event()


def signed_rightly(came: Received, secret: str) -> bool:
    content = f"{came.id}.{came.headers['webhook-timestamp']}.".encode() + came.body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
    return came.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def states(installation: Installation) -> dict[str, int]:
    return dict(installation.query("SELECT state, count(*) FROM webhooks_webhookdelivery GROUP BY state"))


def test_every_event_arrives_though_everybody_dies(installation, mood, receiver: Receiver):
    secret = installation.manage("shell", "--no-imports", "-c", CREATE.format(url=receiver.url)).strip()
    for round_ in range(len(KILLED_AT)):
        kill_in_the_middle(installation, mood, round_)
        if round_ == 0:
            assert sum(states(installation).values()) % 5 == 0  # whole transactions only
            installation.manage("shell", "--no-imports", "-c", PUBLISH)
    with running(installation, "last-0.log", WORK), running(installation, "last-1.log", WORK):
        wait_for(lambda: states(installation) == {"delivered": EVENTS}, seconds=240)

    committed = {str(uuid.UUID(str(row[0]))) for row in installation.query("SELECT id FROM webhooks_webhookevent")}
    assert len(committed) == EVENTS
    assert set(mood.accepted) == committed
    assert {came.id for came in receiver.received} == committed
    assert {came.document["data"]["kind"] for came in receiver.received} == {"kept"}
    assert [came for came in receiver.received if not signed_rightly(came, secret)] == []
    assert len({(came.id, came.body) for came in receiver.received}) == EVENTS
    ((delivered, given_up),) = installation.query("SELECT delivered, given_up FROM webhooks_webhookendpoint")
    assert (delivered, given_up) == (EVENTS, 0)
    # What was held when its sender died was not recorded, and so was sent again.
    assert len(receiver.received) >= EVENTS + len(KILLED_AT)
