"""Records to test with, made by the services."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.common.crypto import blind_index, create_data_key, seal
from apps.common.days import lender_today
from apps.external_integrations.derived import identifier_of
from apps.external_integrations.models import Consent, ExternalRecord
from apps.external_integrations.services import _store, find_or_fetch_record, refresh_record
from apps.external_integrations.sources import SOURCES

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


def answered(
    record: ExternalRecord, *, now: datetime | None = None, observed_at: datetime | None = None, **changes: Any
) -> ExternalRecord:
    """The record after one more true answer of its source: what the mock would invent, but for `changes`."""
    now = now or timezone.now()
    contract, identifier = SOURCES[record.source], identifier_of(record)
    reply = json.loads(contract.invent(identifier, observed_at or now)) | changes
    _store(record.id, contract.read(json.dumps(reply), identifier, now), "http", None, now)
    return ExternalRecord.objects.select_related("data_key", "current__data_key").get(id=record.id)


def allow(
    pinfl: str = PINFL, *sources: str, purpose: str = "credit_assessment", now: datetime | None = None
) -> Consent:
    """The person's consents as they are stored, valid for a month; the last of them."""
    moment = now or timezone.now()
    key = create_data_key(owner_index=blind_index("person", pinfl))
    for source in sources or ("soliq",):
        days = {"given_on": lender_today(moment), "expires_on": lender_today(moment + timedelta(days=30))}
        consent = Consent(data_key=key, source=source, purpose=purpose, created_at=moment, **days)
        consent.sealed = seal(key, {"reference": "form 7"}, consent.context)
        consent.save(force_insert=True)
    return consent


def consent_of(pinfl: str = PINFL, **overrides: Any) -> dict[str, Any]:
    """The body of POST /api/consents/."""
    today = lender_today()
    days = {"given_on": today.isoformat(), "expires_on": (today + timedelta(days=90)).isoformat()}
    given = {"pinfl": pinfl, "sources": ["soliq", "bureau"], "purpose": "credit_assessment", "reference": "form 7"}
    return given | days | overrides
