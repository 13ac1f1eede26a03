"""Records grow old and sources come back: nightly refreshes at the pace that each source allows, and probes."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.common import background
from apps.common.errors import InvalidInput
from apps.external_integrations.breaker import Breaker
from apps.external_integrations.clients import configured_client, is_asked
from apps.external_integrations.models import ExternalRecord, Origin
from apps.external_integrations.reading import fresh_days
from apps.external_integrations.services import enqueue_refresh
from apps.external_integrations.sources import SOURCES

Clock = Callable[[], datetime]
MOST_TTL_DAYS = 3650
CHUNK = 500


def refresh_stale_records(*, ttl_days: int | None = None, clock: Clock = timezone.now) -> dict[str, int]:
    """Queue a refresh of every record that its source last answered for more than `ttl_days` ago, or than the source's
    own limit, one after the other at the pace of the source's quota.
    """
    whole = isinstance(ttl_days, int) and not isinstance(ttl_days, bool) and 0 <= ttl_days <= MOST_TTL_DAYS
    if ttl_days is not None and not whole:
        raise InvalidInput.of(ttl_days=f"Give a whole number of days from 0 to {MOST_TTL_DAYS}.")
    now, queued = clock(), 0
    for source in _asked_sources():
        days = fresh_days(source) if ttl_days is None else ttl_days
        queued += _queue_refreshes(source, now - timedelta(days=days), now)
    return {"records": ExternalRecord.objects.count(), "stale": queued, "queued": queued}


def _asked_sources() -> Iterator[str]:
    return (source for source in SOURCES if is_asked(source))


def _queue_refreshes(source: str, checked_before: datetime, now: datetime) -> int:
    old = Q(checked_at__isnull=True) | Q(checked_at__lt=checked_before)
    in_use = Q(current__isnull=False) | Q(is_wanted=True)
    rows = ExternalRecord.objects.filter(old, in_use, source=source, data_key__destroyed_at__isnull=True)
    waiting = list(rows.order_by("checked_at", "id").only("id", "source"))
    pause = _pause_between(source)
    for start in range(0, len(waiting), CHUNK):
        with transaction.atomic():
            for place, record in enumerate(waiting[start : start + CHUNK], start):
                enqueue_refresh(record, due_at=now + place * pause)
        background.heartbeat()
    return len(waiting)


def _pause_between(source: str) -> timedelta:
    """A mock has no quota. Four in five of the quota, so that people who wait for a look-up find room."""
    quota = settings.EXTERNAL_SOURCES[source]["quota_per_minute"]
    if not quota or configured_client(source) == Origin.MOCK:
        return timedelta(0)
    return timedelta(seconds=60 / (quota * 0.8))


def probe_sources(*, clock: Clock = timezone.now) -> dict[str, int]:
    """Take up one waiting refresh of each source whose pause is over: should it be back, the rest follows at once."""
    tried = 0
    for source in _asked_sources():
        if Breaker(source, clock).state() == "half_open":
            tried += background.hasten(task_of(source), limit=1)
    return {"tried": tried}


def resume_refreshes(source: str) -> dict[str, int]:
    """The source is back: all refreshes that were put off are due."""
    return {"hastened": background.hasten(task_of(source))}


def task_of(source: str) -> str:
    return f"refresh_{source}_record"
