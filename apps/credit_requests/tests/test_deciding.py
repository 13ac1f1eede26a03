"""The policy decides of a request, or people are asked to: what is recorded, and what a refusal leaves: nothing."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps import policies
from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.errors import Conflict, DomainError, InvalidInput, NotPermitted
from apps.companies.tests.factories import make_company
from apps.credit_requests.deciding import decide_by_policy, refer_request, review_request
from apps.credit_requests.decision_presentation import render_reasons
from apps.credit_requests.history import history_of
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import (
    BAD,
    GOOD,
    GREY,
    TEXT,
    answer_register,
    make_scored,
    policy_row,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import change_debt, make_officer, make_product, make_request
from apps.individuals.tests.factories import make_individual
from apps.policies.documents import read_policy
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import put_in_service
from apps.webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


def decided(request, actor=None, now=None):
    return decide_by_policy(credit_request=request, version=request.version, actor=actor, now=now or timezone.now())


def told(request):
    request = read(request)
    return request.status, request.version, request.decisions.count(), request.prediction_id


def refused(error, act, request, match=None):
    before = told(request), AuditEvent.objects.count(), PredictionLog.objects.count()
    with pytest.raises(error, match=match):
        act()
    assert (told(request), AuditEvent.objects.count(), PredictionLog.objects.count()) == before


# --- The policy speaks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "options", "outcome", "status", "reasons"),
    [
        (GOOD, {}, "approve", "approved", []),
        (GREY, {}, "refer", "referred", ["score_grey"]),
        (BAD, {}, "decline", "rejected", ["score_too_low"]),
        (GOOD, {"banned": True}, "decline", "rejected", ["self_banned"]),
        (GOOD, {"banned": None}, "refer", "referred", ["self_banned"]),
        (GOOD, {"monthly_debt_payments": 4_000_000}, "decline", "rejected", ["debt_service_over_limit"]),
        (
            BAD,
            {"monthly_debt_payments": 4_000_000},
            "decline",
            "rejected",
            ["debt_service_over_limit", "score_too_low"],
        ),
        (GREY, {"banned": True}, "decline", "rejected", ["self_banned"]),
    ],
)
def test_the_most_severe_rule_wins_and_moves_the_request(score, options, outcome, status, reasons):
    policy, request, officer = put_policy_in_force(), make_scored(score, **options), make_officer()
    decision = decided(request, officer)
    stored = read(request)
    assert (decision.outcome, decision.policy_outcome, stored.status, stored.version) == (outcome, outcome, status, 2)
    assert decision.reasons == reasons
    assert (decision.kind, decision.number, decision.policy, decision.made_by) == ("policy", 1, policy, officer)
    assert (decision.prediction_id, decision.is_barred, decision.direction) == (request.prediction_id, False, "")


def test_a_decision_keeps_its_terms_its_trace_and_its_records():
    put_policy_in_force()
    request = make_scored(GOOD)
    decision = Decision.objects.get(id=decided(request).id)
    terms = (decision.amount, decision.term_months, decision.annual_rate_basis_points, decision.instalment)
    # 30,000,000 * r / (1 - (1 + r) ** -24) with r = 0.26 / 12, rounded up
    assert terms == (30_000_000, 24, 2_600, 1_616_238)
    trace = {step["code"]: step for step in decision.opened()["trace"]}
    assert (trace["self_banned"]["fired"], trace["self_banned"]["outcome"]) == (False, "approve")
    assert trace["debt_service_over_limit"]["values"]["debt_service"] == pytest.approx(0.3116238)
    assert [(record["source"], record["origin"], record["is_stale"]) for record in decision.records] == [
        ("kadastr", "mock", False),
        ("soliq", "mock", False),
    ]
    ids = {str(record.id): str(record.current_id) for record in request.external_records.all()}
    assert {record["record"]: record["version"] for record in decision.records} == ids


def test_the_history_tells_when_it_was_and_not_when_it_was_recorded():
    came = timezone.now() - timedelta(days=9)
    put_policy_in_force()
    request = make_request(now=came)
    decision = decided(request, now=came + timedelta(hours=3))
    steps = [(step["step"], step["at"]) for step in history_of(request, "en")]
    assert steps == [("create", came), ("score", came), ("decide", came + timedelta(hours=3))]
    assert decision.created_at == came + timedelta(hours=3)


def test_a_cap_offers_less():
    put_policy_in_force()
    decision = decided(make_scored(GOOD, requested_amount=41_000_000))
    assert (decision.outcome, decision.amount, decision.term_months) == ("approve", 40_000_000, 24)


def test_the_audit_event_names_the_decision_and_nothing_personal():
    policy, officer = put_policy_in_force(), make_officer()
    request = make_scored(GOOD)
    decision = decided(request, officer)
    event = AuditEvent.objects.get(action="credit_request.decide")
    assert (event.actor, event.subject_id) == (officer, str(request.id))
    assert event.details == {
        "version": 2,
        "from": "pending",
        "to": "approved",
        "decision": str(decision.id),
        "outcome": "approve",
        "policy": str(policy),
    }


@pytest.mark.parametrize(("score", "kind"), [(GOOD, "decided"), (BAD, "decided"), (GREY, "referred")])
def test_the_lenders_other_systems_are_told_by_ids_alone(score, kind):
    put_policy_in_force()
    request = make_scored(score)
    decision = decided(request)
    event = WebhookEvent.objects.get()
    assert (event.type, event.occurred_at) == (f"credit_request.{kind}", decision.created_at)
    assert event.payload == {
        "credit_request": str(request.id),
        "decision": str(decision.id),
        "kind": "policy",
        "outcome": decision.outcome,
        "status": read(request).status,
    }


def test_a_cap_that_leaves_less_than_the_product_offers_is_left_to_people():
    put_policy_in_force(TEXT.replace("4 * monthly_income", "2 * monthly_income"))
    request = make_scored(GOOD, product=make_product(least_amount=25_000_000))
    decision = decided(request)
    assert (decision.outcome, decision.policy_outcome, decision.reasons) == ("refer", "approve", ["cap_of_f"])
    assert decision.amount == 20_000_000


def test_inputs_that_changed_are_scored_before_the_policy_speaks():
    put_policy_in_force()
    request = make_scored(GOOD)
    person = request.individual
    change_debt(request, 70_000_000)
    decision = decided(request)
    stored = read(request)
    assert stored.prediction_id == decision.prediction_id != request.prediction_id
    assert stored.prediction.cause == f"decide:{request.prediction_id}"
    assert stored.prediction.opened()["facts"]["existing_debt"] == 70_000_000
    assert person.id == stored.individual_id


def test_a_decision_is_of_the_policy_in_force_that_day():
    put_policy_in_force()
    later = policy_row(TEXT.replace("below = 440", "below = 520"), valid_from=timezone.now().date() + timedelta(days=9))
    request = make_scored(GOOD)
    assert decided(request).policy != later


def test_no_policy_in_force_decides_nothing():
    put_in_service(small_card(), on_own_data=True)
    request = make_scored(GOOD)
    refused(Conflict, lambda: decided(request), request, "No policy for the segment individual is in force")


def test_a_stale_version_decides_nothing():
    put_policy_in_force()
    request = make_scored(GOOD)
    request.version = 7
    refused(Conflict, lambda: decided(request), request, "no longer current")


def test_what_is_decided_or_withdrawn_is_not_decided_by_the_policy_again():
    put_policy_in_force()
    request = make_scored(GOOD)
    decided(request)
    again = read(request)
    refused(Conflict, lambda: decided(again), again, "The request is approved")
    withdraw_credit_request(credit_request=again, version=2, actor=None)
    gone = read(request)
    refused(Conflict, lambda: decided(gone), gone, "The request is withdrawn")


@pytest.mark.parametrize("role", ["approver", "analyst", "auditor", "administrator"])
def test_only_officers_ask_the_policy(role):
    put_policy_in_force()
    request, user = make_scored(GOOD), make_user(role)
    refused(NotPermitted, lambda: decided(request, user), request)


def test_neither_another_branch_nor_a_linked_officer_asks_the_policy():
    put_policy_in_force()
    request, linked, stranger = make_scored(GOOD), make_officer(), make_officer("other")
    declare_staff_link(user=linked, applicant=request.individual, relation="self", actor=linked, now=timezone.now())
    refused(NotPermitted, lambda: decided(request, stranger), request, "another branch")
    refused(NotPermitted, lambda: decided(request, linked), request, "linked to the applicant")


def test_a_service_account_asks_the_policy_but_refers_and_reviews_nothing():
    put_policy_in_force()
    service = make_officer()
    User.objects.filter(id=service.id).update(kind="service")
    service.refresh_from_db()
    first, second = make_scored(GOOD), make_scored(GOOD)
    assert decided(first, service).outcome == "approve"
    refused(NotPermitted, lambda: referred(second, service), second, "a person has to")
    approved = read(first)
    refused(NotPermitted, lambda: reviewed(approved, service), approved, "a person has to")


# --- People ask people ----------------------------------------------------------------------------------------


def referred(request, actor, comment="I know the family"):
    return refer_request(
        credit_request=request, version=request.version, comment=comment, actor=actor, now=timezone.now()
    )


def reviewed(request, actor, reason="A new salary slip"):
    return review_request(
        credit_request=request, version=request.version, reason=reason, actor=actor, now=timezone.now()
    )


def test_an_officer_refers_a_pending_request_and_says_why():
    request, officer = make_request(), make_officer()
    decision = referred(request, officer)
    assert (decision.kind, decision.outcome, decision.policy, decision.made_by) == ("referral", "refer", None, officer)
    assert (decision.amount, decision.opened()["comment"]) == (None, "I know the family")
    assert told(request)[:3] == ("referred", 2, 1)
    assert AuditEvent.objects.get(action="credit_request.refer").details["decision"] == str(decision.id)


@pytest.mark.parametrize("role", ["officer", "approver"])
@pytest.mark.parametrize(("score", "status"), [(GOOD, "approved"), (BAD, "rejected")])
def test_what_was_decided_goes_back_to_people(role, score, status):
    put_policy_in_force()
    request = make_scored(score)
    decided(request)
    assert read(request).status == status
    decision = reviewed(read(request), make_user(role, make_branch()))
    assert (decision.kind, decision.outcome, decision.number) == ("review", "refer", 2)
    assert told(request)[:3] == ("referred", 3, 2)


@pytest.mark.parametrize("silent", ["", "   "])
def test_nobody_refers_or_reviews_without_a_word(silent):
    put_policy_in_force()
    request, officer = make_scored(GOOD), make_officer()
    refused(InvalidInput, lambda: referred(request, officer, silent), request, "comment")
    decided(request)
    approved = read(request)
    refused(InvalidInput, lambda: reviewed(approved, officer, silent), approved, "reason")


def test_moves_that_the_table_has_not_are_refused():
    put_policy_in_force()
    request, officer, approver = make_scored(GREY), make_officer(), make_user("approver")
    refused(NotPermitted, lambda: referred(request, approver), request)
    refused(Conflict, lambda: reviewed(request, officer), request)
    decided(request)
    waiting = read(request)
    for act in (referred, reviewed):
        refused(DomainError, lambda act=act: act(waiting, officer), waiting)
    assert CreditRequest.objects.get(id=request.id).status == "referred"


# --- What the assessment may not decide -----------------------------------------------------------------------


def test_a_demonstration_never_decides_but_a_knock_out_still_does():
    policy_row(TEXT)  # the shipped card is in service
    good = make_scored(GOOD)
    decision = decided(good)
    assert (decision.outcome, decision.is_barred, decision.reasons) == ("refer", True, ["bar:demonstration"])
    banned = make_scored(GOOD, banned=True)
    decision = decided(banned)
    assert (decision.outcome, decision.is_barred, decision.has_fired_knockout) == ("decline", True, True)
    assert decision.reasons == ["self_banned"]


@pytest.mark.parametrize("name", ["uz_individual", "neutral", "uz_company", "neutral_company"])
def test_the_shipped_policies_decide_of_stored_requests(name):
    text = (Path(policies.__file__).with_name("defaults") / f"{name}.toml").read_text(encoding="utf-8")
    segment = "company" if name.endswith("company") else "individual"
    currency = read_policy(text).currency
    policy = policy_row(text, segment=segment)
    applicant = {"individual": make_individual, "company": make_company}[segment](make_branch(), currency=currency)
    purpose = {"individual": "car", "company": "working_capital"}[segment]
    request = make_request(applicant, make_product(currency=currency), purpose=purpose)
    answer_register(request, False)
    work_due_jobs()
    decision = decided(read(request))
    assert (decision.policy, decision.outcome, decision.is_barred) == (policy, "refer", True)
    assert "bar:demonstration" in decision.reasons
    assert decision.expected_loss > 0
    for language in ("uz", "ru", "en"):
        assert all(reason["text"] for reason in render_reasons(decision, language))


def test_a_record_that_has_not_come_leaves_the_decision_to_people():
    put_policy_in_force()
    request = make_request(make_individual(make_branch(), credit_history_score=GOOD))
    answer_register(request, False)
    decision = decided(request)
    assert (decision.outcome, decision.policy_outcome) == ("refer", "approve")
    assert decision.reasons == ["bar:source_down"]
