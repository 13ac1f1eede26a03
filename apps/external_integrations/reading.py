"""What is stored of a source, and how old it is. Nothing is asked here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from apps.common.crypto import UNFINDABLE, unseal
from apps.common.facts import Found
from apps.external_integrations.clients import configured_client
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion, Origin
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import Facts


@dataclass(frozen=True, slots=True)
class Reading:
    """What a version holds, opened. `raw`: the reply as it came."""

    facts: Facts
    currency: str
    raw: str


def usable_version(record: ExternalRecord) -> ExternalRecordVersion | None:
    """The version that holds. Once a source is asked over HTTP, what its mock invented is no longer taken for it.

    A parcel's goes with the applicant who was erased; to others it is as if the source had not answered yet.
    """
    version = record.current
    if version is not None and version.data_key.destroyed_at is not None:
        return None
    if version is not None and version.origin == Origin.MOCK and configured_client(record.source) == Origin.HTTP:
        return None
    return version


def fresh_days(source: str) -> int:
    """How many days after the source's last answer a record of it counts as fresh."""
    return settings.EXTERNAL_SOURCES[source]["fresh_days"]


def is_stale(record: ExternalRecord, *, now: datetime, days: int | None = None) -> bool:
    """Whether the source last answered more than `days` ago, or never; without `days`, by the source's own limit."""
    limit = timedelta(days=fresh_days(record.source) if days is None else days)
    return record.checked_at is None or record.checked_at < now - limit


def usable() -> Q:
    """`usable_version`, as a condition on records."""
    over_http = [source for source in SOURCES if configured_client(source) == Origin.HTTP]
    known = Q(current__isnull=False) & ~Q(key_index__startswith=UNFINDABLE)
    return known & ~Q(current__origin=Origin.MOCK, source__in=over_http) if over_http else known


def usable_and_stale(now: datetime) -> Q:
    """Records in use whose source has not answered within its own limit. The first condition is for the index."""
    limits = {source: now - timedelta(days=fresh_days(source)) for source in SOURCES}
    old = Q(pk__in=[])
    for source, limit in limits.items():
        old |= Q(source=source, checked_at__lt=limit)
    return Q(checked_at__lt=max(limits.values())) & usable() & old


def read_version(version: ExternalRecordVersion) -> Reading:
    document = unseal(version.data_key, version.sealed, version.context)
    return Reading(document["facts"], document["currency"], document["raw"])


def record_facts(record: ExternalRecord, *, now: datetime, currency: str | None = None) -> dict[str, Found]:
    """What is known, by the names of the scoring vocabulary; empty while nothing is.

    Given a `currency`, sums that the source states in another one are left out: they cannot be compared.
    """
    version = usable_version(record)
    if version is None:
        return {}
    reading = read_version(version)
    told = reading.facts
    if currency is not None and reading.currency != currency:
        told = {name: value for name, value in told.items() if name not in SOURCES[record.source].sums}
    stale = is_stale(record, now=now)
    return {
        name: Found(value, record.source, record.observed_at, version.origin, stale) for name, value in told.items()
    }
