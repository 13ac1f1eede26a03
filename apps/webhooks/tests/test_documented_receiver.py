"""The receiver that docs/how-to/webhooks.md shows takes what we send, and nothing else."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from apps.webhooks.delivering import WAITS
from apps.webhooks.models import FAULTS
from apps.webhooks.services import rotate_secret
from apps.webhooks.tests.factories import deliver, make_endpoint, publish
from apps.webhooks.tests.receiver import receiver

pytestmark = pytest.mark.django_db
PAGE = (Path(settings.BASE_DIR) / "docs" / "how-to" / "webhooks.md").read_text()
(SHOWN,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)


@pytest.fixture
def verify():
    shown = {}
    exec(SHOWN, shown)  # noqa: S102 - our own page
    return shown["verify"]


@pytest.fixture
def sent():
    """(headers, body, secret, secret before) of a delivery of now."""
    with receiver() as server:
        endpoint, old = make_endpoint(server.url)
        now = datetime.now(UTC)
        _, new, _ = rotate_secret(endpoint=endpoint, version=1, actor=None, now=now)
        publish()
        deliver(endpoint, now)
    (came,) = server.received
    return httpx.Headers(came.headers), came.body, new, old


def test_what_we_send_is_genuine_under_both_secrets(verify, sent):
    headers, body, new, old = sent
    assert verify(headers, body, new) == verify(headers, body, old) == headers["webhook-id"]


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "another"},
        {"webhook-timestamp": str(int(time.time()) - 400)},
        {"webhook-timestamp": str(int(time.time()) + 400)},
        {"webhook-signature": "v1,"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
    ],
)
def test_what_is_changed_is_not(verify, sent, change):
    headers, body, new, _ = sent
    with pytest.raises(ValueError):
        verify(httpx.Headers(dict(headers) | change, encoding="utf-8"), body, new)


def test_another_body_or_secret_is_not(verify, sent):
    headers, body, _, _ = sent
    with pytest.raises(ValueError, match="not signed"):
        verify(headers, body + b" ", sent[2])
    with pytest.raises(ValueError, match="not signed"):
        verify(headers, body, make_endpoint()[1])


def test_the_page_tells_the_waits_and_the_faults_as_they_are():
    assert "5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in PAGE
    hours = [wait.total_seconds() / 3600 for wait in WAITS]
    assert [round(wait * 3600) for wait in hours[:3]] == [5, 300, 1800]
    assert hours[3:] == [2, 5, 10, 14, 20, 24]
    assert [fault for fault in FAULTS if not re.search(rf"\b{fault}\b", PAGE)] == []
