"""Sources that fail in every way: how long a call takes, how much they are asked, what stands in the database after.

`make faults` plays it at full length and holds the figures to what was promised; in the suite it is short, and times
are printed, not judged.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from socket import socket
from threading import Barrier
from types import SimpleNamespace
from unittest.mock import patch

import httpx
import pytest
from django.core.cache import cache
from django.db import close_old_connections, connections
from django.utils import timezone

from apps.common.errors import SourceUnavailable
from apps.common.tests.committed import CommittedTestCase
from apps.credit_requests.tests.factories import terms_of
from apps.external_integrations import errors, services
from apps.external_integrations.breaker import FAILURES, Breaker
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.services import ensure_record, find_or_fetch_record
from apps.external_integrations.sources import SOLIQ
from apps.external_integrations.tests.factories import INN, NOON, consent_of
from apps.external_integrations.tests.registry import asking
from apps.external_integrations.tests.test_simulator import NAMED, client, simulating
from apps.individuals.tests.factories import make_pinfl, profile_of
from tests.installation import Installation, free_port, wait_for

FULL = bool(os.environ.get("FAULTS_IN_FULL"))
PASSWORD = "outage-Password-77"
CALLS, THREADS, DEADLINE = (500, 16, 2.0) if FULL else (8, 8, 1.0)
REFRESHES, KEYS = (10_000, 20) if FULL else (300, 3)
MISSES = (20, 50, 5) if FULL else (3, 15, 3)  # keys, callers each, keys at once
FAULTS = [fault for fault, error in NAMED.items() if error is not None]


def at_once(calls: list[Callable[[], object]], threads: int) -> list[object]:
    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        except SourceUnavailable as error:
            return error
        finally:
            close_old_connections()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, calls))


def timed(call: Callable[[], object]) -> tuple[float, str]:
    start = time.monotonic()
    try:
        call()
    except SourceUnavailable as error:
        return time.monotonic() - start, type(error).__name__
    return time.monotonic() - start, "answer"


@pytest.fixture(autouse=True)
def _nothing_known_of_sources():
    cache.clear()
    yield
    cache.clear()


# --- Time ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulator(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """In a process of its own, as sources are: 16 connections that drip would take time from those who count it."""
    here, port = Installation(tmp_path_factory.mktemp("simulator")), free_port()
    there = SimpleNamespace(url=f"http://127.0.0.1:{port}")
    with here.process("simulator.log", "manage.py", "run_registry_simulator", "--port", str(port)):
        wait_for(lambda: _is_there(port), seconds=60)
        yield there
    here.remove()


def _is_there(port: int) -> bool:
    with socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_ends_by_its_deadline_with_the_name_of_the_fault(fault, simulator, capsys):
    """Without breaker and quota, so that each call meets the fault."""
    never_open = patch.multiple(Breaker, check=lambda self: None, state=lambda self: "closed", failed=lambda self: None)
    with never_open, patch.object(Breaker, "pause_until"), asking(simulator.url):
        chosen = httpx.put(f"{simulator.url}/_faults", json={"source": "soliq", "fault": fault})
        assert chosen.is_success, chosen.text
        asks = [lambda: timed(lambda: client(simulator, seconds=DEADLINE).fetch(INN))] * CALLS
        heard = at_once(asks, THREADS)
    longest, names = max(seconds for seconds, _ in heard), Counter(name for _, name in heard)
    with capsys.disabled():
        print(f"\n{fault:14} {CALLS} calls, the longest {longest:.3f} s of {DEADLINE:g}: {dict(names)}")
    expected = NAMED[fault]
    allowed = {expected.__name__, errors.SourceTimeout.__name__}
    assert set(names) <= allowed
    assert names[expected.__name__] > CALLS / 2
    assert not FULL or longest <= DEADLINE * 1.1


# --- Traffic ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["failed", "reset", "silent"])
def test_once_it_is_left_alone_a_source_is_hardly_asked(fault, capsys):
    with simulating() as server:
        server.choose("soliq", fault)
        for _ in range(FAILURES):
            timed(lambda: client(server).fetch(INN))
        assert Breaker("soliq").state() == "open"
        before = server.asked["soliq"]
        names = Counter(name for _, name in at_once([lambda: timed(lambda: client(server).fetch(INN))] * CALLS, 8))
        asked = server.asked["soliq"] - before
    with capsys.disabled():
        print(f"\n{fault:14} opened by {before} questions; then {CALLS} calls: {asked} questions, {dict(names)}")
    assert asked <= 0.2 * CALLS
    assert names["SourcePaused"] >= CALLS - asked


# --- Order and single flight -----------------------------------------------------------------------------------


class _Telling:
    """A client that tells one reply."""

    origin = "http"

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def fetch(self, identifier: str) -> object:
        return SOLIQ.read(self.raw, identifier, timezone.now())


class StoredTests(CommittedTestCase):
    def test_in_whatever_order_answers_arrive_the_newest_holds(self):
        rng, each = random.Random(7), REFRESHES // KEYS
        with asking("https://registry.example"):
            rows = [ensure_record(source="soliq", identifier=f"{300_000_000 + n}", actor=None) for n in range(KEYS)]
            answers = [(row, n, minute) for n, row in enumerate(rows) for minute in range(each)]
            rng.shuffle(answers)
            start = time.monotonic()
            at_once([lambda answer=answer: self.store(*answer) for answer in answers], 4)
        print(f"{len(answers)} refreshes of {KEYS} keys in random order: {time.monotonic() - start:.1f} s")
        newest = NOON + timedelta(minutes=each - 1)
        for row in ExternalRecord.objects.select_related("current"):
            assert (row.observed_at, row.current.observed_at) == (newest, newest)
            assert row.versions.count() == each
        assert (ExternalRecord.objects.count(), ExternalRecordVersion.objects.count()) == (KEYS, KEYS * each)

    def store(self, row: ExternalRecord, number: int, minute: int) -> None:
        identifier = f"{300_000_000 + number}"
        document = json.loads(SOLIQ.invent(identifier, NOON + timedelta(minutes=minute))) | {"tax_debt": minute}
        services._fetch_and_store(row.id, identifier, _Telling(json.dumps(document)), None, timezone.now)

    def test_many_misses_at_once_are_one_question_a_key(self):
        keys, callers, together = MISSES
        numbers = [f"{310_000_000 + number}" for number in range(keys)]
        with simulating() as server, asking(server.url, deadline_seconds=20):
            server.choose("soliq", "late", seconds=1)
            for start in range(0, keys, together):
                batch = numbers[start : start + together] * callers
                random.Random(start).shuffle(batch)
                self.look_up_together(batch)
        print(
            f"{keys * callers} misses on {keys} keys, {together * callers} at a time: {server.asked['soliq']} questions"
        )
        assert server.asked["soliq"] == keys
        assert ExternalRecord.objects.filter(current__isnull=False).count() == keys

    def look_up_together(self, batch: list[str]) -> None:
        barrier = Barrier(len(batch))

        def look_up(number: str) -> ExternalRecord:
            barrier.wait(60)
            try:
                return find_or_fetch_record(source="soliq", identifier=number, actor=None)[0]
            finally:
                connections.close_all()

        found = at_once([lambda number=number: look_up(number) for number in batch], len(batch))
        assert all(isinstance(each, ExternalRecord) for each in found), found


# --- A source that goes away and comes back --------------------------------------------------------------------


def asking_the_simulator(url: str) -> dict[str, str]:
    named = {}
    for source in ("SOLIQ", "KADASTR", "BUREAU"):
        named |= {f"{source}_CLIENT": "http", f"{source}_BASE_URL": url, f"{source}_ALLOWED_HOSTS": "127.0.0.1"}
        named |= {f"{source}_DEADLINE_SECONDS": "1", f"{source}_QUOTA_PER_MINUTE": "0"}
    return named


@pytest.fixture
def installation(tmp_path):
    made = []

    def make(**environment: str) -> Installation:
        made.append(Installation(tmp_path, **environment))
        made[0].manage("migrate", "--verbosity=0")
        return made[0]

    yield make
    for each in made:
        each.remove()


WANT = """
from apps.external_integrations.services import ensure_record
for number in range(40):
    ensure_record(source="kadastr", identifier=f"P-{number}", actor=None)
