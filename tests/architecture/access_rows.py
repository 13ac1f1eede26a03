"""Rows of the own and of another branch for every address that names one, and bodies that get through to the rules."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from apps.accounts.models import Branch, User
from apps.accounts.services import issue_token
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.companies.models import Company
from apps.companies.tests.factories import company_profile_of, make_company, make_tax_id
from apps.credit_requests.deciding import refer_request
from apps.credit_requests.models import CreditRequest, Override, Simulation
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import BAD, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_product, make_request
from apps.external_integrations.tests.factories import PARCEL, allow, consent_of
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual, make_pinfl, profile_of
from apps.scoring_engine.models import ModelVersion
from apps.scoring_engine.tests.factories import make_prediction
from apps.webhooks.models import WebhookDelivery
from apps.webhooks.tests.factories import make_endpoint, publish

MUCH = 38_000_000  # needs a second person
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """What a branch has: a person and a company with their numbers, and a request in each state that is decided on."""

    branch: Branch
    officer: User
    person: Individual
    pinfl: str
    company: Company
    tax_id: str
    pending: CreditRequest
    referred: CreditRequest
    approved: CreditRequest
    waiting: Override


def make_side(code: str) -> Side:
    branch = make_branch(code)
    officer = make_user("officer", branch)
    pinfl, tax_id = make_pinfl(), make_tax_id()
    person = make_individual(branch, pinfl=pinfl, credit_history_score=BAD)
    company = make_company(branch, tax_id=tax_id)
    pending, referred, approved = (make_request(person, requested_amount=10_000_000) for _ in range(3))
    much = make_request(person, requested_amount=MUCH)
    work_due_jobs()
    for request in (pending, referred, approved, much):
        _answer(request, officer)
    for request in (referred, approved, much):
        refer_request(credit_request=request, version=1, comment="look", actor=officer, now=timezone.now())
    _approve(approved, officer)
    waiting = _approve(much, officer)
    requests = [read(request) for request in (pending, referred, approved)]
    return Side(branch, officer, person, pinfl, company, tax_id, *requests, waiting)


def _answer(request: CreditRequest, officer: User) -> None:
    now = timezone.now()
    record_register_answer(credit_request=request, register="self_ban", is_listed=False, actor=officer, now=now)


def _approve(request: CreditRequest, officer: User) -> Any:
    held = read(request)
    return decide_by_person(
        credit_request=held,
        version=held.version,
        prediction_id=held.prediction_id,
        outcome="approve",
        terms=None,
        reason_code="collateral",
        comment="I saw the house",
        actor=officer,
        now=timezone.now(),
    )


class Rows:
    """`own` and `other`: sides of two branches. What belongs to no branch is there once."""

    def __init__(self) -> None:
        policy = put_policy_in_force()
        self.own, self.other = make_side("main"), make_side("other")
        self.product = make_product()
        endpoint, _ = make_endpoint()
        publish()
        delivery = WebhookDelivery.objects.filter(endpoint=endpoint).latest("id")
        analyst = make_user("analyst")
        token, _ = issue_token(user=analyst, expires_in=None, actor=None)
        self.once = {
            "branch": {"pk": self.own.branch.id},
            "user": {"pk": analyst.id, "token_key": token.token_key},
            "audit": {"pk": AuditEvent.objects.latest("id").pk},
            "product": {"pk": self.product.id},
            "policy": {"pk": policy.id},
            "simulation": {"pk": self._simulation(policy, analyst).id},
            "model": {"pk": ModelVersion.objects.latest("created_at").pk},
            "webhook": {"pk": endpoint.id, "delivery": delivery.id},
            "external-kadastr": {"parcel_id": PARCEL},
            "score-bulk": {"segment": "individual"},
            "score-schema": {"segment": "individual"},
        }

    def _simulation(self, policy: Any, analyst: User) -> Simulation:
        given = {"policy": policy, "against": policy, "on_date": date(2026, 12, 1), "cost_of_funds": 0.1}
        return Simulation.objects.create(**given, requested_by=analyst, created_at=timezone.now())

    def parameters(self, basename: str, side: Side, user: User) -> Parameters:
        """Of an address with an id, as `user` calls it. KeyError: nobody said yet what such an address names."""
        if basename in self.once:
            return self.once[basename]
        return {
            "individual": lambda: {"pk": side.person.id},
            "individual-erase": lambda: {"pk": side.person.id},
            "company": lambda: {"pk": side.company.id},
            "company-erase": lambda: {"pk": side.company.id},
            "credit-request": lambda: {"pk": side.pending.id},
            "credit-request-decision": lambda: {"pk": side.referred.id},
            "credit-request-letter": lambda: {"pk": side.approved.id},
            "credit-request-records": lambda: {"pk": side.approved.id},
            "external-record-versions": lambda: {"pk": side.pending.external_records.get(source="soliq").id},
            "override": lambda: {"pk": side.waiting.id},
            "prediction-log": lambda: {"pk": make_prediction(branch=side.branch).id},
            "staff-link": lambda: {"pk": self._link(side, user).id},
            "consent": lambda: {"pk": allow(side.pinfl, "bureau").id},
            "external-soliq": lambda: {"inn": side.tax_id},
        }[basename]()

    def _link(self, side: Side, user: User) -> Any:
        """Of the user themselves on the own side where they may have one, of a colleague on the other."""
        linked = user if side is self.own and user.role in ("officer", "approver") else side.officer
        given = {"applicant": side.company, "relation": "relative", "now": timezone.now()}
        return declare_staff_link(user=linked, actor=linked, **given)

    def bodies(self, side: Side) -> dict[str, Parameters]:
        """Of addresses that name a row in the body."""
        wanted = {"requested_amount": 5_000_000, "term_months": 12, "purpose": "car", "channel": "branch"}
        return {
            "POST /api/individuals/lookup/": {"pinfl": side.pinfl},
            "POST /api/companies/lookup/": {"tax_id": side.tax_id},
            "POST /api/consents/": consent_of(side.pinfl),
            "POST /api/consents/lookup/": {"pinfl": side.pinfl},
            "POST /api/external/soliq/lookup/": {"inn": side.tax_id},
            "POST /api/external/bureau/lookup/": {"pinfl": side.pinfl},
            "POST /api/credit-requests/": wanted | {"individual": str(side.person.id), "product": str(self.product.id)},
            "POST /api/staff-links/": {"individual": str(side.person.id), "relation": "relative"},
        }

    def new(self) -> dict[str, Parameters]:
        """Bodies of what is made in the caller's own branch."""
        return {"POST /api/individuals/": profile_of(), "POST /api/companies/": company_profile_of()}

    def spoken_of(self) -> dict[str, tuple[Any, Parameters]]:
        """Row and body of each address that a linked person is refused at and a colleague is not."""
        side = self.own
        comment = {"comment": "I saw the papers"}
        seen = comment | {"version": side.referred.version, "prediction": str(side.referred.prediction_id)}
        request = "/api/credit-requests/{pk}/"
        return {
            f"PATCH {request}": (side.pending, {"version": 1, "term_months": 12}),
            f"POST {request}decide/": (side.pending, {"version": 1}),
            f"POST {request}refer/": (side.pending, {"version": 1} | comment),
            f"POST {request}review/": (side.approved, {"version": side.approved.version, "reason": "news"}),
            f"POST {request}approve/": (side.referred, seen | {"reason_code": "collateral"}),
            f"POST {request}decline/": (side.referred, seen),
            f"POST {request}register-answers/": (side.pending, {"register": "self_ban", "is_listed": False}),
            "POST /api/overrides/{pk}/confirm/": (side.waiting, comment),
            "POST /api/overrides/{pk}/refuse/": (side.waiting, comment),
        }
