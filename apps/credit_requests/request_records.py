"""What was known of a request from outside: now, at any moment before, or when a decision was made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.services import insert_events
from apps.common.crypto import DataErased
from apps.common.days import lender_today
from apps.common.models import Job
from apps.credit_requests.contradictions import compare, contradictions_of, open_records, stated_by
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.rescoring import RETIED
from apps.external_integrations.as_of import Held, held_at, held_now
from apps.external_integrations.clients import is_asked
from apps.external_integrations.consents import ASKING
from apps.external_integrations.keeping_fresh import task_of
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion

SOON = timedelta(days=14)
AT_ONCE = timedelta(seconds=20)
RESCORING = "rescore_requests_of_record"
VALID, EXPIRES_SOON, MISSING = CONSENT_STATES = ("valid", "expires_soon", "missing")
Documents = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ConsentHeld:
    """Of one source, on the day that was asked about."""

    source: str
    state: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Known:
    """held: what was known of each record, None of those that had nothing yet. contradictions: None where they cannot
    be told any more. refreshes: ids of the records whose refresh is queued; None of the past.
    """

    at: datetime
    records: dict[ExternalRecord, Held | None]
    contradictions: Documents | None
    consents: list[ConsentHeld]
    refreshes: frozenset[UUID] | None

    @property
    def rests_on_mock(self) -> bool:
        return any(held is not None and held.is_mock for held in self.records.values())


@transaction.atomic
def read_records(
    *,
    credit_request: CreditRequest,
    actor: User,
    now: datetime,
    at: datetime | None = None,
    decision: Decision | None = None,
) -> Known:
    """Of now, of the moment `at`, or of `decision`. That each record was read is recorded."""
    if decision is not None:
        known = _of_decision(credit_request, decision)
    elif at is not None:
        known = _of_moment(credit_request, at)
    else:
        known = _of_now(credit_request, now)
    told = {"credit_request": str(credit_request.id)}
    events = [(record.id, {"source": record.source} | told) for record in known.records]
    insert_events(actor, [("external_record.look_up", ExternalRecord, id_, details) for id_, details in events])
    return known


def _of_now(credit_request: CreditRequest, now: datetime) -> Known:
    records = {record: held_now(record) for record in _rows(credit_request.external_records.all())}
    contradictions = _compared(credit_request, records.values(), now)
    return Known(now, records, contradictions, _consents(credit_request, now), _queued(records))


def _of_moment(credit_request: CreditRequest, at: datetime) -> Known:
    """A profile has no history: once it has changed, what the applicant said then is sealed in decisions alone."""
    tied = ExternalRecord.objects.filter(id__in=_tied_at(credit_request, at))
    records = {record: held_at(record, at) for record in _rows(tied)}
    unchanged = credit_request.applicant.updated_at <= at
    contradictions = _compared(credit_request, records.values(), at) if unchanged else None
    return Known(at, records, contradictions, _consents(credit_request, at), None)


def _of_decision(credit_request: CreditRequest, decision: Decision) -> Known:
    used = {UUID(told["record"]): told for told in decision.records}
    records = {
        record: _used(record, used[record.id], decision)
        for record in _rows(ExternalRecord.objects.filter(id__in=list(used)))
    }
    at = decision.created_at
    return Known(at, records, sealed_contradictions(decision), _consents(credit_request, at), None)


def _used(record: ExternalRecord, told: dict[str, Any], decision: Decision) -> Held:
    """The version that the decision names, with the source's last answer as of then."""
    held = held_at(record, decision.created_at)
    if held is not None and str(held.version.id) == told["version"]:
        return held
    version = ExternalRecordVersion.objects.select_related("data_key").get(id=told["version"])
    return Held(record, version, datetime.fromisoformat(told["observed_at"]), version.fetched_at)


def sealed_contradictions(decision: Decision) -> Documents | None:
    """None for a decision of before they were sealed, one without a policy, and once the applicant was erased."""
    try:
        return decision.opened().get("contradictions")
    except DataErased:
        return None


def _rows(records: Any) -> Iterable[ExternalRecord]:
    return records.select_related("data_key", "current__data_key").order_by("source", "id")


def _tied_at(credit_request: CreditRequest, at: datetime) -> list[UUID | str]:
    """Before the first change of its records after `at`; without one, those of today."""
    changes = AuditEvent.objects.filter(
        subject_type=credit_request._meta.label, subject_id=str(credit_request.id), action=RETIED, created_at__gt=at
    )
    first = changes.order_by("id").first()
    return first.details["before"] if first else list(credit_request.external_records.values_list("id", flat=True))


def _compared(credit_request: CreditRequest, held: Iterable[Held | None], now: datetime) -> Documents | None:
    try:
        stated = stated_by(credit_request, now)
    except DataErased:
        return None
    return contradictions_of(compare(stated, open_records([each for each in held if each is not None])))


def _queued(records: Iterable[ExternalRecord]) -> frozenset[UUID]:
    ids = {str(record.id): record.id for record in records}
    names = {task_of(record.source) for record in records}
    jobs = Job.objects.filter(
        name__in=names, state__in=(Job.State.QUEUED, Job.State.RUNNING), arguments__record_id__in=list(ids)
    )
    return frozenset(ids[arguments["record_id"]] for arguments in jobs.values_list("arguments", flat=True))


def is_refreshing(credit_request: CreditRequest, now: datetime) -> bool:
    """Whether a record is being fetched, or the request is about to be scored on one that came. What was put off, since
    its source does not answer, is not waited for. Nothing of the records is read.
    """
    records = credit_request.external_records.values_list("id", "source")
    names = {task_of(source) for _, source in records} | {RESCORING}
    due = Q(state=Job.State.RUNNING) | Q(state=Job.State.QUEUED, due_at__lte=now + AT_ONCE)
    ids = [str(id_) for id_, _ in records]
    return Job.objects.filter(due, name__in=names, arguments__record_id__in=ids).exists()


def _consents(credit_request: CreditRequest, at: datetime) -> list[ConsentHeld]:
    """Companies need none."""
    if credit_request.individual_id is None:
        return []
    today = lender_today(at)
    not_withdrawn = Q(withdrawn_at=None) | Q(withdrawn_at__gt=at)
    rows = credit_request.individual.data_key.consents.filter(
        not_withdrawn, created_at__lte=at, given_on__lte=today, expires_on__gte=today
    )
    ends: dict[str, date] = dict(rows.order_by("expires_on").values_list("source", "expires_on"))
    return [_consent(source, ends.get(source), today) for source in _sources_that_ask()]


def _sources_that_ask() -> Sequence[str]:
    return [source for source in ASKING if is_asked(source)]


def _consent(source: str, expires_on: date | None, today: date) -> ConsentHeld:
    if expires_on is None:
        return ConsentHeld(source, MISSING, None)
    return ConsentHeld(source, EXPIRES_SOON if expires_on - today < SOON else VALID, expires_on)
