"""Records to test with, made by the services."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.services import find_or_fetch_record, refresh_record

INN = "201589828"
PINFL = "31210632040244"
PARCEL = "10:01:02:03:04:0055"
NOON = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def at(days: float = 0) -> Callable[[], datetime]:
    """A clock that stands `days` after NOON."""
    return lambda: NOON + timedelta(days=days)


def make_record(source: str = "soliq", identifier: str = INN, *, days: float = 0) -> ExternalRecord:
    return find_or_fetch_record(source=source, identifier=identifier, actor=None, clock=at(days))[0]


def refreshed(record: ExternalRecord, *, days: float) -> ExternalRecord:
    refresh_record(record_id=record.id, clock=at(days))
    return ExternalRecord.objects.select_related("data_key", "current__data_key").get(id=record.id)
