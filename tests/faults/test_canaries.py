"""No personal identifier stands in clear, whatever happens: identities are taken through every door and every job, in
ways that work and in ways that fail, and then sought in database, logs, broker, cache, Redis, metrics, what commands
say, and every refusal. CANARIES says how many; they stand in clear only in replies to those who may read them.
"""

import base64
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.utils import timezone

from apps.webhooks.tests.receiver import saying, serve
from tests.faults.canaries import forms, seen
from tests.faults.canary_life import CANARIES, PASSWORD, REFERENCE, Life
from tests.faults.hostile_source import FAULTS, HostileSource
from tests.installation import Installation, free_port, wait_for

WORDS = (PASSWORD, REFERENCE)


@contextmanager
def private_redis(folder: Path):
    """With all that passes through it, and not only what stays, written into the data folder."""
    port = free_port()
    folder.mkdir()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "monitor.log").open("wb") as passing, ExitStack() as stack:
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        stack.callback(lambda: (server.terminate(), server.wait(10)))
        client = redis.Redis(port=port)
        wait_for(lambda: _answers(client), seconds=10)
        watcher = subprocess.Popen(["redis-cli", "-p", str(port), "monitor"], stdout=passing)
        stack.callback(lambda: (watcher.terminate(), watcher.wait(10)))
        yield f"redis://127.0.0.1:{port}/0"


def _answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def kept_in(url: str) -> bytes:
    """Every key of the Redis with its value."""
    client, parts = redis.Redis.from_url(url), []
    read = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True)}  # fmt: skip
    for key in client.scan_iter():
        parts += [key, repr(read[client.type(key)](key)).encode()]
    return b"\n".join(parts)


def nothing_is_due(installation: Installation) -> bool:
    """What failed, or waits for a source, is tried again in minutes and hours."""
    jobs = installation.query("SELECT state, due_at FROM common_job WHERE state IN ('queued', 'running')")
    return not any(state == "running" or _moment(due) <= timezone.now() for state, due in jobs)


def _moment(stored: Any) -> datetime:
    """SQLite keeps text."""
    return datetime.fromisoformat(str(stored)).replace(tzinfo=UTC) if isinstance(stored, str) else stored


def _content(path: Path) -> bytes:
    """Messages, and what SQLite puts beside its file, come and go."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def everything(installation: Installation, redis_url: str) -> bytes:
    """All files of the data folder, every row on PostgreSQL, and all of Redis, as bytes."""
    files = [path for path in installation.data.rglob("*") if path.is_file()]
    parts = [_content(path) for path in files if path.name != "local.env"]
    if installation.cluster:
        parts += [repr(rows).encode() for rows in installation.contents().values()]
    if redis_url:
        parts.append(kept_in(redis_url))
    else:
        folders = {part for path in files for part in path.parts}
        assert {"broker", "cache"} <= folders
    return b"\n".join(parts)


@pytest.fixture(params=["folders", "redis"])
def redis_url(request, tmp_path):
    """Where messages, breakers and throttles stand."""
    if request.param == "folders":
        yield ""
        return
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server")
    (tmp_path / "data").mkdir()
    with private_redis(tmp_path / "data" / "redis") as url:
        yield url


@pytest.fixture
def source():
    server = serve(HostileSource(CANARIES))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook():
    server = serve(saying(204))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def installation(tmp_path, redis_url, source, hook):
    address = f"http://127.0.0.1:{source.server_port}"
    outside = {
        f"{code}_{name}": value
        for code in ("SOLIQ", "KADASTR")
        for name, value in (("CLIENT", "http"), ("BASE_URL", address), ("PRIVATE_HOSTS", "127.0.0.1"),
                            ("DEADLINE_SECONDS", "1"), ("QUOTA_PER_MINUTE", "0"))
    }  # fmt: skip
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    outside |= {"WEBHOOK_PRIVATE_HOSTS": "127.0.0.1", "REDIS_URL": redis_url, "THROTTLE_ANONYMOUS": "9000/min",
                "THROTTLE_LOGIN": "9000/min"}  # fmt: skip
    made = Installation(data, **outside)
    made.manage("migrate", "--verbosity=0")
    made.manage("register_shipped_models")
    made.manage("register_shipped_policies")
    made.manage("create_user", "administrator", "--role=administrator", typed=f"{PASSWORD}\n")
    yield made
    made.remove()


def test_no_identifier_stands_in_clear(installation, redis_url, source, hook):
    life, kept = Life(installation, hook.url), {}
    with installation.web():
        installation.wait_until_ready()
        life.begin()
        for canary in CANARIES:
            life.go_through(canary)
        life.look_at_all()
        kept["with jobs waiting"] = everything(installation, redis_url)
        with installation.worker():
            wait_for(lambda: nothing_is_due(installation), seconds=60 + 5 * len(CANARIES))
            wait_for(lambda: len(hook.received) >= len(CANARIES), seconds=60)
        life.break_a_row()
        kept["after the jobs"] = everything(installation, redis_url)
    life.command()
    assert "may be taken out of ENCRYPTION_KEYS" in life.rotate()
    with installation.web():
        installation.wait_until_ready()
        life.by["officer"].get("/api/individuals/?page_size=5")
    kept |= {"after the stop": everything(installation, redis_url), "refusals": b"\n".join(life.refused)}
    kept |= {"commands and metrics": b"\n".join(life.said)}
    kept["webhooks"] = b"\n".join(one.body + repr(one.headers).encode() for one in hook.received)
    assert {moment: found for moment, haystack in kept.items() if (found := seen(haystack, CANARIES, WORDS))} == {}
    check_that_all_of_it_happened(life, source, hook)
    check_that_the_search_finds(installation, redis_url, kept)


def check_that_all_of_it_happened(life, source, hook) -> None:
    assert {202, 400, 401, 403, 404, 409, 422, 500, 503} <= life.statuses
    assert len(life.erased) == len(CANARIES) // 4
    odd = [canary.number // 2 % len(FAULTS) for canary in CANARIES if canary.number % 2]
    assert source.play.played >= {"right", *(FAULTS[place] for place in odd)}
    assert hook.received
    assert seen(life.shown, CANARIES)  # those who may read them do


def check_that_the_search_finds(installation, redis_url, kept) -> None:
    """Planted in clear, each in each form, it is found in the data folder, the database and Redis."""
    assert all(b"canary-branch" in kept[moment] for moment in ("with jobs waiting", "after the stop"))
    canary = CANARIES[-1]
    for text in (canary.name, canary.pinfl, canary.inn, canary.parcel, canary.person()["email"], PASSWORD):
        for form in forms(text)[: 1 if text == canary.inn else 4]:
            assert seen(b"\x00" + form + b"\x00", CANARIES, WORDS), (text, form)
    assert seen(base64.b64encode(canary.person()["email"].encode() * 3), CANARIES)
    installation.manage("create_branch", "planted", canary.name)
    assert seen(everything(installation, redis_url), CANARIES) == ["Канарейк", "Зумрадхон"]
    (installation.data / "left.log").write_text(canary.inn)
    assert canary.inn in seen(everything(installation, redis_url), CANARIES)
    if redis_url:
        redis.Redis.from_url(redis_url).hset("planted", "pinfl", canary.pinfl)
        assert "4050687977" in seen(everything(installation, redis_url), CANARIES)
