"""Scoring a stored request, again and again, on what is stored by then.

Each scoring has a cause, a key that is unique within the request: create, change:<version>, record:<version id>,
individual:<version>, company:<version>, consent:<consent id>, beat:<lender's day>, manual:<prediction that it follows>.
Two rules keep the log honest and small. Inputs that the newest prediction already has make no row, only the time of
the last check moves. And a cause that has its row makes no second one: the newest prediction stands. For the record and
profile causes that is right, since whatever changed the inputs since then has queued a cause of its own. Beat is the
safety net below them: it looks at a request often and writes at most once a day, so what only beat can see (a model
exchanged twice in one day) waits for the next day, or for a person who asks.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.background import heartbeat
from apps.common.crypto import InvalidTag
from apps.common.days import lender_today
from apps.common.errors import DataErased, DomainError, InvalidInput, NotFound
from apps.common.sentences import Sentence
from apps.companies.models import Company
from apps.credit_requests import transitions
from apps.credit_requests.facts import Gathered, gather_facts
from apps.credit_requests.marks import MARKS, set_marks
from apps.credit_requests.models import CreditRequest, CreditRequestQuerySet
from apps.external_integrations.clients import is_asked
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.services import ensure_record
from apps.individuals.models import Individual
from apps.scoring_engine import services as scoring
from apps.scoring_engine.models import PredictionLog

log = structlog.get_logger("rescoring")
Counts = dict[str, int]
MOST_CHECKED = 10_000
RETIED = "credit_request.records"


def lock_request(request_id: UUID) -> CreditRequest:
    """The request, held by this transaction (SQLite holds the whole database from BEGIN IMMEDIATE on).

    Locked first and read after: PostgreSQL would join the row as the lock found it with its neighbours as of before.
    """
    list(CreditRequest.objects.select_for_update().filter(id=request_id).values_list("id"))
    found = CreditRequest.objects.with_everything().filter(id=request_id).first()
    if found is None:
        raise NotFound(Sentence("There is no such credit request."))
    return found


def attach_records(*, credit_request: CreditRequest, actor: User | None, now: datetime | None = None) -> None:
    """Tie the request to the records of its applicant as the profile names them now; missing ones are queued.

    Without a person's consent a source is not asked, and its record is tied only if one is stored.
    """
    profile = credit_request.applicant.profile
    person = [("bureau", profile["pinfl"]), ("soliq", profile["pinfl"])] if credit_request.individual_id else []
    # Always in one order: two applicants who share parcels wait for each other's rows and never deadlock.
    wanted = person or [("soliq", profile["tax_id"])]
    wanted += [("kadastr", parcel) for parcel in sorted(profile["parcel_ids"])]
    asked = [(source, identifier) for source, identifier in wanted if is_asked(source)]
    clock = timezone.now if now is None else lambda: now
    found = [ensure_record(source=each[0], identifier=each[1], actor=actor, clock=clock) for each in asked]
    _tie(credit_request, [record for record in found if record is not None], actor)


def _tie(credit_request: CreditRequest, records: list[ExternalRecord], actor: User | None) -> None:
    """Of a request that was there before, the trail keeps what it rested on until now."""
    before = sorted(str(id_) for id_ in credit_request.external_records.values_list("id", flat=True))
    after = sorted(str(record.id) for record in records)
    if after == before:
        return
    credit_request.external_records.set(records)
    if credit_request.prediction_id is not None:
        details = {"before": before, "after": after}
        record_event(actor=actor, action=RETIED, subject=credit_request, details=details)


def score_request(*, credit_request: CreditRequest, cause: str, actor: User | None, now: datetime) -> bool:
    """Score a request that this transaction holds. True when a row was written, False when the newest one stands."""
    check_not_erased(credit_request.applicant)
    latest = credit_request.prediction
    records = list(credit_request.external_records.select_related("data_key", "current__data_key").order_by("id"))
    gathered = gather_facts(credit_request, now=now, records=records)
    if not PredictionLog.objects.filter(request_id=credit_request.id, cause=cause).exists():
        credit_request.prediction = _log_prediction(credit_request, gathered, cause, actor, now)
    set_marks(credit_request, gathered.facts, records, now)
    credit_request.last_checked_at = now
    credit_request.save(update_fields=["prediction", "last_checked_at", *MARKS])
    if credit_request.prediction == latest:
        return False
    details = {"cause": cause, "prediction": str(credit_request.prediction_id), "before": latest and str(latest.id)}
    record_event(actor=actor, action="credit_request.score", subject=credit_request, details=details)
    return True


def _log_prediction(
    credit_request: CreditRequest, gathered: Gathered, cause: str, actor: User | None, now: datetime
) -> PredictionLog:
    """The new row, or the newest one when it has these inputs already."""
    return scoring.score(
        segment=credit_request.segment,
        facts=gathered.facts,
        unavailable=gathered.unavailable,
        currency=credit_request.currency,
        data_key=credit_request.applicant.data_key,
        branch=credit_request.branch,
        actor=actor,
        cause=cause,
        now=now,
        request_id=credit_request.id,
        latest=credit_request.prediction,
    )


def hold_applicant(applicant: Individual | Company) -> None:
    """Until the end of this transaction nobody erases the applicant. Raises DataErased if somebody did before."""
    rows = type(applicant).objects.filter(id=applicant.id)
    list(rows.select_for_update(no_key=True).values_list("id"))
    if rows.filter(data_key__destroyed_at__isnull=False).exists():
        raise DataErased(
            Sentence("The applicant's personal data were erased; whoever applies again needs a new profile.")
        )


def check_not_erased(applicant: Individual | Company) -> None:
    if applicant.data_key.destroyed_at is not None:
        raise DataErased(Sentence("The applicant's personal data were erased; nothing can be scored on them any more."))


@transaction.atomic
def rescore_credit_request(
    *, credit_request: CreditRequest, cause: str | None = None, actor: User | None, now: datetime | None = None
) -> bool:
    """Rescore an undecided request; without a cause, a person asked. True when there is a new prediction."""
    held = lock_request(credit_request.id)
    transitions.check_undecided(held.status, Sentence("rescoring"))
    cause = cause or f"manual:{held.prediction_id}"
    return score_request(credit_request=held, cause=cause, actor=actor, now=now or timezone.now())


def rescore_pending(*, limit: int, now: datetime | None = None) -> Counts:
    """Check up to `limit` undecided requests, the longest unchecked first.

    A request is claimed by moving its last_checked_at in a transaction of its own, before it is scored in another: one
    that fails, or kills its worker, stands at the back of the queue by then and starves nobody.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_CHECKED:
        raise InvalidInput.of(limit=Sentence("Give a whole number from 1 to {most}.", most=MOST_CHECKED))
    now = now or timezone.now()
    counts = no_counts()
    while counts["checked"] < limit and (request_id := _claim_next(now)) is not None:
        _count(counts, _try_rescore(request_id, f"beat:{lender_today(now)}", now))
    return counts


