"""A source that fails, asks for a pause, has had its quota, and comes back: what is sent to it meanwhile, counted."""

import copy
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina

from apps.common.models import Job
from apps.external_integrations import errors
from apps.external_integrations.breaker import Breaker
from apps.external_integrations.http import Endpoint, ask
from apps.external_integrations.tests.registry import NOBODY, by_contract, registry, saying

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
UNKNOWN = saying('{"code": "unknown-identifier"}', 404)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _without_waiting():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def quota_of(settings):
    def allow(count):
        sources = copy.deepcopy(settings.EXTERNAL_SOURCES)
        sources["soliq"]["quota_per_minute"] = count
        settings.EXTERNAL_SOURCES = sources

    allow(0)
    return allow


def question(url, clock, source="soliq"):
    """What came of it: the reply, or the error."""
    endpoint = Endpoint(url, ("127.0.0.1",), 5.0)
    try:
        return ask(source, endpoint, "/v1/taxpayers/lookup", {"inn": "123456789"}, clock=clock)
    except (errors.SourceUnavailable, errors.UnknownToSource) as error:
        return error


def names(url, clock, count):
    return [type(question(url, clock)).__name__ for _ in range(count)]


@pytest.mark.usefixtures("quota_of")
def test_a_source_that_is_down_is_asked_fifteen_times_in_five_hundred_calls(clock):
    with registry(saying("{}", 500)) as server:
        outcomes = names(server.url, clock, 500)
    assert outcomes == ["SourceFailed"] * 5 + ["SourcePaused"] * 495
    assert len(server.asked) == 5 * 3


@pytest.mark.usefixtures("quota_of")
def test_while_it_is_down_a_probe_is_one_attempt_every_ten_seconds(clock):
    with registry(saying("{}", 500)) as server:
        names(server.url, clock, 5)
        del server.asked[:]
        for _ in range(60):
            clock.wait(1)
            names(server.url, clock, 2)
    assert len(server.asked) == 6


@pytest.mark.usefixtures("quota_of")
def test_the_first_answer_after_the_pause_takes_up_what_waits(clock):
    with registry(saying("{}", 500)) as server:
        names(server.url, clock, 6)
        server.play = by_contract
        assert names(server.url, clock, 1) == ["SourcePaused"]
        clock.wait(10)
        assert '"identifier"' in question(server.url, clock)
        assert list(Job.objects.values_list("name", "arguments")) == [("resume_refreshes", {"source": "soliq"})]
        assert names(server.url, clock, 20) == ["str"] * 20
    assert Job.objects.count() == 1


@pytest.mark.usefixtures("quota_of")
@pytest.mark.parametrize(
    ("play", "outcome"),
    [(UNKNOWN, "UnknownToSource"), (saying("", 401), "SourceRefused"), (saying("", 400), "SourceRefused")],
)
def test_whatever_it_says_of_one_question_it_is_back(clock, play, outcome):
    with registry(saying("{}", 500)) as server:
        names(server.url, clock, 5)
        clock.wait(10)
        server.play = play
        assert names(server.url, clock, 9) == [outcome] * 9
    assert Breaker("soliq", clock).state() == "closed"


@pytest.mark.usefixtures("quota_of")
@pytest.mark.parametrize(
    "play",
    [
        saying("", 301, Location="https://elsewhere.example/"),
        saying("<html>", Content_Type="text/html"),
        saying(b" " * 300_000),
    ],
)
def test_answers_of_something_else_count_as_failures(clock, play):
    with registry(play) as server:
        names(server.url, clock, 20)
    assert len(server.asked) == 5


@pytest.mark.usefixtures("quota_of")
def test_one_source_down_is_not_the_other(clock):
    names(NOBODY, clock, 5)
    with registry() as server:
        assert isinstance(question(server.url, clock, "kadastr"), str)


@pytest.mark.usefixtures("quota_of")
@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120),
        (429, "0", 1),
        (429, "-5", 60),
        (429, "86400", 900),
        (429, "9" * 400, 900),
        (429, "soon", 60),
        (429, "", 60),
        (429, "²", 60),
        (429, format_datetime(START + timedelta(seconds=90), usegmt=True), 90),
        (429, format_datetime(START - timedelta(days=9), usegmt=True), 1),
        (429, "Mon, 32 Foo 2026 99:00:00 GMT", 60),
        (503, "30", 30),
    ],
)
def test_a_pause_that_the_source_asks_for(clock, status, header, seconds):
    with registry(saying("", status, Retry_After=header)) as server:
        error = question(server.url, clock)
        assert isinstance(error, errors.SourceBusy)
        assert error.retry_at == START + timedelta(seconds=seconds)
        server.play = by_contract
        clock.wait(seconds - 0.5)
        assert question(server.url, clock).retry_at == START + timedelta(seconds=seconds)
        clock.wait(0.5)
        assert isinstance(question(server.url, clock), str)
    assert len(server.asked) == 2


@pytest.mark.usefixtures("quota_of")
def test_a_503_that_names_no_time_is_a_failure(clock):
    with registry(saying("", 503)) as server:
        assert names(server.url, clock, 1) == ["SourceFailed"]


def test_no_more_questions_than_the_quota_and_repeated_ones_count(clock, quota_of):
    quota_of(4)
    with registry() as server:
        assert names(server.url, clock, 6) == ["str"] * 4 + ["SourceBusy"] * 2
        clock.wait(60)
        server.play = saying("{}", 500)
        assert names(server.url, clock, 3) == ["SourceFailed", "SourceFailed", "SourceBusy"]
    assert len(server.asked) == 8


def test_who_may_try_but_has_no_quota_left_leaves_the_place_to_others(clock, quota_of):
    quota_of(15)
    with registry(saying("{}", 500)) as server:
        names(server.url, clock, 5)
        clock.wait(10)
        server.play = by_contract
        assert names(server.url, clock, 1) == ["SourceBusy"]
        clock.wait(50)
        assert names(server.url, clock, 1) == ["str"]


@pytest.mark.usefixtures("quota_of")
def test_an_address_that_is_not_allowed_says_nothing_of_the_source(clock):
    for _ in range(9):
        endpoint = Endpoint("https://registry.example", ("registry.example",), 2.0)
        with pytest.raises(errors.HostNotAllowed):
            ask("soliq", endpoint, "/v1", {}, clock=clock, resolve=lambda *_: ["127.0.0.1"])
    assert Breaker("soliq", clock).state() == "closed"


@pytest.mark.usefixtures("quota_of")
@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("no name")])
def test_a_name_that_cannot_be_looked_up(clock, error):
    def resolve(host, port):
        raise error

    endpoint = Endpoint("https://registry.example", ("registry.example",), 2.0)
    with pytest.raises(errors.SourceUnreachable, match="looked up"):
        ask("soliq", endpoint, "/v1", {}, clock=clock, resolve=resolve)
