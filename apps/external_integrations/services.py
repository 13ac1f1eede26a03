"""Look-ups, refreshes and what they found. The source is asked outside any transaction, by one process at a time.

A person's record is asked for only while the person's consent holds; what is stored already may be read without.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common import background
from apps.common.crypto import blind_index, create_data_key, seal, unseal
from apps.common.days import lender_today
from apps.common.errors import InvalidInput, NotFound, SourceUnavailable
from apps.common.sentences import Sentence
from apps.external_integrations.clients import client_for
from apps.external_integrations.consents import may_ask, may_refresh, require_consent
from apps.external_integrations.errors import SourceWaits, UnknownToSource
from apps.external_integrations.keys import Key, check_key
from apps.external_integrations.lease import single_flight
from apps.external_integrations.metrics import count_skipped_refresh
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion, Origin
from apps.external_integrations.reading import is_stale, usable_version
from apps.external_integrations.sources.contract import Client, Record

log = structlog.get_logger("external_integrations")
Clock = Callable[[], datetime]
Transport = httpx.AsyncBaseTransport
PUT_OFF = timedelta(minutes=5)  # while a source is down; when it is back, what was put off is taken up at once
# --- Rows -----------------------------------------------------------------------------------------------------


@transaction.atomic
def ensure_record(
    *, source: str, identifier: str, actor: User | None, clock: Clock = timezone.now
) -> ExternalRecord | None:
    """The row of this key for a request to rest on, without asking the source; what is missing or stale is queued.

    None without the person's consent, unless something is stored: that is served, and grows old.
    """
    key = check_key(source, identifier, today=lender_today(clock()))
    if not may_ask(key, now=clock()):
        return _stored(key)
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


def _stored(key: Key) -> ExternalRecord | None:
    record = _rows(key).first()
    return record if record is not None and usable_version(record) is not None else None


def _rows(key: Key) -> QuerySet[ExternalRecord]:
    rows = ExternalRecord.objects.select_related("data_key", "current__data_key")
    return rows.filter(source=key.source, key_index=key.index)


def _row(key: Key, *, is_wanted: bool = False) -> ExternalRecord:
    record = _rows(key).first()
    if record is not None:
        return record
    fresh = ExternalRecord(source=key.source, key_index=key.index, is_wanted=is_wanted)
    fresh.data_key = create_data_key(owner_index=key.owner_index)
    fresh.sealed = seal(fresh.data_key, {"identifier": key.identifier}, fresh.context)
    ExternalRecord.objects.bulk_create([fresh], ignore_conflicts=True)
    # None: it was there, and a failed look-up removed it in between.
    return _rows(key).first() or _row(key, is_wanted=is_wanted)


def enqueue_refresh(record: ExternalRecord, *, due_at: datetime | None = None) -> None:
    background.enqueue(f"refresh_{record.source}_record", due_at=due_at, record_id=str(record.id))


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

    A stale record is returned as it is and its refresh is queued, if it may be. Raises ConsentMissing,
    SourceUnavailable or NotFound.
    """
    key = check_key(source, identifier, today=lender_today(clock()))
    with transaction.atomic(durable=True):
        record = _stored(key)
        if record is not None:
            _note(record, actor, "external_record.look_up")
            if is_stale(record, now=clock()) and may_ask(key, now=clock()):
                enqueue_refresh(record)
            return record, False
        require_consent(key, now=clock())
        record = _row(key)
    asked = _ask(record, key.identifier, actor=actor, clock=clock, transport=transport)
    if not asked:
        with transaction.atomic():
            _note(record, actor, "external_record.look_up")
    record = _reread(record.id)
    if usable_version(record) is None:
        raise NotFound(Sentence("The source has no such record."))
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
    """Ask the source now, by the row's id or by source and identifier. Raises SourceUnavailable; by the row's id, which
    is how a job asks, TryLater while the source is not to be asked.

    Returns ids only: {"record_id", "asked_here", "version_id", "skipped"}; skipped: "", or why nobody was asked:
    consent-required, erased.
    """
    if record_id is None:
        record, skipped = _row_of(source, identifier, clock()), ""
    else:
        record = _reread(record_id)
        skipped = _why_not(record, clock())
    if skipped:
        count_skipped_refresh(record.source, skipped)
        log.warning("refresh_skipped", record_id=str(record.id), source=record.source, why=skipped)
        return _refreshed(record, asked=False, skipped=skipped)
    try:
        asked = _ask(record, _identifier(record), actor=actor, clock=clock, transport=transport)
    except SourceWaits as error:
        if record_id is None:
            raise
        count_skipped_refresh(record.source, type(error).__name__)
        raise background.TryLater(type(error).__name__, max(error.retry_at, clock() + PUT_OFF)) from None
    return _refreshed(_reread(record.id), asked=asked, skipped="")


def _refreshed(record: ExternalRecord, *, asked: bool, skipped: str) -> dict[str, str | bool | None]:
    version_id = str(record.current_id) if record.current_id else None
    return {"record_id": str(record.id), "asked_here": asked, "version_id": version_id, "skipped": skipped}


def _why_not(record: ExternalRecord, now: datetime) -> str:
    if record.data_key.destroyed_at is not None:
        return "erased"
    key = check_key(record.source, _identifier(record), today=lender_today(now))
    return "" if may_refresh(record, key, now=now) else "consent-required"


def _identifier(record: ExternalRecord) -> str:
    return unseal(record.data_key, record.sealed, record.context)["identifier"]


def _reread(record_id: str | UUID) -> ExternalRecord:
    record = ExternalRecord.objects.select_related("data_key", "current__data_key").filter(id=record_id).first()
    if record is None:
        raise NotFound(Sentence("There is no external record with this id."))
    return record


def _row_of(source: str | None, identifier: str | None, now: datetime) -> ExternalRecord:
    if source is None or identifier is None:
        raise InvalidInput.of(identifier=Sentence("Give the id of a record, or a source and an identifier."))
    key = check_key(source, identifier, today=lender_today(now))
    require_consent(key, now=now)
    with transaction.atomic(durable=True):
        return _row(key)


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


# --- Reading back ---------------------------------------------------------------------------------------------


@transaction.atomic
def read_history(*, record: ExternalRecord, actor: User) -> QuerySet[ExternalRecordVersion]:
    """Every version there is, for somebody who reads them: that is recorded."""
    _note(record, actor, "external_record.read_history")
    return record.versions.select_related("data_key")


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
    # What held from now on, so that as_of.py can tell it of any moment: `current` moves, and answers may come late.
    holds = {"version": str(record.current_id), "observed_at": record.observed_at.isoformat()}
    details = {"origin": origin, "changed": changed, "checked_at": now.isoformat()} | holds
    _note(record, actor, "external_record.fetch", details)
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
