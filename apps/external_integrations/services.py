"""Look-ups, refreshes and what they found. The source is asked outside any transaction, by one process at a time."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common import background
from apps.common.crypto import blind_index, create_data_key, seal, unseal
from apps.common.days import lender_today
from apps.common.errors import InvalidInput, NotFound, SourceUnavailable
from apps.common.facts import Found
from apps.external_integrations.clients import Client, client_for, configured_origin
from apps.external_integrations.contracts import Record
from apps.external_integrations.errors import UnknownToSource
from apps.external_integrations.keys import Key, check_key
from apps.external_integrations.lease import single_flight
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion, Origin

log = structlog.get_logger("external_integrations")
Clock = Callable[[], datetime]
Transport = httpx.AsyncBaseTransport
FRESH_DAYS = 30
MOST_TTL_DAYS = 3650
CHUNK = 500
MONEY_FACTS = frozenset({"declared_yearly_income", "declared_revenue", "tax_debt"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a version holds, opened."""

    facts: dict[str, int | float]
    currency: str


# --- Reading --------------------------------------------------------------------------------------------------


def usable_version(record: ExternalRecord) -> ExternalRecordVersion | None:
    """The version that holds. Once a source is asked over HTTP, what its mock invented is no longer taken for it."""
    version = record.current
    if version is not None and version.origin == Origin.MOCK and configured_origin(record.source) == Origin.HTTP:
        return None
    return version


def is_stale(record: ExternalRecord, *, now: datetime, ttl_days: int = FRESH_DAYS) -> bool:
    """Whether the source last answered more than `ttl_days` ago, or never."""
    return record.checked_at is None or record.checked_at < now - timedelta(days=ttl_days)


def read_version(version: ExternalRecordVersion) -> Reading:
    document = unseal(version.data_key, version.sealed, version.context)
    return Reading(document["facts"], document["currency"])


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
        told = {name: value for name, value in told.items() if name not in MONEY_FACTS}
    stale = is_stale(record, now=now)
    return {
        name: Found(value, record.source, record.observed_at, version.origin, stale) for name, value in told.items()
    }


# --- Rows -----------------------------------------------------------------------------------------------------


@transaction.atomic
def ensure_record(*, source: str, identifier: str, actor: User | None, clock: Clock = timezone.now) -> ExternalRecord:
    """The row of this key for a request to rest on, without asking the source; what is missing or stale is queued."""
    key = check_key(source, identifier, today=lender_today(clock()))
    record = _row(key)
    if not record.is_wanted:
        record = _want(key, record)
        _note(record, actor, "external_record.want")
    if usable_version(record) is None or is_stale(record, now=clock()):
        enqueue_refresh(record)
    return record


def _want(key: Key, record: ExternalRecord) -> ExternalRecord:
    marked = ExternalRecord.objects.filter(id=record.id).update(is_wanted=True)
    record.is_wanted = True
    return record if marked else _row(key, is_wanted=True)  # a failed look-up had removed it just before


def _row(key: Key, *, is_wanted: bool = False) -> ExternalRecord:
    found = ExternalRecord.objects.select_related("data_key", "current__data_key")
    record = found.filter(source=key.source, key_index=key.index).first()
    if record is not None:
        return record
    fresh = ExternalRecord(source=key.source, key_index=key.index, is_wanted=is_wanted)
    fresh.data_key = create_data_key(owner_index=key.owner_index)
    fresh.sealed = seal(fresh.data_key, {"identifier": key.identifier}, fresh.context)
    ExternalRecord.objects.bulk_create([fresh], ignore_conflicts=True)
    # None: it was there, and a failed look-up removed it in between.
    return found.filter(source=key.source, key_index=key.index).first() or _row(key, is_wanted=is_wanted)


def enqueue_refresh(record: ExternalRecord) -> None:
    background.enqueue(f"refresh_{record.source}_record", record_id=str(record.id))


# --- Asking ---------------------------------------------------------------------------------------------------