"""
KNOWN = "SELECT count(*) FROM external_integrations_externalrecord WHERE current_id IS NOT NULL"
PUT_OFF = "SELECT count(*) FROM common_job WHERE error = 'SourcePaused'"


def test_when_a_source_is_back_what_waited_for_it_is_taken_up(installation, capsys):
    with simulating() as server:
        server.choose("kadastr", "failed")
        here = installation(**asking_the_simulator(server.url))
        beat = ("-m", "celery", "-A", "config", "beat", "--schedule", str(here.data / "beat"))
        with here.worker(), here.process("beat.log", *beat):
            here.manage("shell", "--no-imports", "-c", WANT)
            wait_for(lambda: here.query(PUT_OFF)[0][0] >= 30, seconds=60)
            assert here.query(KNOWN) == [(0,)]
            down = server.asked["kadastr"]
            time.sleep(12)  # longer than it is left alone: somebody tries, and fails
            tried = server.asked["kadastr"] - down
            server.choose("kadastr", None)
            back = time.monotonic()
            wait_for(lambda: here.query(KNOWN) == [(40,)], seconds=90)
            seconds = time.monotonic() - back
    with capsys.disabled():
        print(
            f"\n40 records, down: {down} questions, then {tried} in 12 s; all there {seconds:.1f} s after it was back"
        )
    assert not FULL or seconds <= 30


def test_while_a_source_is_down_a_stored_record_is_scored_and_marked(installation, capsys):
    count, port = 200 if FULL else 10, free_port()
    here = installation(**asking_the_simulator(f"http://127.0.0.1:{port}"), SOLIQ_FRESH_DAYS="0")
    with here.web():
        here.wait_until_ready()
        officer, terms = ready(here)
        with simulating(port=port), here.worker():
            people = people_with_records(officer, terms, count)
            here.wait_for_jobs()
        # From here on the source is gone, and what it said counts as fresh for no day.
        times = sorted(submitted(officer, terms | {"individual": person}) for person in people)
    p99 = times[max(count * 99 // 100 - 1, 0)]
    with capsys.disabled():
        median = times[count // 2]
        print(f"\n{count} requests scored while the source is down: median {median:.3f} s, p99 {p99:.3f} s, all marked")
    assert not FULL or p99 < 0.3


def signed_in(here: Installation, username: str) -> httpx.Client:
    caller = httpx.Client(base_url=here.address, timeout=30)
    reply = caller.post("/api/auth/login/", json={"username": username, "password": PASSWORD})
    caller.headers["Authorization"] = f"Token {reply.json()['token']}"
    return caller


def ready(here: Installation) -> tuple[httpx.Client, dict[str, object]]:
    """An officer, and the terms of a request."""
    here.manage("register_shipped_models")
    here.manage("create_branch", "main", "Main")
    here.manage("create_user", "officer", "--role=officer", "--branch=main", typed=f"{PASSWORD}\n")
    here.manage("create_user", "root", "--role=administrator", typed=f"{PASSWORD}\n")
    product = signed_in(here, "root").post("/api/products/", json=terms_of()).json()
    terms = {"product": product["id"], "requested_amount": 20_000_000, "term_months": 24}
    return signed_in(here, "officer"), terms | {"purpose": "car", "channel": "branch"}


def people_with_records(officer: httpx.Client, terms: dict[str, object], count: int) -> list[str]:
    """People who allowed Soliq to be asked, and who asked for credit once."""
    people = []
    for _ in range(count):
        pinfl = make_pinfl()
        allowed = officer.post("/api/consents/", json=consent_of(pinfl, sources=["soliq"]))
        made = officer.post("/api/individuals/", json=profile_of(pinfl=pinfl, parcel_ids=[]))
        people.append(made.json()["id"])
        first = officer.post("/api/credit-requests/", json=terms | {"individual": people[-1]})
        assert [reply.status_code for reply in (allowed, made, first)] == [201, 201, 201], made.text
    return people


def submitted(officer: httpx.Client, body: dict[str, object]) -> float:
    """The seconds of one more request, which is scored on the stored record and says how old that is."""
    start = time.monotonic()
    reply = officer.post("/api/credit-requests/", json=body)
    seconds = time.monotonic() - start
    assert reply.status_code == 201, reply.text
    prediction = officer.get(f"/api/prediction-logs/{reply.json()['prediction']['prediction_id']}/").json()
    debt = prediction["facts"]["tax_debt"]
    assert (debt["source"], debt["origin"], debt["is_stale"]) == ("soliq", "http", True)
    return seconds
