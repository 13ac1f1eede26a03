"""A believable part of the demo requests, decided through the services: by the policy, by one person, and by two.

The shipped cards are demonstrations, so the policy refers whatever no knock-out declines; that is to be seen here.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import transaction

from apps.accounts.models import User
from apps.common.commands import Show, each_shown
from apps.common.errors import DomainError
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.models.decisions import APPROVE, DECLINE, PERSON, SELF_BAN
from apps.credit_requests.overriding import confirm_override, decide_by_person
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.weighing import Weighed, Wish, weigh

SEED = 20_110_103
WAITING = 70  # the newest, which nobody has looked at
ANSWERED, LISTED = 0.85, 0.05  # of the people: whom the register was asked about, and of these who is listed
DECIDED, APPROVED = 0.7, 0.65  # by people: of those that the policy refers in their branch, and how many they approve
QUICK, SLOW = timedelta(hours=2), timedelta(days=4)  # what people take
APPROVAL = Wish(
    APPROVE, reason_code="verified_income", comment="Seen in the branch: pay slips of a year and the lease."
)
REFUSAL = Wish(DECLINE, comment="The policy's reasons stand; nothing in the papers speaks against them.")
CAUTION = Wish(DECLINE, reason_code="unverified_income", comment="The employer does not know of the pay slips.")
WISHES = (APPROVAL, CAUTION, REFUSAL)


@dataclass(frozen=True, slots=True)
class Staff:
    """Of one branch, whose requests they decide."""

    officer: User
    approver: User


@transaction.atomic
def load_decisions(*, staff: Staff, now: datetime, show: Show) -> dict[str, int]:
    """Decide, unless something is decided already. Returns how many demo requests are in each status."""
    demo = CreditRequest.objects.filter(is_demo=True)
    if not Decision.objects.filter(credit_request__in=demo).exists():
        _by_policy(staff, now, show)
        _by_people(staff, now, show)
    return {status: demo.filter(status=status).count() for status in ("approved", "rejected", "referred", "pending")}


def request_to_show() -> CreditRequest:
    """One that a person declined, so that its letter has reasons to tell; without any, the first that was decided."""
    shown = Decision.objects.filter(credit_request__is_demo=True).order_by("created_at", "id")
    declined = shown.filter(kind=PERSON, outcome=DECLINE)
    return (declined.first() or shown.first()).credit_request


def _by_policy(staff: Staff, now: datetime, show: Show) -> None:
    """All but the newest, soon after they came; in other branches by the system itself."""
    rng = Random(SEED)
    requests = CreditRequest.objects.with_everything().filter(is_demo=True).order_by("created_at", "id")
    for request in each_shown(requests[: max(requests.count() - WAITING, 0)], "deciding by the policy", show):
        at = min(request.created_at + timedelta(minutes=rng.uniform(5, 300)), now)
        actor = staff.officer if request.branch == staff.officer.branch else None
        if actor and request.individual_id and rng.random() < ANSWERED:
            answer = {"register": SELF_BAN, "is_listed": rng.random() < LISTED}
            record_register_answer(credit_request=request, **answer, actor=actor, now=at)
        decide_by_policy(credit_request=request, version=request.version, actor=actor, now=at)


def _by_people(staff: Staff, now: datetime, show: Show) -> None:
    """Most of what was referred in the branch; of those that take two people the last one waits for its second."""
    rng = Random(SEED + 1)
    referred = CreditRequest.objects.with_everything().filter(is_demo=True, status="referred")
    waiting = []
    here = referred.filter(branch=staff.officer.branch).order_by("created_at", "id")
    for request in each_shown(here, "deciding by people", show):
        wishes, days = WISHES if rng.random() < APPROVED else WISHES[::-1], rng.betavariate(1, 3)
        at = min(request.created_at + timedelta(hours=6) + QUICK + (SLOW - QUICK) * days, now)
        if rng.random() < DECIDED and (found := _possible(request, wishes, at)):
            wish, weighed = found
            if weighed.second_person_for:
                waiting.append((request, wish, at))
            else:
                _decide(request, wish, staff, at)
    _by_two(waiting, staff, now)


def _by_two(waiting: list[tuple[CreditRequest, Wish, datetime]], staff: Staff, now: datetime) -> None:
    for request, wish, at in waiting[:-1]:
        override = _decide(request, wish, staff, at)
        comment = "I have read the same papers."
        confirm_override(override=override, comment=comment, actor=staff.approver, now=min(at + QUICK, now))
    for request, wish, _ in waiting[-1:]:
        _decide(request, wish, staff, now - QUICK)


def _possible(request: CreditRequest, wishes: tuple[Wish, ...], now: datetime) -> tuple[Wish, Weighed] | None:
    """The first that people may wish for: whoever declines agrees with the policy, or gives a reason."""
    for wish in wishes:
        with suppress(DomainError):
            found = weigh(request, wish, now)
            if wish != REFUSAL or found.evaluation.outcome.policy_outcome == DECLINE:
                return wish, found
    return None


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
