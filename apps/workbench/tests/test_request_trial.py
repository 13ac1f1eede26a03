"""Other terms tried on the screen of a request: what would come of them, truly, and without a trace."""

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.credit_requests.alternatives import find_alternatives, find_alternatives_now
from apps.credit_requests.deciding import decide_by_policy, evaluate
from apps.credit_requests.services import change_credit_request
from apps.credit_requests.tests.deciders import BAD, GREY, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer
from apps.credit_requests.trying import try_terms
from apps.policies.services import policy_of
from apps.scoring_engine.models import PredictionLog
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


def tried(request, user, amount, term_months, language="en", **headers):
    address, given = f"/requests/{request.id}/try/", {"amount": amount, "term_months": term_months}
    return signed_in(user, language).post(address, given, headers=headers)


def traces():
    return (AuditEvent.objects.exclude(action__startswith="user.").count(), PredictionLog.objects.count())


@pytest.mark.parametrize("terms", [(30_000_000, 24), (10_000_000, 24), (30_000_000, 60), (80_000_000, 3)])
def test_a_try_says_what_the_change_would_give(officer, terms):
    request = make_scored(GREY)
    found = try_terms(credit_request=request, amount=terms[0], term_months=terms[1], now=timezone.now())
    changes = {"requested_amount": terms[0], "term_months": terms[1]}
    change_credit_request(credit_request=request, version=1, changes=changes, actor=officer)
    changed = read(request)
    said = evaluate(changed, timezone.now()).outcome
    assert found.assessment.score == changed.prediction.score
    assert found.assessment.grade == changed.prediction.grade
    assert found.assessment.horizon_months == changed.prediction.horizon_months
    assert (found.outcome.outcome, found.outcome.trace, found.outcome.terms) == (said.outcome, said.trace, said.terms)


@pytest.mark.parametrize("role", ["officer", "approver", "analyst"])
def test_a_try_leaves_no_trace(role):
    request = make_scored(GREY)
    user, before = make_user(role, make_branch() if role != "analyst" else None), traces()
    response = tried(request, user, 10_000_000, 24)
    content = response.content.decode()
    assert response.status_code == 200
    assert "A try: nothing is saved, logged or decided." in content
    assert ("Use these terms" in content) is (role == "officer")
    assert traces() == before
    assert (read(request).version, read(request).requested_amount) == (1, 30_000_000)


def test_a_try_is_a_page_of_its_own_and_a_fragment(officer):
    request = make_scored(GREY)
    page = tried(request, officer, 10_000_000, 24).content.decode()
    fragment = tried(request, officer, 10_000_000, 24, **{"HX-Request": "true"}).content.decode()
    assert page.startswith("<!doctype html>")
    assert not fragment.lstrip().startswith("<!doctype html>")
    assert 'id="trial-result"' in page
    assert 'id="trial-result"' in fragment


@pytest.mark.parametrize(
    ("amount", "term_months", "words"),
    [
        (999_999, 24, "allows 1000000 to 100000000"),
        (30_000_000, 61, "allows 3 to 60"),
        ("", 24, "Give a whole number."),
        ("lots", 24, "Give a whole number."),
        (30_000_000, 0, "At least 1 is allowed."),
    ],
)
def test_terms_that_the_product_has_not_are_refused(officer, amount, term_months, words):
    request, before = make_scored(GREY), None
    before = traces()
    response = tried(request, officer, amount, term_months)
    assert (response.status_code, words in response.content.decode()) == (400, True)
    assert traces() == before


def test_a_decided_request_offers_no_change_of_terms(officer):
    request = make_scored(BAD)
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    assert "Use these terms" not in tried(request, officer, 10_000_000, 24).content.decode()
    assert "What would change the outcome" not in page_of(request, officer)


def page_of(request, user):
    return signed_in(user).get(f"/requests/{request.id}/").content.decode()


def test_auditors_do_not_try():
    request = make_scored()
    auditor = make_user("auditor")
    assert tried(request, auditor, 10_000_000, 24).status_code == 403
    assert "data-trial" not in page_of(request, auditor)


def test_the_sliders_end_where_the_product_does(officer):
    page = page_of(make_scored(), officer)
    assert 'name="amount" type="number" inputmode="numeric" min="1000000" max="100000000"' in page
    assert 'name="term_months" type="number" inputmode="numeric" min="3" max="60"' in page


def test_the_smallest_changes_are_those_of_the_letter(officer):
    """Found before the decision, they are what its letter would tell after it."""
    request = make_scored(BAD, requested_amount=60_000_000)
    before = find_alternatives_now(request, evaluate(request, timezone.now()))
    decision = decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    assert decision.outcome == "decline"
    assert before == find_alternatives(decision, policy_of(decision.policy))


def test_each_of_the_smallest_changes_can_be_tried(officer):
    request = make_scored(GREY)
    found = find_alternatives_now(request, evaluate(request, timezone.now()))
    response = signed_in(officer).get(f"/requests/{request.id}/alternatives/")
    content = response.content.decode()
    assert response.status_code == 200
    for each in found:
        assert f'name="amount" value="{each.amount}"' in content
        answer = try_terms(credit_request=request, amount=each.amount, term_months=each.term_months, now=timezone.now())
        assert answer.outcome.policy_outcome == "approve"
    assert ("No other amount or term" in content) is (found == [])
