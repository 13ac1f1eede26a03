"""Whether a person allows a source to be asked: recorded by purpose and with an end, withdrawn once."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.background import enqueue
from apps.common.crypto import blind_index, create_data_key, seal
from apps.common.days import lender_today
from apps.common.errors import Conflict, ConsentMissing, FieldProblem, InvalidInput
from apps.common.identifiers import IdentifierError, check_pinfl
from apps.common.models import DataKey
from apps.common.sentences import Sentence
from apps.external_integrations.keys import Key
from apps.external_integrations.models import Consent, ExternalRecord, Purpose
from apps.external_integrations.sources import SOURCES

MOST_DAYS = {Purpose.CREDIT_ASSESSMENT: 180, Purpose.MONITORING: 1825}
ASKING = tuple(code for code, contract in SOURCES.items() if contract.asks_consent)


@transaction.atomic
def record_consent(
    *,
    pinfl: str,
    sources: Sequence[str],
    purpose: str,
    given_on: date,
    expires_on: date,
    reference: str,
    actor: User | None,
    now: datetime,
) -> list[Consent]:
    """One consent a source; `reference`: the paper, form or message that it stands in. Raises InvalidInput.

    The person need not have a profile yet. Undecided requests of theirs gather what may be asked for now.
    """
    _check_consent(pinfl, sources, purpose, given_on, expires_on, lender_today(now))
    data_key = create_data_key(owner_index=blind_index("person", pinfl))
    days = {"given_on": given_on, "expires_on": expires_on}
    made = [
        _insert(Consent(data_key=data_key, source=source, purpose=purpose, **days), reference, actor, now)
        for source in sorted(set(sources))
    ]
    enqueue("gather_allowed_records", data_key_id=str(data_key.id), consent_id=str(made[0].id))
    return made


def _insert(consent: Consent, reference: str, actor: User | None, now: datetime) -> Consent:
    consent.recorded_by, consent.created_at = actor, now
    consent.sealed = seal(consent.data_key, {"reference": reference}, consent.context)
    consent.save(force_insert=True)
    details = {"source": consent.source, "purpose": consent.purpose, "until": consent.expires_on.isoformat()}
    record_event(actor=actor, action="consent.record", subject=consent, details=details)
    return consent


def _check_consent(
    pinfl: str, sources: Sequence[str], purpose: str, given_on: date, expires_on: date, today: date
) -> None:
    problems = [*_of_person(pinfl, today), *_of_scope(sources, purpose)]
    if not problems:
        problems = list(_of_days(purpose, given_on, expires_on, today))
    if problems:
        raise InvalidInput("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems)


def _of_person(pinfl: str, today: date) -> Iterator[FieldProblem]:
    try:
        check_pinfl(pinfl, today=today)
    except IdentifierError as error:
        yield FieldProblem("pinfl", str(error))


def _of_scope(sources: Sequence[str], purpose: str) -> Iterator[FieldProblem]:
    unknown = sorted(set(sources) - set(ASKING))
    if unknown or not sources:
        yield FieldProblem("sources", Sentence("Allowed are one or more of {sources}.", sources=ASKING))
    if purpose not in Purpose.values:
        yield FieldProblem("purpose", Sentence("Allowed are {consent_purposes}.", consent_purposes=Purpose.values))


def _of_days(purpose: str, given_on: date, expires_on: date, today: date) -> Iterator[FieldProblem]:
    if given_on > today:
        yield FieldProblem(
            "given_on", Sentence("{given_on} lies ahead; a consent is recorded once it was given.", given_on=given_on)
        )
    latest = given_on + timedelta(days=MOST_DAYS[Purpose(purpose)])
    if not max(given_on, today) <= expires_on <= latest:
        yield FieldProblem(
            "expires_on",
            Sentence(
                "{expires_on} was given; for {consent_purpose} allowed is a day from today to {latest}, "
                "{days} days after the consent was given.",
                expires_on=expires_on,
                consent_purpose=purpose,
                latest=latest,
                days=MOST_DAYS[purpose],
            ),
        )


@transaction.atomic
def withdraw_consent(*, consent: Consent, actor: User | None, now: datetime) -> Consent:
    """From now on nothing is asked under it. What is stored stays, and grows old."""
    withdrawn = Consent.objects.filter(id=consent.id, withdrawn_at=None).update(withdrawn_at=now, withdrawn_by=actor)
    if not withdrawn:
        raise Conflict(Sentence("This consent was withdrawn already."))
    consent.refresh_from_db()
    record_event(actor=actor, action="consent.withdraw", subject=consent, details={"source": consent.source})
    return consent


def consents_of(pinfl: str) -> list[Consent]:
    """All that were ever recorded of this person, the newest first."""
    owner = DataKey.objects.filter(owner_index=blind_index("person", pinfl)).first()
    return list(owner.consents.select_related("data_key").order_by("-created_at", "source")) if owner else []


def valid_consents(*, owner_index: str, source: str, now: datetime) -> list[Consent]:
    """Of the person with this blind index, the one that lasts longest first."""
    found = Consent.objects.valid_on(lender_today(now)).filter(data_key__owner_index=owner_index, source=source)
    return list(found.order_by("-expires_on"))


def may_ask(key: Key, *, now: datetime) -> bool:
    """Under either purpose: whoever looks a person up, or gathers records for a request, assesses or watches."""
    return not key.needs_consent or bool(valid_consents(owner_index=key.owner_index, source=key.source, now=now))


def require_consent(key: Key, *, now: datetime) -> None:
    """Raises ConsentMissing; nothing has been asked by then."""
    if not may_ask(key, now=now):
        raise ConsentMissing(
            Sentence(
                "There is no valid consent of this person to ask {source}. Record one with POST /api/consents/.",
                source=key.source,
            )
        )


def may_refresh(record: ExternalRecord, key: Key, *, now: datetime) -> bool:
    """A record that no request rests on is kept fresh only to watch a loan."""
    if not key.needs_consent:
        return True
    found = valid_consents(owner_index=key.owner_index, source=key.source, now=now)
    return any(record.is_wanted or consent.purpose == Purpose.MONITORING for consent in found)