def find_or_fetch_record(
    *,
    source: str,
    identifier: str,
    actor: User | None,
    clock: Clock = timezone.now,
    transport: Transport | None = None,
) -> tuple[ExternalRecord, bool]:
    """The stored record, else the source's answer, stored; True when this call asked the source.

    A stale record is returned as it is and its refresh is queued. Raises SourceUnavailable or NotFound.
    """
    key = check_key(source, identifier, today=lender_today(clock()))
    with transaction.atomic(durable=True):
        record = _row(key)
        if usable_version(record) is not None:
            _note(record, actor, "external_record.look_up")
            if is_stale(record, now=clock()):
                enqueue_refresh(record)
            return record, False
    asked = _ask(record, key.identifier, actor=actor, clock=clock, transport=transport)
    if not asked:
        with transaction.atomic():
            _note(record, actor, "external_record.look_up")
    record = _reread(record.id)
    if usable_version(record) is None:
        raise NotFound("The source has no such record.")
    return record, asked


def refresh_record(
    *,
    record_id: str | UUID | None = None,
    source: str | None = None,
    identifier: str | None = None,
    actor: User | None = None,
    clock: Clock = timezone.now,
    transport: Transport | None = None,
) -> dict[str, str | bool | None]:
    """Ask the source now, by the row's id or by source and identifier. Raises SourceUnavailable.

    Returns ids only: {"record_id", "asked_here", "version_id"}.
    """
    record = _reread(record_id) if record_id is not None else _row_of(source, identifier, clock())
    known = unseal(record.data_key, record.sealed, record.context)["identifier"]
    asked = _ask(record, known, actor=actor, clock=clock, transport=transport)
    record = _reread(record.id)
    version_id = str(record.current_id) if record.current_id else None
    return {"record_id": str(record.id), "asked_here": asked, "version_id": version_id}


def _reread(record_id: str | UUID) -> ExternalRecord:
    record = ExternalRecord.objects.select_related("data_key", "current__data_key").filter(id=record_id).first()
    if record is None:
        raise NotFound("There is no external record with this id.")
    return record


def _row_of(source: str | None, identifier: str | None, now: datetime) -> ExternalRecord:
    if source is None or identifier is None:
        raise InvalidInput.of(identifier="Give the id of a record, or a source and an identifier.")
    with transaction.atomic(durable=True):
        return _row(check_key(source, identifier, today=lender_today(now)))


def _ask(
    record: ExternalRecord, identifier: str, *, actor: User | None, clock: Clock, transport: Transport | None
) -> bool:
    """Ask once among all who want it, and store the answer. True when asked here."""
    client = client_for(record.source, clock=clock, transport=transport)
    deadline = settings.EXTERNAL_SOURCES[record.source]["deadline_seconds"]

    def ask() -> None:
        _fetch_and_store(record.id, identifier, client, actor, clock)

    try:
        return single_flight(record, ask, deadline_seconds=deadline, clock=clock)
    except SourceUnavailable as error:
        log.warning("source_unavailable", record_id=str(record.id), source=record.source, error=type(error).__name__)
        _note_failure(record, actor, type(error).__name__)
        raise


def _fetch_and_store(record_id: UUID, identifier: str, client: Client, actor: User | None, clock: Clock) -> None:
    try:
        fetched = client.fetch(identifier)
    except UnknownToSource:
        _store_unknown(record_id, actor, clock())
    else:
        _store(record_id, fetched, client.origin, actor, clock())


# --- Storing --------------------------------------------------------------------------------------------------


@transaction.atomic
def _store(record_id: UUID, fetched: Record, origin: str, actor: User | None, now: datetime) -> None:
    """Keep the answer: a new version if its content is new, and the current one if its observation is the newest."""
    record = _locked(record_id)
    if record.current is not None and (record.current.origin, origin) == (Origin.HTTP, Origin.MOCK):
        _note(record, actor, "external_record.mock_ignored")
        return
    digest = _digest(fetched)
    before = record.current_id
    record.checked_at = now
    if _is_newest(record, fetched, origin):
        same = record.current is not None and (record.current.digest, record.current.origin) == (digest, origin)
        record.current = record.current if same else _version(record, fetched, origin, digest, now)
        record.observed_at = fetched.observed_at
    elif record.current.digest != digest:
        _version(record, fetched, origin, digest, now)
    record.save(update_fields=["checked_at", "current", "observed_at", "updated_at"])
    changed = record.current_id != before
    _note(record, actor, "external_record.fetch", {"origin": origin, "changed": changed})
    if changed:
        background.enqueue("rescore_requests_of_record", record_id=str(record.id), version_id=str(record.current_id))


