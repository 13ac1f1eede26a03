"""A believable part of the demo requests, decided through the services: by the policy, by one person, and by two.

The shipped cards are demonstrations, so the policy refers whatever no knock-out declines; that is to be seen here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from django.db import transaction

from apps.accounts.models import User
from apps.common.errors import DomainError
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.models.decisions import APPROVE, DECLINE, LOW_SIDE, PERSON, SELF_BAN
from apps.credit_requests.overriding import confirm_override, decide_by_person
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.weighing import Weighed, Wish, weigh

SEED = 20_110_103
DECIDED = 100
ANSWERED, LISTED = 0.85, 0.05  # of the people: whom the register was asked about, and of these who is listed
APPROVED, DECLINED, UNDER_TWO = 6, 5, 2  # by people, of those that the policy refers
APPROVAL = Wish(
    APPROVE, reason_code="verified_income", comment="Seen in the branch: pay slips of a year and the lease."
)
REFUSAL = Wish(DECLINE, comment="The policy's reasons stand; nothing in the papers speaks against them.")


@dataclass(frozen=True, slots=True)
class Staff:
    """Of one branch, whose requests they decide."""

    officer: User
    approver: User


@transaction.atomic
def load_decisions(*, staff: Staff, now: datetime) -> dict[str, int]:
    """Decide, unless something is decided already. Returns how many demo requests are in each status."""
    demo = CreditRequest.objects.filter(is_demo=True)
    if not Decision.objects.filter(credit_request__in=demo).exists():
        _by_policy(staff, now)
        _by_people(staff, now)
    return {status: demo.filter(status=status).count() for status in ("approved", "rejected", "referred", "pending")}


def request_to_show() -> CreditRequest:
    """One that a person declined, so that its letter has reasons to tell; without any, the first that was decided."""
    shown = Decision.objects.filter(credit_request__is_demo=True).order_by("created_at", "id")
    declined = shown.filter(kind=PERSON, outcome=DECLINE)
    return (declined.first() or shown.first()).credit_request


def _by_policy(staff: Staff, now: datetime) -> None:
    """The first of the branch; the others wait, as on any day."""
    rng = Random(SEED)
    requests = CreditRequest.objects.with_everything().filter(is_demo=True, branch=staff.officer.branch)
    for request in requests.order_by("created_at", "id")[:DECIDED]:
        if request.individual_id and rng.random() < ANSWERED:
            answer = {"register": SELF_BAN, "is_listed": rng.random() < LISTED}
            record_register_answer(credit_request=request, **answer, actor=staff.officer, now=now)
        decide_by_policy(credit_request=request, version=request.version, actor=staff.officer, now=now)


def _by_people(staff: Staff, now: datetime) -> None:
    """Declined and approved by one person; of those that take two, one is confirmed and the others wait."""
    for request in _possible(REFUSAL, now, people=1)[:DECLINED]:
        _decide(request, REFUSAL, staff, now)
    for request in _possible(APPROVAL, now, people=1)[:APPROVED]:
        _decide(request, APPROVAL, staff, now)
    waiting = [_decide(request, APPROVAL, staff, now) for request in _possible(APPROVAL, now, people=2)[:UNDER_TWO]]
    for override in waiting[:1]:
        confirm_override(override=override, comment="I have read the same papers.", actor=staff.approver, now=now)


def _possible(wish: Wish, now: datetime, *, people: int) -> list[CreditRequest]:
    """Referred requests that take so many people to be decided so; what goes against the policy first."""
    weighed = [(request, found) for request, found in _weighed(wish, now) if len(found.second_person_for) == people - 1]
    weighed.sort(key=lambda pair: pair[1].direction != LOW_SIDE)
    return [request for request, _ in weighed]


def _weighed(wish: Wish, now: datetime) -> Iterator[tuple[CreditRequest, Weighed]]:
    referred = CreditRequest.objects.with_everything().filter(is_demo=True, status="referred")
    for request in referred.order_by("created_at", "id"):
        try:
            found = weigh(request, wish, now)
        except DomainError:
            continue  # Nobody may.
        # Who declines here agrees with the policy.
        if wish.outcome == APPROVE or found.evaluation.outcome.policy_outcome == DECLINE:
            yield request, found


def _decide(request: CreditRequest, wish: Wish, staff: Staff, now: datetime) -> Decision | Override:
    return decide_by_person(
        credit_request=request,
        version=request.version,
        prediction_id=request.prediction_id,
        outcome=wish.outcome,
        terms=None,
        reason_code=wish.reason_code,
        comment=wish.comment,
        actor=staff.officer,
        now=now,
    )
