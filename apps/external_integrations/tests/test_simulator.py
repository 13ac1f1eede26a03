"""The simulator: the contracts over real HTTP, each fault by its name, and the control address."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings
from django.core.cache import cache

from apps.external_integrations import errors
from apps.external_integrations.clients import HttpClient, MockClient
from apps.external_integrations.http import Endpoint
from apps.external_integrations.simulator.faults import FAULTS
from apps.external_integrations.simulator.server import Simulator
from apps.external_integrations.sources import KADASTR, SOLIQ, SOURCES
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL

ASKED = {"soliq": PINFL, "kadastr": PARCEL, "bureau": PINFL}
# fault: what the client says of it; None: an answer
NAMED = {
    "late": None,
    "silent": errors.SourceTimeout,
    "reset": errors.SourceUnreachable,
    "hung_up": errors.SourceUnreachable,
    "dripping": errors.SourceTimeout,
    "cut_short": errors.SourceUnreachable,
    "garbage": errors.SourceUnreachable,
    "failed": errors.SourceFailed,
    "unavailable": errors.SourceFailed,
    "busy": errors.SourceBusy,
    "refused": errors.SourceRefused,
    "redirected": errors.RedirectRefused,
    "truncated": errors.ReplyMalformed,
    "not_json": errors.ReplyMalformed,
    "other_type": errors.ReplyMalformed,
    "other_shape": errors.ReplyNotAsAgreed,
    "not_finite": errors.ReplyMalformed,
    "compressed": errors.ReplyMalformed,
    "huge": errors.ReplyTooLarge,
    "somebody_else": errors.ReplyNotAsAgreed,
    "contradictory": None,
    "out_of_order": None,
}


@contextmanager
def simulating(**options) -> Iterator[Simulator]:
    server = Simulator(**options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client(server: Simulator, contract=SOLIQ, *, api_key: str = "", seconds: float = 1.0) -> HttpClient:
    return HttpClient(contract, Endpoint(server.url, ("127.0.0.1",), seconds, api_key))


def without_time(record) -> dict:
    document = json.loads(record.raw)
    del document["observed_at"]
    return document


def test_it_says_what_the_mock_says():
    with simulating() as server:
        for source, contract in SOURCES.items():
            heard = client(server, contract).fetch(ASKED[source])
            assert without_time(heard) == without_time(MockClient(contract).fetch(ASKED[source]))
        assert server.asked == {"soliq": 1, "kadastr": 1, "bureau": 1}


def test_each_fault_has_its_name():
    assert set(NAMED) == set(FAULTS)


@pytest.mark.parametrize("fault", NAMED)
def test_a_fault_is_heard_as_what_it_is(fault):
    cache.clear()
    with simulating() as server:
        server.choose("soliq", fault, seconds=0.1)
        if NAMED[fault] is None:
            assert client(server).fetch(INN).identifier == INN
        else:
            with pytest.raises(NAMED[fault]):
                client(server).fetch(INN)


def test_a_share_of_the_questions_meets_the_fault():
    with simulating(seed=4) as server:
        server.choose("kadastr", "refused", share=0.5)
        replies = [httpx.post(f"{server.url}/v1/parcels/lookup", json={"parcel_id": f"P-{n}"}) for n in range(40)]
    refused = sum(reply.status_code == 403 for reply in replies)
    assert 10 <= refused <= 30
    assert refused + sum(reply.status_code == 200 for reply in replies) == 40


def test_contradictory_and_out_of_order_records_are_right_ones():
    with simulating() as server:
        true = client(server).fetch(PINFL)
        server.choose("soliq", "contradictory")
        assert client(server).fetch(PINFL).declared_yearly_income == true.declared_yearly_income // 10
        server.choose("kadastr", "contradictory")
        assert client(server, KADASTR).fetch(PARCEL).owner_name == "Boshqa Odam"
        server.choose("soliq", "out_of_order")
        times = [client(server).fetch(PINFL).observed_at for _ in range(6)]
        assert times != sorted(times) or times != sorted(times, reverse=True)
        assert len(set(times)) == 6


def test_an_identifier_that_ends_in_zeros_is_not_known():
    with simulating() as server, pytest.raises(errors.UnknownToSource):
        client(server, KADASTR).fetch("P-0000")


def test_a_key_is_asked_for():
    with simulating(api_key="s3cret") as server:
        assert client(server, api_key="s3cret").fetch(INN).identifier == INN
        with pytest.raises(errors.SourceRefused):
            client(server).fetch(INN)


def test_faults_are_chosen_and_counted_while_it_runs():
    with simulating() as server:
        told = httpx.put(f"{server.url}/_faults", json={"source": "soliq", "fault": "late", "share": 0.2, "seconds": 3})
        chosen = {"soliq": {"fault": "late", "share": 0.2, "seconds": 3.0}}
        assert (told.status_code, told.json()["chosen"]) == (200, chosen)
        assert httpx.put(f"{server.url}/_faults", json={"source": "soliq"}).json()["chosen"] == {}
        httpx.post(f"{server.url}/v1/taxpayers/lookup", json={"inn": INN})
        assert httpx.get(f"{server.url}/_asked").json()["asked"] == {"soliq": 1}


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"[]",
        b'{"source": "police", "fault": "late"}',
        b'{"source": "soliq", "fault": "fire"}',
        b'{"source": "soliq", "fault": "late", "share": 2}',
        b'{"source": "soliq", "fault": "late", "seconds": "x"}',
    ],
)
def test_a_wrong_choice_is_refused_and_changes_nothing(given):
    with simulating() as server:
        reply = httpx.put(f"{server.url}/_faults", content=given)
        assert (reply.status_code, server.chosen) == (400, {})
        assert reply.json()["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"inn": 5}', b'{"inn": "1", "pinfl": "2"}', b"\xff"])
def test_a_wrong_question_is_refused(body):
    with simulating() as server:
        assert httpx.post(f"{server.url}/v1/taxpayers/lookup", content=body).status_code == 400
        assert httpx.post(f"{server.url}/v1/elsewhere", content=body).status_code == 404


def test_it_binds_loopback_alone():
    with simulating() as server:
        assert server.server_address[0] == "127.0.0.1"
        others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
        for address in others:
            with pytest.raises(OSError), socket.create_connection((address, server.server_port), timeout=1):
                pass


def command(*options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "manage.py", "run_registry_simulator", *options]
    return subprocess.run(line, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("option", "told"),
    [("soliq=fire", "Allowed are the sources"), ("soliq", "Allowed are"), ("soliq=late:x", "SOURCE=NAME")],
)
def test_the_command_refuses_a_wrong_fault_by_a_sentence(option, told):
    done = command("--port", "0", "--fault", option)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_the_page_names_each_fault_and_what_is_told_of_it():
    page = (settings.BASE_DIR / "docs/how-to/run-the-registry-simulator.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", page, re.MULTILINE))
    assert set(rows) == set(FAULTS)
    for fault, error in NAMED.items():
        assert rows[fault].startswith("an answer" if error is None else error.__name__), fault