def _locked(record_id: UUID) -> ExternalRecord:
    # `current` is read after the lock is held: joined here, PostgreSQL would give it as it was before the wait.
    rows = ExternalRecord.objects.select_for_update(of=("self",)).select_related("data_key")
    return rows.get(id=record_id)


def _is_newest(record: ExternalRecord, fetched: Record, origin: str) -> bool:
    """The later observation holds whatever the order of arrival; a true reply holds over any invented one."""
    if record.current is None or record.current.origin != origin:
        return True
    return fetched.observed_at >= record.observed_at


def _digest(fetched: Record) -> str:
    content = {name: value for name, value in asdict(fetched).items() if name not in ("observed_at", "raw")}
    return blind_index("external_record_content", repr(sorted(content.items())))


def _version(record: ExternalRecord, fetched: Record, origin: str, digest: str, now: datetime) -> ExternalRecordVersion:
    same = {"record": record, "origin": origin, "observed_at": fetched.observed_at, "digest": digest}
    stored = ExternalRecordVersion.objects.filter(**same).first()
    if stored is not None:
        return stored
    version = ExternalRecordVersion(**same, data_key=record.data_key, fetched_at=now)
    document = {"raw": fetched.raw, "facts": fetched.facts(), "currency": fetched.currency}
    version.sealed = seal(record.data_key, document, version.context)
    version.save(force_insert=True)
    return version


@transaction.atomic
def _store_unknown(record_id: UUID, actor: User | None, now: datetime) -> None:
    """The source knows nothing of this key. A version that is stored stays, and grows old."""
    record = _locked(record_id)
    if record.current is None:
        record.checked_at = now
        record.save(update_fields=["checked_at", "updated_at"])
    _note(record, actor, "external_record.unknown")


@transaction.atomic
def _note_failure(record: ExternalRecord, actor: User | None, error: str) -> None:
    _note(record, actor, "external_record.fetch_failed", {"error": error})
    nothing_known = Q(current__isnull=True, checked_at__isnull=True, is_wanted=False, lease_until__isnull=True)
    for row in ExternalRecord.objects.select_for_update(of=("self",)).filter(nothing_known, id=record.id):
        row.delete()


def _note(record: ExternalRecord, actor: User | None, action: str, details: dict[str, Any] | None = None) -> None:
    record_event(actor=actor, action=action, subject=record, details={"source": record.source} | (details or {}))


# --- Keeping fresh --------------------------------------------------------------------------------------------


def refresh_stale_records(*, ttl_days: int = FRESH_DAYS, clock: Clock = timezone.now) -> dict[str, int]:
    """Queue a refresh of every record that the source last answered for more than `ttl_days` ago."""
    if isinstance(ttl_days, bool) or not isinstance(ttl_days, int) or not 0 <= ttl_days <= MOST_TTL_DAYS:
        raise InvalidInput.of(ttl_days=f"Give a whole number of days from 0 to {MOST_TTL_DAYS}.")
    old = Q(checked_at__isnull=True) | Q(checked_at__lt=clock() - timedelta(days=ttl_days))
    in_use = Q(current__isnull=False) | Q(is_wanted=True)
    waiting = list(ExternalRecord.objects.filter(old, in_use).order_by("checked_at", "id").only("id", "source"))
    for start in range(0, len(waiting), CHUNK):
        with transaction.atomic():
            for record in waiting[start : start + CHUNK]:
                enqueue_refresh(record)
        background.heartbeat()
    return {"records": ExternalRecord.objects.count(), "stale": len(waiting), "queued": len(waiting)}
