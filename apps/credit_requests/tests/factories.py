"""Products and requests to test with, made by the services. Also used by the tests of other apps."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.common.crypto import destroy_keys, seal
from apps.common.database import drop_trigger
from apps.companies.models import Company
from apps.credit_requests.guards import REQUESTS, lift_status_guard, set_decision_guards, set_status_guard
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.services import create_product, submit_credit_request
from apps.credit_requests.transitions import MOVES
from apps.external_integrations.tests.factories import allow
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual

_numbers = count(1)


def terms_of(**overrides: Any) -> dict[str, Any]:
    return {
        "code": f"consumer-{next(_numbers)}",
        "name": "Consumer credit",
        "kind": "consumer",
        "currency": "UZS",
        "annual_rate_basis_points": 2_600,
        "fee_basis_points": 100,
        "fee_amount": 50_000,
        "repayment_type": "annuity",
        "least_amount": 1_000_000,
        "most_amount": 100_000_000,
        "least_term_months": 3,
        "most_term_months": 60,
    } | overrides


def make_product(**overrides: Any) -> Product:
    return create_product(terms=terms_of(**overrides), actor=None)


def make_request(
    applicant: Individual | Company | None = None,
    product: Product | None = None,
    consents: Collection[str] = ("soliq",),
    **overrides: Any,
) -> CreditRequest:
    """A pending request of 30,000,000 UZS over 24 months, of a new person of the branch "main" if nobody is given.

    consents: the sources that a person has allowed to be asked.
    """
    applicant = applicant or make_individual(make_branch())
    if isinstance(applicant, Individual) and consents:
        allow(applicant.profile["pinfl"], *consents)
    given = {
        "requested_amount": 30_000_000,
        "term_months": 24,
        "purpose": "car",
        "channel": "branch",
        "actor": None,
    } | overrides
    return submit_credit_request(applicant=applicant, product=product or make_product(), **given)


def change_debt(request: CreditRequest, debt: int) -> None:
    """Other inputs, without the job that a change by the service would queue."""
    person = Individual.objects.get(id=request.individual_id)
    profile = person.profile | {"existing_debt": debt}
    Individual.objects.filter(id=person.id).update(sealed=seal(person.data_key, profile, person.seal_context))


def make_erased_tampered_and_sound() -> tuple[CreditRequest, CreditRequest, CreditRequest]:
    """Two requests whose applicants cannot be read, for these two reasons, and one whose inputs have changed."""
    erased, tampered, sound = (make_request() for _ in range(3))
    destroy_keys([erased.individual.data_key_id], now=timezone.now())
    Individual.objects.filter(id=tampered.individual_id).update(sealed=b"x" * 40)
    change_debt(sound, 70_000_000)
    return erased, tampered, sound


def make_officer(branch_code: str = "main") -> User:
    return make_user("officer", make_branch(branch_code))


@contextmanager
def decided_guard_lifted() -> Iterator[None]:
    """For statuses that no decision led to."""
    drop_trigger(connection, f"{REQUESTS}_decided", REQUESTS)
    try:
        yield
    finally:
        set_decision_guards(connection)


@contextmanager
def status_guard_lifted() -> Iterator[None]:
    """For any status whatever, however it came about."""
    lift_status_guard(connection)
    try:
        with decided_guard_lifted():
            yield
    finally:
        set_status_guard(connection, [(move.source, move.target) for move in MOVES])
