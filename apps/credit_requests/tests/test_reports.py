"""How often people decide otherwise than the policy: shares worked out by hand."""

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.common.days import lender_today
from apps.credit_requests.deciding import decide_by_policy, refer_request
from apps.credit_requests.models import Decision
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.tests.deciders import BAD, GREY, make_approver, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer

pytestmark = pytest.mark.django_db
MUCH = 38_000_000  # above second_person_above of the policy


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


def by_person(officer, score, outcome, code, **options) -> Decision:
    request = make_scored(score, **options)
    refer_request(credit_request=request, version=1, comment="look", actor=officer, now=timezone.now())
    request = read(request)
    return decide_by_person(
        credit_request=request,
        version=request.version,
        prediction_id=request.prediction_id,
        outcome=outcome,
        terms=None,
        reason_code=code,
        comment="I saw the papers",
        actor=officer,
        now=timezone.now(),
    )


def report(user, **query):
    asked = {"since": lender_today().isoformat()} | query
    return client_for(user).get("/api/reports/overrides/", asked)


def test_shares_by_direction_officer_and_reason(officer):
    by_person(officer, GREY, "approve", "")
    by_person(officer, GREY, "decline", "")
    by_person(officer, BAD, "approve", "collateral")
    by_person(officer, BAD, "approve", "verified_income", requested_amount=MUCH)  # waits for a second person
    found = report(make_user("auditor")).json()
    assert found["decided_by_people"] == 3
    assert found["by_direction"] == [
        {"direction": "low_side", "decisions": 1, "share": 1 / 3,
         "asked_for": {"waiting": 1, "confirmed": 1, "refused": 0, "expired": 0}},
        {"direction": "high_side", "decisions": 0, "share": 0.0,
         "asked_for": {"waiting": 0, "confirmed": 0, "refused": 0, "expired": 0}},
    ]  # fmt: skip
    assert found["by_officer"] == [
        {"officer": officer.id, "username": officer.username, "branch": "main", "decisions": 3, "low_side": 1,
         "high_side": 0, "share": 1 / 3},
    ]  # fmt: skip
    assert found["by_reason"] == [
        {"direction": "low_side", "reason_code": "collateral", "decisions": 1, "share": 1 / 3}
    ]
    assert (found["loans"], found["loans_note"]) == (
        None,
        "How overridden loans did cannot be said: no outcomes of loans are kept yet.",
    )


def test_what_the_policy_decides_is_no_override(officer):
    request = make_scored(BAD)
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    found = report(make_user("analyst")).json()
    assert (found["decided_by_people"], found["by_officer"], found["by_reason"]) == (0, [], [])
    assert [one["share"] for one in found["by_direction"]] == [None, None]


def test_an_approver_sees_the_own_branch(officer):
    by_person(officer, GREY, "approve", "")
    assert report(make_approver()).json()["decided_by_people"] == 1
    assert report(make_user("approver", make_branch("north"))).json()["decided_by_people"] == 0


@pytest.mark.parametrize("role", ["officer", "administrator"])
def test_others_may_not(role):
    assert report(make_user(role)).status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [({"since": "yesterday"}, "since"), ({"until": "2020-01-01"}, "until"), ({"sinse": "2026-01-01"}, "sinse")],
)
def test_a_wrong_span_is_refused_by_name(query, field):
    response = report(make_user("auditor"), **query)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
