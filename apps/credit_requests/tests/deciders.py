"""People who decide, rows of decisions that no service wrote, and policies to test with."""

import hashlib
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.common.background import work_due_jobs
from apps.common.crypto import seal
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.individuals.tests.factories import make_individual
from apps.policies.models import PolicyVersion
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.tests.factories import put_in_service

NOW = datetime(2026, 12, 7, 6, 0, tzinfo=UTC)  # 11:00 in Tashkent
LONG_AGO = datetime(2020, 2, 1, tzinfo=UTC)


def make_approver(branch_code: str = "main") -> User:
    return make_user("approver", make_branch(branch_code))


def policy_row(text: str = "", *, segment: str = "individual", publish: bool = True, **columns: Any) -> PolicyVersion:
    """A row of the table, published by somebody else than its maker, whatever its text."""
    given = {
        "code": "test",
        "version": uuid.uuid4().hex[:8],
        "segment": segment,
        "valid_from": date(2020, 1, 1),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "text": text,
        "made_by": make_user("analyst"),
        "created_at": LONG_AGO,
    } | columns
    policy = PolicyVersion.objects.create(**given)
    if publish:
        at = LONG_AGO + timedelta(seconds=PolicyVersion.objects.count())
        policy.state, policy.checked_by, policy.published_at = "published", make_user("analyst"), at
        policy.save()
    return policy


def decision_row(request: CreditRequest, policy: PolicyVersion | None, **columns: Any) -> Decision:
    """Not saved: an approval by the policy, in full order."""
    key = request.applicant.data_key
    given = {
        "id": uuid.uuid4(),
        "credit_request": request,
        "number": request.decisions.count() + 1,
        "kind": "policy",
        "outcome": "approve",
        "policy_outcome": "approve",
        "on_date": NOW.date(),
        "policy": policy,
        "prediction": request.prediction,
        "amount": 10_000_000,
        "term_months": 12,
        "annual_rate_basis_points": 2_600,
        "data_key": key,
        "created_at": NOW,
    } | columns
    given["sealed"] = seal(key, {"trace": [], "comment": ""}, f"decision:{given['id']}")
    return Decision(**given)


def override_row(request: CreditRequest, against: Decision, officer: User, **columns: Any) -> Override:
    """Not saved: a low-side override that waits for its second person."""
    key = request.applicant.data_key
    given = {
        "id": uuid.uuid4(),
        "credit_request": request,
        "against": against,
        "prediction": request.prediction,
        "outcome": "approve",
        "direction": "low_side",
        "reason_code": "collateral",
        "amount": 10_000_000,
        "term_months": 12,
        "annual_rate_basis_points": 2_600,
        "second_person_for": ["override"],
        "needs_second_person": True,
        "data_key": key,
        "requested_by": officer,
        "requested_at": NOW,
        "expires_at": NOW + timedelta(days=14),
    } | columns
    given["sealed"] = seal(key, {"comment": "because"}, f"override:{given['id']}")
    return Override(**given)


TEXT = Path(__file__).with_name("test_individual.toml").read_text(encoding="utf-8")
# Credit history scores, and what the small card gives the person of the factories with them: 515, 485, 435.
GOOD, GREY, BAD = 790, 690, 520
SCORES = {GOOD: 515, GREY: 485, BAD: 435}


def put_policy_in_force(text: str = TEXT, **columns: Any) -> PolicyVersion:
    """The policy of test_individual.toml, and the small card, validated on the lender's own data."""
    put_in_service(small_card(), on_own_data=True)
    return policy_row(text, **columns)


def make_scored(credit_history_score: int = GOOD, *, banned: bool | None = False, **options: Any) -> CreditRequest:
    """A pending request whose records have come and whose register has answered; `options` of person and request."""
    of_request = {name: options.pop(name) for name in list(options) if name in OF_REQUEST}
    person = make_individual(make_branch(), credit_history_score=credit_history_score, **options)
    request = make_request(person, **of_request)
    if banned is not None:
        answer_register(request, banned)
    work_due_jobs()
    return read(request)


OF_REQUEST = ("requested_amount", "term_months", "purpose", "channel", "product")


def answer_register(request: CreditRequest, is_listed: bool, now: datetime | None = None) -> None:
    record_register_answer(
        credit_request=request,
        register="self_ban",
        is_listed=is_listed,
        actor=make_officer(),
        now=now or timezone.now(),
    )


def read(request: CreditRequest) -> CreditRequest:
    return CreditRequest.objects.with_everything().get(id=request.id)
