"""A worker over Redis takes up a job as soon as the message says so, and works it off."""

import os

import pytest

from tests.installation import Installation

REDIS_URL = os.environ.get("REDIS_URL", "")
pytestmark = pytest.mark.skipif(not REDIS_URL, reason="needs REDIS_URL; .ci/run starts a Redis and runs this")


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, REDIS_URL=REDIS_URL)
    made.manage("migrate", "--verbosity=0")
    yield made
    made.remove()


def test_a_job_goes_through_redis(installation):
    queue = "from apps.common.background import enqueue; enqueue('rescore_pending_credit_requests', limit=5)"
    with installation.worker():
        installation.manage("shell", "--no-imports", "-c", queue)
        installation.wait_for_jobs()
    ((state, attempts, result),) = installation.query("SELECT state, attempts, result FROM common_job")
    assert (state, attempts) == ("done", 1)
    assert "checked" in str(result)
    assert not (installation.data / "broker").exists()


def test_throttles_and_locks_are_shared_through_redis(installation):
    keep = "from django.core.cache import cache; cache.set('shared', 41)"
    read = "from django.core.cache import cache; print(cache.incr('shared'))"
    installation.manage("shell", "--no-imports", "-c", keep)
    assert installation.manage("shell", "--no-imports", "-c", read).strip() == "42"
