"""What Prometheus reads of sources comes from the shared cache, so that the questions of workers are in it too."""

import contextlib
import inspect
from datetime import timedelta

import pytest
import stamina
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from apps.common.errors import SourceUnavailable
from apps.external_integrations import errors
from apps.external_integrations.breaker import Breaker
from apps.external_integrations.clients import HttpClient
from apps.external_integrations.http import Endpoint
from apps.external_integrations.metrics import OUTCOMES, SourceCollector
from apps.external_integrations.services import ensure_record, find_or_fetch_record, refresh_record
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL, allow, at, make_record
from apps.external_integrations.tests.registry import live_registry, registry, saying

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty():
    cache.clear()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
    cache.clear()


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"credit_ml_source_{name}", labels)


def question(url, source="soliq"):
    with contextlib.suppress(SourceUnavailable):
        HttpClient(SOURCES[source], Endpoint(url, ("127.0.0.1",), 2.0)).fetch(INN)


def test_calls_are_counted_by_how_they_ended_and_timed_if_anybody_was_asked():
    with registry() as server:
        question(server.url)
        question(server.url)
        server.play = saying("{}")
        question(server.url)
        server.play = saying("{}", 500)
        for _ in range(7):
            question(server.url)
    outcomes = {outcome: sample("calls_total", source="soliq", outcome=outcome) for outcome in OUTCOMES}
    assert {name: count for name, count in outcomes.items() if count} == {
        "answered": 2,
        "ReplyNotAsAgreed": 1,
        "SourceFailed": 5,
        "SourcePaused": 2,
    }
    assert sample("call_seconds_count", source="soliq") == 8
    assert sample("call_seconds_bucket", source="soliq", le="+Inf") == 8
    assert 0 < sample("call_seconds_sum", source="soliq") < 60
    assert sample("calls_total", source="kadastr", outcome="answered") is None


def test_the_state_of_each_breaker():
    Breaker("soliq").pause_until(timezone.now() + timedelta(minutes=1))
    states = {state: sample("state", source="soliq", state=state) for state in ("closed", "open", "half_open")}
    assert states == {"closed": 0, "open": 1, "half_open": 0}
    assert sample("state", source="bureau", state="closed") == 1


def test_refreshes_that_are_skipped_by_reason():
    allow(PINFL, now=at()())  # to assess, not to watch
    refresh_record(record_id=make_record("soliq", PINFL).id, clock=at(1))
    assert sample("refreshes_skipped_total", source="soliq", reason="consent-required") == 1


def test_a_name_for_every_way_a_call_may_end():
    elsewhere = {"SourceUnavailable", "SourceOff", "SourceWaits"}
    kinds = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, SourceUnavailable) and name not in elsewhere
    }
    assert kinds == set(OUTCOMES) - {"answered", "unknown_to_source"}


def test_they_are_on_the_page_and_hold_no_identifier(settings):
    with live_registry():
        find_or_fetch_record(source="soliq", identifier=INN, actor=None)
        ensure_record(source="kadastr", identifier=PARCEL, actor=None)
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert 'credit_ml_source_calls_total{outcome="answered",source="soliq"} 1.0' in page
    lines = [line for line in page.splitlines() if "credit_ml_source" in line]
    assert not [line for line in lines if INN in line or PARCEL in line]


def test_registering_reads_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert SourceCollector().describe() == []
