"""Writes on people."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Branch, User
from apps.audit.services import record_event
from apps.common.background import enqueue
from apps.common.crypto import create_data_key, seal
from apps.common.days import lender_today
from apps.common.errors import Conflict, InvalidInput
from apps.common.name_words import keep_name_words
from apps.common.sentences import Sentence
from apps.individuals.models import Individual, pinfl_index
from apps.individuals.profile import EMPTY_PROFILE, UNCHANGING, check_profile


@transaction.atomic
def create_individual(
    *,
    profile: dict[str, Any],
    currency: str,
    branch: Branch,
    actor: User | None,
    is_demo: bool = False,
    today: date | None = None,
) -> Individual:
    """`profile`: fields of EMPTY_PROFILE; those left out are not known. Raises InvalidInput, Conflict."""
    document = EMPTY_PROFILE | profile
    check_profile(document, today=today or lender_today())
    index = pinfl_index(document["pinfl"])
    individual = Individual(
        branch=branch,
        data_key=create_data_key(owner_index=index),
        pinfl_index=index,
        currency=currency,
        is_demo=is_demo,
        created_by=actor,
    )
    individual.sealed = seal(individual.data_key, document, individual.seal_context)
    _insert(individual)
    keep_name_words(individual.data_key, document["full_name"])
    record_event(actor=actor, action="individual.create", subject=individual, details={"branch": branch.code})
    return individual


def _insert(individual: Individual) -> None:
    try:
        with transaction.atomic():
            individual.save(force_insert=True)
    except IntegrityError:
        if not Individual.objects.filter(pinfl_index=individual.pinfl_index).exists():
            raise
        # Says no more than the caller knows: neither the name nor the branch of the other profile.
        raise Conflict(
            Sentence("A profile with this PINFL exists already; find it with POST /api/individuals/lookup/.")
        ) from None


@transaction.atomic
def update_individual(
    *, individual: Individual, version: int, changes: dict[str, Any], actor: User | None, today: date | None = None
) -> Individual:
    """Replace the fields in `changes`; `version` is the one that the caller read. Pending requests are scored anew."""
    before = individual.profile
    _check_names(changes)
    check_profile(before | changes, today=today or lender_today())
    changed = sorted(name for name, value in changes.items() if value != before[name])
    if individual.version != version:
        raise Conflict(_stale(version))
    if not changed:
        return individual
    stored = Individual.objects.filter(pk=individual.pk, version=version).update(
        sealed=seal(individual.data_key, before | changes, individual.seal_context),
        version=version + 1,
        updated_at=timezone.now(),
    )
    if not stored:
        raise Conflict(_stale(version))
    if "full_name" in changed:
        keep_name_words(individual.data_key, changes["full_name"])
    details = {"fields": changed, "version": version + 1}
    record_event(actor=actor, action="individual.update", subject=individual, details=details)
    enqueue("rescore_applicant_requests", individual_id=str(individual.id), version=version + 1)
    return Individual.objects.for_reading().get(pk=individual.pk)


def _check_names(changes: dict[str, Any]) -> None:
    if fixed := sorted(UNCHANGING & changes.keys()):
        raise InvalidInput.of(
            **dict.fromkeys(fixed, Sentence("This field is who the profile is of; it cannot be changed."))
        )
    if unknown := sorted(changes.keys() - EMPTY_PROFILE.keys()):
        raise InvalidInput.of(**dict.fromkeys(unknown, Sentence("There is no such field in the profile of a person.")))


def _stale(version: int) -> str:
    return Sentence(
        "The profile has changed since version {version} was read. Read it again and repeat the change.",
        version=version,
    )