def rescore_requests_of_record(*, record_id: UUID | str, version_id: UUID | str) -> Counts:
    """A new version of a record has come: rescore the undecided requests that use the record."""
    waiting = CreditRequest.objects.filter(external_records=record_id)
    return _rescore_each(waiting, f"record:{version_id}")


def rescore_applicant_requests(
    *, individual_id: UUID | str | None = None, company_id: UUID | str | None = None, version: int
) -> Counts:
    """A profile has changed: rescore the applicant's undecided requests, on the records that it names now."""
    kind = "individual" if individual_id else "company"
    waiting = CreditRequest.objects.filter(Q(individual_id=individual_id, company_id=company_id))
    return _rescore_each(waiting, f"{kind}:{version}", attach=True)


def gather_allowed_records(*, data_key_id: UUID | str, consent_id: UUID | str) -> Counts:
    """A person allowed sources to be asked: their undecided requests gather the records, and are scored anew when
    those come.
    """
    waiting = CreditRequest.objects.filter(individual__data_key=data_key_id)
    return _rescore_each(waiting, f"consent:{consent_id}", attach=True)


def _claim_next(now: datetime) -> UUID | None:
    with transaction.atomic():
        waiting = CreditRequest.objects.undecided().filter(Q(last_checked_at=None) | Q(last_checked_at__lt=now))
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        request_id = waiting.longest_unchecked_first().values_list("id", flat=True).first()
        if request_id is not None:
            CreditRequest.objects.filter(id=request_id).update(last_checked_at=now)
        return request_id


def _rescore_each(requests: CreditRequestQuerySet, cause: str, *, attach: bool = False) -> Counts:
    counts = no_counts()
    ids: Iterable[UUID] = requests.undecided().order_by("id").values_list("id", flat=True)
    for request_id in list(ids):
        _count(counts, _try_rescore(request_id, cause, timezone.now(), attach=attach))
    return counts


def _try_rescore(request_id: UUID, cause: str, now: datetime, *, attach: bool = False) -> str:
    """What became of it: rescored, unchanged, erased or failed. Each in a transaction of its own."""
    try:
        with transaction.atomic():
            held = lock_request(request_id)
            transitions.check_undecided(held.status, Sentence("rescoring"))
            if attach:
                attach_records(credit_request=held, actor=None)
            written = score_request(credit_request=held, cause=cause, actor=None, now=now)
    except DataErased:
        log.info("rescoring_skipped", credit_request=str(request_id), cause=cause, why="erased")
        return "erased"
    except (DomainError, InvalidTag) as error:
        log.warning("rescoring_failed", credit_request=str(request_id), cause=cause, error=type(error).__name__)
        return "failed"
    return "rescored" if written else "unchanged"


def no_counts() -> Counts:
    return {"checked": 0, "rescored": 0, "unchanged": 0, "erased": 0, "failed": 0}


def _count(counts: Counts, outcome: str) -> None:
    counts["checked"] += 1
    counts[outcome] += 1
    heartbeat()
