"""Erasing an applicant: the key of the person's data is destroyed, and nothing finds the person any more.

What remains says that something was, and not of whom: requests, scores, decisions and the trail, by opaque ids. Gone
are the profile, the tax and bureau records, the land records of the parcels that the applicant named, the facts and
texts in the log, decisions and comments, the references of consents, and the replies kept for repeats. Who comes back
is somebody new.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import insert_events, record_event
from apps.common.background import enqueue
from apps.common.crypto import UNFINDABLE, InvalidTag, blind_index, destroy_keys
from apps.common.errors import Conflict, InvalidInput
from apps.common.idempotency import replies_that_hold
from apps.common.models import DataKey
from apps.companies.models import Company
from apps.credit_requests.models import CreditRequest, CreditRequestQuerySet
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.transitions import UNDECIDED
from apps.external_integrations.models import Consent, ExternalRecord
from apps.individuals.models import Individual

log = structlog.get_logger("erasure")
# Codes, and no free text: whatever is typed here stays for good.
REASONS = {
    "asked": "the person asked for it",
    "consent_withdrawn": "the person took the consent back",
    "no_longer_needed": "the time for which the data are kept is over",
    "order": "a court or an authority ordered it",
    "mistake": "the profile was made by mistake",
}
AGAIN = "again"  # after a restore, from the list of what was erased
MOST_TOLD = 5
Applicant = Individual | Company


@dataclass(frozen=True, slots=True)
class Erasure:
    """`data_keys`: those destroyed by this call; none when the applicant was erased before."""

    applicant_id: UUID
    erased_at: datetime
    data_keys: tuple[UUID, ...] = ()


@transaction.atomic
def erase_person(*, individual: Individual, reason: str, actor: User | None, now: datetime | None = None) -> Erasure:
    """For good; a second call changes nothing. Raises InvalidInput, or Conflict while a request is undecided."""
    return _erase(individual, _checked(reason), actor, now or timezone.now())


@transaction.atomic
def erase_company(*, company: Company, reason: str, actor: User | None, now: datetime | None = None) -> Erasure:
    """As erase_person; what a company has in clear goes too: industry, date of incorporation, statements."""
    return _erase(company, _checked(reason), actor, now or timezone.now())


def erase_again(*, key_ids: Iterable[UUID], actor: User | None, now: datetime | None = None) -> dict[str, int]:
    """After a restore: destroy what was destroyed before, each applicant in a transaction of its own.

    Requests that the restored copy has as undecided are withdrawn. A key that the copy does not have was never in it.
    """
    counts, now = {"erased": 0, "erased_already": 0, "not_there": 0}, now or timezone.now()
    wanted = list(key_ids)
    owned = {id_ for model in (Individual, Company) for id_ in _owned_by(model, wanted)}
    # Applicants first: each takes the parcels and replies along that are on the list too.
    for key_id in sorted(wanted, key=lambda id_: id_ not in owned):
        with transaction.atomic():
            counts[_erase_key(key_id, actor, now)] += 1
    return counts


def _owned_by(model: type[Individual] | type[Company], keys: Collection[UUID]) -> QuerySet:
    return model.objects.filter(data_key_id__in=keys).values_list("data_key_id", flat=True)


def _erase_key(key_id: UUID, actor: User | None, now: datetime) -> str:
    key = DataKey.objects.filter(id=key_id).first()
    if key is None or key.destroyed_at is not None:
        return "not_there" if key is None else "erased_already"
    applicant = Individual.objects.filter(data_key=key).first() or Company.objects.filter(data_key=key).first()
    if applicant is None:
        _destroy([key_id], now)
        insert_events(actor, [("data_key.destroy", DataKey, key_id, {"reason": AGAIN})])
        return "erased"
    for request in _requests_of(applicant).filter(status__in=UNDECIDED):
        withdraw_credit_request(credit_request=request, version=request.version, actor=None)
    _erase(applicant, AGAIN, actor, now)
    return "erased"


def _checked(reason: str) -> str:
    if reason not in REASONS:
        raise InvalidInput.of(reason=f"{reason[:40]!r} was given; allowed are {', '.join(REASONS)}.")
    return reason


def _erase(applicant: Applicant, reason: str, actor: User | None, now: datetime) -> Erasure:
    held = _hold(applicant)
    if held.data_key.destroyed_at is not None:
        return Erasure(held.id, held.data_key.destroyed_at)
    requests = list(_requests_of(held).select_for_update().order_by("id"))
    _refuse_undecided(requests)
    parcels = _lock_parcels(held, requests)
    replies = replies_that_hold(_ids_of(held, requests))
    keys = [held.data_key_id, *parcels, *replies]
    others = _others_with(parcels, held)
    _destroy(keys, now)
    _forget(held, now)
    details = {"reason": reason, "requests": len(requests), "parcels": len(parcels), "replies": len(replies)}
    record_event(actor=actor, action=f"{_kind(held)}.erase", subject=held, details=details)
    for other in others:
        # Their land records are asked for anew, under a key that the erased has no part in.
        enqueue("rescore_applicant_requests", **{f"{_kind(other)}_id": str(other.id)}, version=other.version)
    told = {"subject": str(held.id), "data_keys": [str(key) for key in keys]}
    # Outside of the database too: what was erased since the last list was written can be found in the logs.
    transaction.on_commit(lambda: log.info("erased", **told))
    return Erasure(held.id, now, tuple(keys))


def _kind(applicant: Applicant) -> str:
    return applicant._meta.model_name


def _hold(applicant: Applicant) -> Applicant:
    """Locked first and read after, as requests are; whoever submits one for the applicant waits."""
    rows = type(applicant).objects.filter(id=applicant.id)
    list(rows.select_for_update().values_list("id"))
    return rows.select_related("data_key").get()


def _requests_of(applicant: Applicant) -> CreditRequestQuerySet:
    return CreditRequest.objects.filter(**{_kind(applicant): applicant})


def _refuse_undecided(requests: Collection[CreditRequest]) -> None:
    undecided = [str(request.id) for request in requests if request.status in UNDECIDED]
    if undecided:
        more = f" and {len(undecided) - MOST_TOLD} more" if len(undecided) > MOST_TOLD else ""
        raise Conflict(
            f"Undecided requests rest on these data: {', '.join(undecided[:MOST_TOLD])}{more}. Decide or withdraw them "
            "(POST /api/credit-requests/<id>/withdraw/), then erase."
        )


def _lock_parcels(applicant: Applicant, requests: Collection[CreditRequest]) -> list[UUID]:
    """The data keys of the parcels that the profile names or a request rests on: their records name the owner.

    In the order in which requests are tied to parcels, so that the two never wait for each other.
    """
    named = [blind_index("parcel", parcel) for parcel in _named_parcels(applicant)]
    keys = DataKey.objects.select_for_update()
    list(keys.filter(id=applicant.data_key_id).values_list("id"))
    found = [id_ for index in named for id_ in keys.filter(owner_index=index).values_list("id", flat=True)]
    tied = ExternalRecord.objects.filter(credit_requests__in=requests).exclude(data_key_id=applicant.data_key_id)
    found += sorted(tied.exclude(data_key__destroyed_at__isnull=False).values_list("data_key_id", flat=True).distinct())
    return list(dict.fromkeys(found))


def _named_parcels(applicant: Applicant) -> list[str]:
    try:
        return sorted(applicant.profile["parcel_ids"])
    except InvalidTag:
        # Tampered with: nobody can read it, and it must not stand in the way.
        log.warning("profile_unreadable", subject=str(applicant.id), consequence="parcels of its requests alone")
        return []


def _ids_of(applicant: Applicant, requests: Iterable[CreditRequest]) -> list[str]:
    """One of them stands in every reply that tells of the applicant."""
    consents = Consent.objects.filter(data_key_id=applicant.data_key_id).values_list("id", flat=True)
    return [str(id_) for id_ in (applicant.id, *(request.id for request in requests), *consents)]


def _others_with(parcels: Collection[UUID], applicant: Applicant) -> list[Applicant]:
    """Applicants whose undecided requests rest on the same parcels."""
    tied = CreditRequest.objects.undecided().filter(external_records__data_key__in=parcels).distinct()
    found = {request.applicant for request in tied.select_related("individual", "company")}
    return sorted(found - {applicant}, key=lambda other: other.id)


def _destroy(keys: Collection[UUID], now: datetime) -> None:
    destroy_keys(keys, now=now)
    for record in ExternalRecord.objects.filter(data_key_id__in=keys).only("id"):
        hidden = {"key_index": unfindable(), "is_wanted": False, "updated_at": now}
        ExternalRecord.objects.filter(id=record.id).update(**hidden)


def unfindable() -> str:
    """In place of a blind index: unique, and of nobody."""
    return f"{UNFINDABLE}{secrets.token_hex(28)}"


def _forget(applicant: Applicant, now: datetime) -> None:
    """What the row itself says of the applicant. Whoever read it before has to read it again."""
    again = {"version": applicant.version + 1, "updated_at": now}
    if isinstance(applicant, Individual):
        Individual.objects.filter(id=applicant.id).update(pinfl_index=unfindable(), **again)
        return
    applicant.statements.all().delete()
    cleared = dict.fromkeys(("industry", "incorporated_date", "years_in_business_given"))
    Company.objects.filter(id=applicant.id).update(tax_id_index=unfindable(), **cleared, **again)
