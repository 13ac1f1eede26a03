"""What is unusual about a request: told of one that was read, and as a condition that chooses those of a flag.

Fallback, demonstration, contradiction and thin file are columns (marks.py). Whether a record in use is stale or was
invented changes without a write to the request, so it is read off the records each time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from apps.credit_requests.models import CreditRequest
from apps.external_integrations.as_of import Held, held_now
from apps.external_integrations.models import ExternalRecord, Origin
from apps.external_integrations.reading import usable, usable_and_stale

FALLBACK, DEMONSTRATION, STALE, MOCK, CONTRADICTION, THIN_FILE = FLAGS = (
    "fallback",
    "demonstration",
    "stale",
    "mock",
    "contradiction",
    "thin_file",
)
FEW = 2_000
COLUMNS = {
    FALLBACK: "is_fallback",
    DEMONSTRATION: "is_demonstration",
    CONTRADICTION: "has_contradiction",
    THIN_FILE: "is_thin_file",
}


def with_records() -> Prefetch:
    """What the flags need of the records of many requests."""
    records = ExternalRecord.objects.select_related("current__data_key").defer("sealed", "current__sealed")
    return Prefetch("external_records", records)


def records_held(credit_request: CreditRequest) -> list[Held]:
    """What is known now of its records, which are there already."""
    records = sorted(credit_request.external_records.all(), key=lambda record: record.id)
    return [held for record in records if (held := held_now(record)) is not None]


def flags_of(credit_request: CreditRequest, held: Sequence[Held], now: datetime) -> list[str]:
    """In the order of FLAGS. held: records_held of it."""
    told = {flag for flag, column in COLUMNS.items() if getattr(credit_request, column)}
    told |= {STALE} if any(each.is_stale(now) for each in held) else set()
    told |= {MOCK} if any(each.is_mock for each in held) else set()
    return [flag for flag in FLAGS if flag in told]


def with_flags(flags: Iterable[str], now: datetime) -> Q:
    """The condition on requests that each of `flags` would be told of them."""
    condition = Q()
    for flag in flags:
        condition &= Q(**{COLUMNS[flag]: True}) if flag in COLUMNS else OF_RECORDS[flag](now)
    return condition


def _with_stale(now: datetime) -> Q:
    return of_rows(
        ExternalRecord.objects.filter(usable_and_stale(now), credit_requests__isnull=False), "credit_requests"
    )


def of_rows(rows: QuerySet[Any], to_request: str) -> Q:
    """The condition on requests that one of the rows is of it. A few rows are gone through; of many, as of stale
    records after an outage, each request on the way to the page asks for its own.

    Not by EXISTS: PostgreSQL would join all requests with all of the rows for the one page that is read.
    """
    if rows[: FEW + 1].count() <= FEW:
        return Q(id__in=rows.values(to_request))
    return Q(IsNull(Subquery(rows.filter(**{to_request: OuterRef("id")}).values("id")[:1]), False))


def _with_mock(now: datetime) -> Q:
    mock = ExternalRecord.objects.filter(usable(), current__origin=Origin.MOCK)
    return Q(Exists(mock.filter(credit_requests=OuterRef("id"))))


OF_RECORDS = {STALE: _with_stale, MOCK: _with_mock}
