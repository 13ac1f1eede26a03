"""What Prometheus learns of sources. Counted in the shared cache: workers ask most, and have no page of their own.

Names of sources, outcomes and reasons only. When the cache is emptied the counts begin anew, which Prometheus expects.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.common.errors import SourceUnavailable
from apps.external_integrations.breaker import STATES, Breaker
from apps.external_integrations.counts import count_up, counted
from apps.external_integrations.errors import UnknownToSource

ANSWERED, UNKNOWN = "answered", "unknown_to_source"
OUTCOMES = (
    ANSWERED, UNKNOWN, "SourcePaused", "SourceBusy", "SourceTimeout", "SourceUnreachable", "SourceFailed",
    "SourceRefused", "RedirectRefused", "HostNotAllowed", "CredentialsUnusable", "ReplyTooLarge", "ReplyMalformed",
    "ReplyNotAsAgreed",
)  # fmt: skip
NOT_ASKED = frozenset({"SourcePaused", "SourceBusy", "HostNotAllowed", "CredentialsUnusable"})
SKIPS = ("consent-required", "erased", "SourcePaused", "SourceBusy")
LABELS = {"calls": OUTCOMES, "skips": SKIPS}
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds


@contextmanager
def measured(source: str) -> Iterator[None]:
    """Count the call and how it ended; how long it took, if anybody was asked."""
    started, outcome = time.monotonic(), ANSWERED
    try:
        yield
    except UnknownToSource:
        outcome = UNKNOWN
        raise
    except SourceUnavailable as error:
        outcome = type(error).__name__
        raise
    finally:
        _count("calls", source, outcome)
        if outcome not in NOT_ASKED:
            _observe(source, time.monotonic() - started)


def count_skipped_refresh(source: str, reason: str) -> None:
    """`reason`: one of SKIPS."""
    _count("skips", source, reason)


def _count(what: str, source: str, label: str, by: int = 1) -> None:
    count_up(f"metrics:{what}:{source}:{label}", by, seconds=None)


def _observe(source: str, seconds: float) -> None:
    bound = next((bound for bound in BOUNDS if seconds <= bound), "+Inf")
    _count("seconds", source, str(bound))
    _count("microseconds", source, "sum", round(seconds * 1e6))


# --- Telling Prometheus ---------------------------------------------------------------------------------------


class SourceCollector(Collector):
    def describe(self) -> list[Metric]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        from apps.external_integrations.sources import SOURCES  # not at start: its serializers are slow to import

        sources = list(SOURCES)
        yield _counter("credit_ml_source_calls", "Questions to sources, by how they ended", "outcome", "calls", sources)
        yield _counter("credit_ml_source_refreshes_skipped", "Refreshes not made", "reason", "skips", sources)
        yield _durations(sources)
        yield _states(sources)


def _counter(name: str, text: str, label: str, what: str, sources: list[str]) -> Metric:
    told = CounterMetricFamily(name, text, labels=["source", label])
    keys = {f"metrics:{what}:{source}:{value}": [source, value] for source in sources for value in LABELS[what]}
    for key, count in cache.get_many(keys).items():
        told.add_metric(keys[key], count)
    return told


def _durations(sources: list[str]) -> Metric:
    told = HistogramMetricFamily("credit_ml_source_call_seconds", "From question to answer or fault", labels=["source"])
    for source in sources:
        buckets, reached = [], 0
        for bound in (*BOUNDS, "+Inf"):
            reached += counted(f"metrics:seconds:{source}:{bound}")
            buckets.append((str(bound), reached))
        told.add_metric([source], buckets, counted(f"metrics:microseconds:{source}:sum") / 1e6)
    return told


def _states(sources: list[str]) -> Metric:
    told = GaugeMetricFamily("credit_ml_source_state", "1 for the state of its breaker", labels=["source", "state"])
    for source in sources:
        now = Breaker(source).state()
        for state in STATES:
            told.add_metric([source, state], float(state == now))
    return told


def register_metrics() -> None:
    REGISTRY.register(SourceCollector())
