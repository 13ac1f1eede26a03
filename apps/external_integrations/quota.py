"""How many questions a source allows a minute of the clock, counted by all processes through the shared cache."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from apps.external_integrations.counts import count_up, counted
from apps.external_integrations.errors import SourceBusy

Clock = Callable[[], datetime]
MINUTE = timedelta(minutes=1)


def take(source: str, clock: Clock = timezone.now) -> None:
    """Count one question. Raises SourceBusy once the minute's quota is used up."""
    if count(source, clock) > _most(source):
        detail = f"{source} has had as many questions in this minute as its quota allows; try again in the next one."
        raise SourceBusy(detail, _minute(clock) + MINUTE)


def count(source: str, clock: Clock = timezone.now) -> float:
    """Count one question whatever the quota; how many there were in this minute."""
    return count_up(_key(source, clock), seconds=2 * MINUTE.total_seconds()) if _most(source) < float("inf") else 0


def is_left(source: str, clock: Clock = timezone.now) -> bool:
    return counted(_key(source, clock)) < _most(source)


def _most(source: str) -> float:
    return settings.EXTERNAL_SOURCES[source]["quota_per_minute"] or float("inf")


def _minute(clock: Clock) -> datetime:
    return clock().replace(second=0, microsecond=0)


def _key(source: str, clock: Clock) -> str:
    return f"quota:{source}:{int(_minute(clock).timestamp())}"
