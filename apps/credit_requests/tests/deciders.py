"""People who decide, rows of decisions that no service wrote, and policies to test with."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.common.crypto import seal
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.policies.models import PolicyVersion

NOW = datetime(2026, 12, 7, 6, 0, tzinfo=UTC)  # 11:00 in Tashkent


def make_approver(branch_code: str = "main") -> User:
    return make_user("approver", make_branch(branch_code))


def policy_row(text: str = "", *, segment: str = "individual", publish: bool = True, **columns: Any) -> PolicyVersion:
    """A row of the table, published by somebody else than its maker, whatever its text."""
    given = {
        "code": "test",
        "version": uuid.uuid4().hex[:8],
        "segment": segment,
        "valid_from": date(2026, 1, 1),
        "digest": uuid.uuid4().hex * 2,
        "text": text,
        "made_by": make_user("analyst"),
        "created_at": NOW - timedelta(days=30),
    } | columns
    policy = PolicyVersion.objects.create(**given)
    if publish:
        at = NOW - timedelta(days=20) + timedelta(microseconds=PolicyVersion.objects.count())
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
