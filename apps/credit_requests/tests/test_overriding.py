"""People decide, at once or by two: which needs which, what cannot be overruled, and that a refusal leaves nothing."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput, NotPermitted
from apps.credit_requests.deciding import decide_by_policy, refer_request, review_request
from apps.credit_requests.models import Decision, Override
from apps.credit_requests.overriding import confirm_override, decide_by_person, expire_overrides, refuse_override
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import (
    BAD,
    GOOD,
    GREY,
    TEXT,
    answer_register,
    make_approver,
    make_scored,
    policy_row,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import change_debt, make_officer, make_product
from apps.scoring_engine.models import PredictionLog
from tasks import tasks

pytestmark = pytest.mark.django_db
MUCH = 38_000_000  # above second_person_above of the policy


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


def make_referred(score=GREY, **options):
    """Referred, by the policy or by an officer, whatever the policy says of it."""
    request = make_scored(score, **options)
    refer_request(credit_request=request, version=1, comment="look", actor=make_officer(), now=timezone.now())
    return read(request)


def judged(request, actor, outcome="approve", **changes):
    given = {
        "version": request.version,
        "prediction_id": request.prediction_id,
        "terms": None,
        "reason_code": "",
        "comment": "I saw the papers",
        "now": timezone.now(),
    } | changes
    return decide_by_person(credit_request=request, outcome=outcome, actor=actor, **given)


def confirmed(override, actor, comment="Agreed", now=None):
    return confirm_override(override=override, comment=comment, actor=actor, now=now or timezone.now())


def counted(request):
    request = read(request)
    models = (Decision, Override, PredictionLog)
    states = list(Override.objects.order_by("requested_at").values_list("state", flat=True))
    events = AuditEvent.objects.exclude(action__startswith="user.").count()
    return [
        request.status,
        request.version,
        request.prediction_id,
        states,
        events,
        *(m.objects.count() for m in models),
    ]


def refused(error, match, act, request):
    before = counted(request)
    with pytest.raises(error, match=match):
        act()
    assert counted(request) == before


# --- One person -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_officer, make_approver])
@pytest.mark.parametrize(("outcome", "status"), [("approve", "approved"), ("decline", "rejected")])
def test_what_the_policy_refers_one_person_decides(policy, make, outcome, status):
    request, person = make_referred(), make()
    decision = judged(request, person, outcome)
    assert (decision.kind, decision.outcome, decision.policy_outcome) == ("person", outcome, "refer")
    assert (decision.direction, decision.override, decision.made_by, decision.checked_by) == ("", None, person, None)
    assert (decision.policy, decision.prediction_id) == (policy, request.prediction_id)
    assert decision.opened()["comment"] == "I saw the papers"
    assert (read(request).status, read(request).version) == (status, 3)
    assert AuditEvent.objects.get(action=f"credit_request.{outcome}").actor == person


def test_an_approval_has_the_terms_of_the_policy_and_a_decline_its_rules(officer):
    decision = judged(make_referred(), officer)
    assert (decision.amount, decision.term_months, decision.annual_rate_basis_points) == (30_000_000, 24, 2_600)
    assert (decision.instalment, decision.reasons) == (1_616_238, [])
    decision = judged(make_referred(), officer, "decline")
    assert (decision.amount, decision.reasons) == (None, ["score_grey"])


def test_less_may_be_offered_and_the_policy_is_asked_about_that(officer):
    decision = judged(make_referred(), officer, terms={"amount": 20_000_000, "term_months": 12})
    assert (decision.amount, decision.term_months) == (20_000_000, 12)
    trace = {step["code"]: step for step in decision.opened()["trace"]}
    # (1,500,000 + 20,000,000 over 12 months at 26 %) / 10,000,000
    assert trace["debt_service_over_limit"]["values"]["debt_service"] == pytest.approx(0.3410603)


@pytest.mark.parametrize(
    ("terms", "field", "allowed"),
    [
        ({"amount": 30_000_001}, "terms.amount", "1000000 to 30000000"),
        ({"amount": 999_999}, "terms.amount", "1000000 to 30000000"),
        ({"term_months": 25}, "terms.term_months", "3 to 24"),
        ({"term_months": 2}, "terms.term_months", "3 to 24"),
    ],
)
def test_more_than_was_asked_for_or_less_than_the_product_is_refused(officer, terms, field, allowed):
    request = make_referred()
    refused(InvalidInput, f"{field}|cannot be offered", lambda: judged(request, officer, terms=terms), request)
    with pytest.raises(InvalidInput) as error:
        judged(request, officer, terms=terms)
    assert [(each.field, allowed in each.message) for each in error.value.errors] == [(field, True)]


def test_what_the_policy_caps_is_not_exceeded(officer):
    request = make_referred(GOOD, requested_amount=41_000_000)
    refused(InvalidInput, "does not offer", lambda: judged(request, officer, terms={"amount": 40_500_000}), request)
    override = judged(request, officer)
    assert (override.amount, override.second_person_for) == (40_000_000, ["amount"])


def test_what_is_left_below_the_product_is_not_approved(officer):
    policy_row(TEXT.replace("4 * monthly_income", "2 * monthly_income"))
    request = make_referred(GOOD, product=make_product(least_amount=25_000_000))
    refused(Conflict, "starts with 25000000", lambda: judged(request, officer), request)
    assert judged(request, officer, "decline", reason_code="conduct").outcome == "decline"


# --- Against the policy ---------------------------------------------------------------------------------------


def test_a_small_low_side_override_is_decided_by_one_who_says_why(officer):
    request = make_referred(BAD)
    decision = judged(request, officer, reason_code="collateral")
    override = Override.objects.get()
    assert (decision.direction, decision.policy_outcome, decision.reason_code) == ("low_side", "decline", "collateral")
    assert (override.state, override.needs_second_person, override.closed_by) == ("confirmed", False, None)
    assert (decision.override, decision.checked_by, read(request).status) == (override, None, "approved")


def test_a_high_side_override_declines_what_the_policy_approves(officer):
    request = make_scored(GOOD)
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    review_request(credit_request=request, version=2, reason="news", actor=officer, now=timezone.now())
    decision = judged(read(request), officer, "decline", reason_code="adverse_news")
    assert (decision.direction, decision.policy_outcome, decision.outcome) == ("high_side", "approve", "decline")
    assert (read(request).status, decision.number) == ("rejected", 3)


@pytest.mark.parametrize(
    ("score", "outcome", "code"),
    [
        (BAD, "approve", ""),
        (BAD, "approve", "adverse_news"),
        (BAD, "approve", "because"),
        (GOOD, "decline", ""),
        (GOOD, "decline", "collateral"),
        (GREY, "approve", "because"),
    ],
)
def test_a_reason_that_the_policy_has_not_is_refused(officer, score, outcome, code):
    request = make_referred(score)
    refused(InvalidInput, "reason_code", lambda: judged(request, officer, outcome, reason_code=code), request)


def test_nobody_decides_without_a_word(officer):
    request = make_referred()
    refused(InvalidInput, "comment", lambda: judged(request, officer, comment="  "), request)


# --- Two people -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "outcome", "code", "why", "direction"),
    [
        (GREY, "approve", "", ["amount"], ""),
        (GREY, "decline", "conduct", ["amount"], ""),
        (BAD, "approve", "verified_income", ["override"], "low_side"),
        (GOOD, "decline", "conduct", ["override"], "high_side"),
    ],
)
def test_above_the_amount_it_waits_for_a_second_person(officer, score, outcome, code, why, direction):
    request, approver = make_referred(score, requested_amount=MUCH), make_approver()
    now = timezone.now()
    override = judged(request, officer, outcome, reason_code=code, now=now)
    assert (override.state, override.second_person_for, override.direction) == ("waiting", why, direction)
    assert (override.amount, override.requested_by, override.expires_at) == (MUCH, officer, now + timedelta(days=14))
    assert (read(request).status, read(request).version, request.decisions.count()) == ("referred", 3, 1)
    decision = confirmed(override, approver)
    override.refresh_from_db()
    assert (decision.made_by, decision.checked_by, decision.override) == (officer, approver, override)
    assert (decision.outcome, decision.direction, decision.reason_code) == (outcome, direction, code)
    assert (override.state, override.closed_by, override.closing_comment()) == ("confirmed", approver, "Agreed")
    assert read(request).status == {"approve": "approved", "decline": "rejected"}[outcome]
    assert AuditEvent.objects.get(action=f"credit_request.{outcome}").actor == approver


def test_a_knock_out_that_may_be_overruled_takes_two_whatever_the_amount(officer):
    bureau = {"source": "b", "observed_at": "2026-01-15", "delinquencies_24m": 3, "oldest_account_date": "2012-06-01"}
    request = make_referred(GOOD, bureau=bureau, requested_amount=10_000_000)
    override = judged(request, officer, reason_code="verified_income")
    assert (override.state, override.second_person_for, override.direction) == ("waiting", ["knockout"], "low_side")
    decision = confirmed(override, make_approver())
    assert (decision.outcome, decision.has_fired_knockout) == ("approve", True)


@pytest.mark.parametrize(
    ("options", "rule"),
    [({"banned": True}, "self_banned"), ({"monthly_debt_payments": 4_000_000}, "debt_service_over_limit")],
)
def test_what_nobody_may_overrule_nobody_approves_but_declines(officer, options, rule):
    request = make_referred(GOOD, **options)
    act = lambda: judged(request, officer, reason_code="collateral")  # noqa: E731
    refused(Conflict, f"The rule {rule} .* nobody may overrule it", act, request)
    assert judged(request, officer, "decline").reasons == [rule]


def test_a_register_that_was_not_asked_is_asked_before_anybody_approves(officer):
    request = make_referred(banned=None)
    refused(Conflict, "self_banned cannot be judged", lambda: judged(request, officer), request)
    answer_register(request, False)
    assert judged(request, officer).outcome == "approve"


def test_shorter_terms_that_break_a_limit_are_not_offered(officer):
    request = make_referred(monthly_debt_payments=3_200_000)
    # 1,616,238 a month over 24 months is within the half of income, 2,866,000 over 12 is not
    terms = {"term_months": 12}
    refused(Conflict, "debt_service_over_limit", lambda: judged(request, officer, terms=terms), request)
    assert judged(request, officer).outcome == "approve"


# --- The second person ----------------------------------------------------------------------------------------


@pytest.fixture
def waiting(officer):
    return judged(make_referred(BAD, requested_amount=MUCH), officer, reason_code="collateral")


def test_who_confirms_is_an_approver_of_the_branch_who_did_not_ask_and_is_not_linked(waiting, officer):
    request, linked = waiting.credit_request, make_approver()
    declare_staff_link(user=linked, applicant=request.individual, relation="other", actor=linked, now=timezone.now())
    for user, match in (
        (officer, "an approver has to"),
        (make_officer(), "an approver has to"),
        (make_user("auditor"), "an approver has to"),
        (make_approver("other"), "another branch"),
        (linked, "linked to the applicant"),
    ):
        refused(NotPermitted, match, lambda user=user: confirmed(waiting, user), request)
        refuse = lambda user=user: refuse_override(override=waiting, comment="No", actor=user, now=timezone.now())  # noqa: E731
        refused(NotPermitted, match, refuse, request)


def test_an_approver_who_asked_does_not_confirm():
    approver = make_approver()
    override = judged(make_referred(BAD, requested_amount=MUCH), approver, reason_code="collateral")
    refused(NotPermitted, "somebody other", lambda: confirmed(override, approver), override.credit_request)
    assert confirmed(override, make_approver()).made_by == approver


def test_an_override_that_is_refused_leaves_the_request_to_people(waiting, officer):
    approver, request = make_approver(), waiting.credit_request
    override = refuse_override(override=waiting, comment="Not enough", actor=approver, now=timezone.now())
    assert (override.state, override.closed_by, override.closing_comment()) == ("refused", approver, "Not enough")
    assert (read(request).status, read(request).version) == ("referred", 4)
    refused(Conflict, "The override is refused", lambda: confirmed(waiting, approver), request)
    assert judged(read(request), officer, reason_code="collateral").state == "waiting"


def test_while_one_waits_nobody_else_decides(waiting):
    request = read(waiting.credit_request)
    act = lambda: judged(request, make_approver(), "decline")  # noqa: E731
    refused(Conflict, "waits for its second person", act, request)


def test_what_nobody_confirms_in_time_expires(waiting, officer):
    late = waiting.expires_at + timedelta(seconds=1)
    request = waiting.credit_request
    assert expire_overrides(waiting.expires_at) == {"expired": 0}
    refused(Conflict, "past its time", lambda: confirmed(waiting, make_approver(), now=late), request)
    assert expire_overrides(late) == {"expired": 1}
    waiting.refresh_from_db()
    assert (waiting.state, waiting.closed_by, waiting.closed_at) == ("expired", None, late)
    assert AuditEvent.objects.get(action="override.expire").actor is None
    assert tasks.expire_overrides() == {"expired": 0}
    refused(Conflict, "The override is expired", lambda: confirmed(waiting, make_approver()), request)


def test_one_past_its_time_is_in_nobodys_way(waiting, officer):
    request, late = read(waiting.credit_request), waiting.expires_at + timedelta(seconds=1)
    answer_register(request, False, now=late)
    later = judged(request, officer, reason_code="collateral", now=late)
    waiting.refresh_from_db()
    assert (waiting.state, later.state) == ("expired", "waiting")


def test_what_changed_since_is_not_confirmed(waiting):
    request = waiting.credit_request
    change_debt(request, 90_000_000)
    refused(Conflict, "no longer current", lambda: confirmed(waiting, make_approver()), request)


def test_a_policy_that_says_otherwise_since_is_not_confirmed(waiting):
    policy_row(TEXT.replace("below = 440", "below = 400").replace("from = 440", "from = 400"))
    refused(Conflict, "now says refer", lambda: confirmed(waiting, make_approver()), waiting.credit_request)


def test_a_ban_that_came_to_light_since_is_not_confirmed(waiting):
    answer_register(waiting.credit_request, True)
    refused(Conflict, "self_banned", lambda: confirmed(waiting, make_approver()), waiting.credit_request)


def test_who_left_decides_nothing_any_more(waiting, officer):
    User.objects.filter(id=officer.id).update(is_active=False)
    act = lambda: confirmed(Override.objects.get(id=waiting.id), make_approver())  # noqa: E731
    refused(Conflict, "no longer", act, waiting.credit_request)


def test_a_withdrawal_closes_what_waits(waiting):
    request = read(waiting.credit_request)
    withdraw_credit_request(credit_request=request, version=request.version, actor=None)
    waiting.refresh_from_db()
    assert waiting.state == "expired"
    refused(Conflict, "The override is expired", lambda: confirmed(waiting, make_approver()), request)


# --- Who and what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["analyst", "auditor", "administrator"])
def test_other_roles_decide_nothing(role):
    request = make_referred()
    refused(NotPermitted, role, lambda: judged(request, make_user(role, make_branch())), request)


def test_neither_another_branch_nor_the_linked_nor_a_service_account_decides(officer):
    request, linked, service = make_referred(), make_approver(), make_officer()
    declare_staff_link(user=linked, applicant=request.individual, relation="self", actor=linked, now=timezone.now())
    service.kind = "service"
    service.save()
    for user, match in (
        (make_officer("other"), "another branch"),
        (linked, "linked to the applicant"),
        (service, "a person has to"),
    ):
        refused(NotPermitted, match, lambda user=user: judged(request, user), request)


def test_only_what_was_looked_at_is_decided(officer):
    request = make_referred()
    refused(Conflict, "no longer current", lambda: judged(request, officer, prediction_id=uuid.uuid4()), request)
    refused(Conflict, "version 1 is no longer", lambda: judged(request, officer, version=1), request)
    change_debt(request, 90_000_000)
    refused(Conflict, "Ask for a rescoring", lambda: judged(request, officer), request)


@pytest.mark.parametrize("outcome", ["approve", "decline"])
def test_people_decide_only_what_is_referred(officer, outcome):
    request = make_scored(GOOD)
    refused(Conflict, "The request is pending", lambda: judged(request, officer, outcome), request)
    withdraw_credit_request(credit_request=request, version=1, actor=None)
    gone = read(request)
    refused(Conflict, "The request is withdrawn", lambda: judged(gone, officer, outcome), gone)
