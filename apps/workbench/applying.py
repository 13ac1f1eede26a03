"""A new request as the workbench takes it: who applies, what is asked about them, and the writes in their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.common.days import lender_today
from apps.common.identifiers import pinfl_birth_date
from apps.companies.models import Company
from apps.companies.services import create_company
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.services import submit_credit_request
from apps.credit_requests.transitions import UNDECIDED
from apps.external_integrations.clients import is_asked
from apps.external_integrations.consents import ASKING, consents_of, record_consent
from apps.individuals.models import Individual
from apps.individuals.services import create_individual
from apps.workbench.application_forms import (
    COMPANY,
    PERSON,
    CompanyFacts,
    CompanyKey,
    ConsentGiven,
    Part,
    PersonFacts,
    PersonKey,
    Terms,
)

KINDS = (PERSON, COMPANY)


@dataclass(frozen=True, slots=True)
class Applicant:
    """found: the profile, if there is one that the user sees. is_elsewhere: another branch has it."""

    kind: str
    identifier: str
    found: Individual | Company | None
    is_elsewhere: bool = False

    @property
    def birth_date(self) -> date | None:
        return pinfl_birth_date(self.identifier) if self.kind == PERSON else None


def find_applicant(kind: str, identifier: str, user: User) -> Applicant:
    """`identifier`: checked. Of another branch's profile nothing is told but that there is one."""
    rows = Individual.objects.with_pinfl(identifier) if kind == PERSON else Company.objects.with_tax_id(identifier)
    found = rows.visible_to(user).for_reading().first()
    return Applicant(kind, identifier, found, is_elsewhere=found is None and rows.exists())


def undecided_of(applicant: Applicant, user: User) -> list[CreditRequest]:
    """Requests of theirs that wait already: whoever takes another one should know."""
    if applicant.found is None:
        return []
    rows = CreditRequest.objects.visible_to(user).filter(status__in=UNDECIDED, **{applicant.kind: applicant.found})
    return list(rows.select_related("product").order_by("-created_at", "-id")[:5])


class Application:
    """The form in its parts. `given`: what was typed; unless `is_sent`, the parts after the first begin afresh."""

    def __init__(self, user: User, given: Mapping[str, Any], *, is_sent: bool, now: datetime) -> None:
        self.user, self.now, self.today = user, now, lender_today(now)
        self.kind = given["kind"] if given.get("kind") in KINDS else PERSON
        self.given, self._typed = given, given if is_sent else None
        self.key = (PersonKey if self.kind == PERSON else CompanyKey)(given if "identifier" in given else None)

    @cached_property
    def applicant(self) -> Applicant | None:
        """None until the identifier is one."""
        if not self.key.is_valid():
            return None
        return find_applicant(self.kind, self.key.cleaned_data["identifier"], self.user)

    @cached_property
    def facts(self) -> PersonFacts | CompanyFacts | None:
        """None of somebody who is known."""
        if self.applicant is None or self.applicant.found is not None:
            return None
        return (PersonFacts if self.kind == PERSON else CompanyFacts)(self._typed)

    @cached_property
    def terms(self) -> Terms:
        found = self.applicant and self.applicant.found
        products = _offered().filter(currency=found.currency) if found else _offered()
        return Terms(products, self._typed, initial={"channel": CreditRequest.Channel.BRANCH})

    @cached_property
    def consent(self) -> ConsentGiven | None:
        """None of a company, and where no source is asked that needs one."""
        sources = [source for source in ASKING if is_asked(source)]
        if self.kind != PERSON or not sources:
            return None
        return ConsentGiven(sources, self.today, self._typed)

    @property
    def parts(self) -> list[Part]:
        every = (self.key, self.facts, self.terms, self.consent)
        return [part for part in every if part is not None]

    def part_with(self, name: str) -> Part | None:
        """The part with this field, without looking anybody up."""
        facts = (PersonFacts if self.kind == PERSON else CompanyFacts)(self._typed)
        parts = (self.key, facts, Terms(_offered(), self._typed), self.consent)
        return next((part for part in parts if part is not None and name in part.fields), None)

    @property
    def is_open(self) -> bool:
        """Whether this user may take a request of the applicant."""
        return self.applicant is not None and not self.applicant.is_elsewhere

    @property
    def currency(self) -> str:
        """Of the profile, or of all products alike; empty where the product will tell."""
        currencies = {product.currency for product in self.terms.products.values()}
        return currencies.pop() if len(currencies) == 1 else ""

    @property
    def applicant_changed(self) -> bool:
        """Whether a profile has come about, or gone, since the form was shown."""
        return self.given.get("applicant", "") != self.shown_as

    @property
    def shown_as(self) -> str:
        return str(self.applicant.found.id) if self.applicant and self.applicant.found else ""

    @cached_property
    def consents(self) -> list[dict[str, Any]]:
        """The newest of each source and purpose that was ever recorded of the person."""
        if self.consent is None or self.applicant is None:
            return []
        newest: dict[tuple[str, str], dict[str, Any]] = {}
        for each in consents_of(self.applicant.identifier):
            told = {"source": each.source, "purpose": each.purpose, "expires_on": each.expires_on}
            newest.setdefault((each.source, each.purpose), told | {"state": each.state_on(self.today)})
        return list(newest.values())

    @property
    def lacking(self) -> list[str]:
        """Sources that nobody may ask about the person today."""
        held = {each["source"] for each in self.consents if each["state"] == "valid"}
        return [source for source, _ in self.consent.fields["sources"].choices if source not in held]

    def is_valid(self) -> bool:
        wrong = [part for part in self.parts if not part.is_valid()]  # all of them, so that everything is told at once
        return not wrong


def _offered() -> QuerySet[Product]:
    return Product.objects.filter(is_active=True).order_by("name", "code")


@transaction.atomic
def submit_application(*, application: Application, actor: User) -> CreditRequest:
    """Of a valid form, whole or not at all: the profile if there is none, the consent, the request with its score."""
    terms = dict(application.terms.cleaned_data)
    applicant = application.applicant.found or _create(application, terms["product"].currency, actor)
    if application.consent is not None and application.consent.cleaned_data["sources"]:
        given = application.consent.options()
        record_consent(pinfl=application.applicant.identifier, **given, actor=actor, now=application.now)
    return submit_credit_request(applicant=applicant, **terms, actor=actor, now=application.now)


def _create(application: Application, currency: str, actor: User) -> Individual | Company:
    identifier, common = application.applicant.identifier, {"currency": currency, "branch": actor.branch}
    if isinstance(application.facts, PersonFacts):
        profile = application.facts.profile(identifier, application.applicant.birth_date)
        return create_individual(profile=profile, **common, actor=actor)
    return create_company(**application.facts.options(identifier), **common, actor=actor)
