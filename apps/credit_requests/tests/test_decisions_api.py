"""Decisions over the API: exact outcomes, who may, what is refused, and that a refusal leaves nothing."""

import json

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.credit_requests.history import history_texts
from apps.credit_requests.models import CreditRequest, Decision, Override, RegisterAnswer
from apps.credit_requests.tests.deciders import (
    BAD,
    GOOD,
    GREY,
    make_approver,
    make_scored,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.models import PredictionLog
from tests.journeys.test_hostile_bodies import BODIES as HOSTILE

pytestmark = pytest.mark.django_db
LIST = "/api/credit-requests/"
OVERRIDES = "/api/overrides/"
NOBODY = "00000000-0000-4000-8000-000000000000"
MUCH = 38_000_000
READERS = ("officer", "approver", "analyst", "auditor")
ROLES = (*READERS, "administrator")


@pytest.fixture
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return client_for(make_officer())


@pytest.fixture
def approver():
    return client_for(make_approver())


def at(request, action):
    return f"{LIST}{request.id}/{action}/"


def counted():
    models = (Decision, Override, RegisterAnswer, PredictionLog, AuditEvent)
    rows = CreditRequest.objects.order_by("id").values_list("id", "status", "version", "prediction_id")
    return [list(rows), list(Override.objects.values_list("state", flat=True)), *(m.objects.count() for m in models)]


def seen(request, **body):
    """What a person sends who has read the request."""
    stored = read(request)
    return {"version": stored.version, "prediction": str(stored.prediction_id), "comment": "I saw the papers"} | body


def referred(officer, score=GREY, **options):
    request = make_scored(score, **options)
    assert officer.post(at(request, "refer"), {"version": 1, "comment": "look"}).status_code == 200
    return request


def waiting(officer, **body):
    request = referred(officer, BAD, requested_amount=MUCH)
    response = officer.post(at(request, "approve"), seen(request, reason_code="collateral", **body))
    assert response.status_code == 202, response.json()
    return response.json()


def refused(response, status, *fields):
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json"), response.json()
    assert tuple(problem["field"] for problem in response.json()["errors"]) == fields
    return response.json()["detail"]


# --- The policy speaks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "status", "outcome", "reasons"),
    [
        (GOOD, "approved", "approve", []),
        (GREY, "referred", "refer", [{"code": "score_grey", "text": "The score is 485."}]),
        (BAD, "rejected", "decline", [{"code": "score_too_low", "text": "The score is 435."}]),
    ],
)
def test_the_policy_decides_and_the_reply_shows_it(policy, officer, score, status, outcome, reasons):
    request = make_scored(score)
    response = officer.post(at(request, "decide"), {"version": 1})
    assert response.status_code == 200, response.json()
    body = response.json()
    stored = Decision.objects.get()
    terms = {"amount": 30_000_000, "term_months": 24, "annual_rate_basis_points": 2_600, "instalment": 1_616_238}
    assert (body["status"], body["version"]) == (status, 2)
    assert body["decision"] == {
        "id": str(stored.id),
        "number": 1,
        "kind": "policy",
        "outcome": outcome,
        "rests_on_mock": True,
        "terms": None if outcome == "decline" else terms,
        "reasons": reasons,
    }
    assert officer.get(f"{LIST}{request.id}/").json() == body


def test_before_a_decision_there_is_none(officer):
    assert officer.get(f"{LIST}{make_request().id}/").json()["decision"] is None


def test_what_the_policy_would_say_stores_nothing(policy):
    client, request = client_for(make_user("auditor")), make_scored(BAD)
    before = counted()
    body = client.get(at(request, "policy") + "?language=ru").json()
    assert counted() == before
    assert body["policy"] == {"id": str(policy.id), "code": policy.code, "version": policy.version}
    assert (body["outcome"], body["policy_outcome"], body["bars"]) == ("decline", "decline", [])
    assert body["reasons"] == [{"code": "score_too_low", "text": "Балл 435."}]
    assert (body["prediction"], body["terms"]["amount"]) == (str(request.prediction_id), 30_000_000)
    steps = {step["code"]: step for step in body["trace"]}
    assert (steps["self_banned"]["fired"], steps["score_too_low"]["fired"]) == (False, True)
    assert {"name": "score", "value": 435} in steps["score_too_low"]["values"]
    assert len(body["records"]) == 2


def test_without_a_policy_in_force_nothing_is_decided(officer):
    request = make_scored(GOOD)
    before = counted()
    assert "No policy" in refused(officer.post(at(request, "decide"), {"version": 1}), 409)
    assert "No policy" in refused(officer.get(at(request, "policy")), 409)
    assert counted() == before


# --- People speak ---------------------------------------------------------------------------------------------


def test_a_person_decides_what_was_referred(policy, officer, approver):
    request = referred(officer)
    response = approver.post(at(request, "approve"), seen(request, terms={"amount": 20_000_000}))
    assert (response.status_code, response.json()["status"]) == (200, "approved")
    decision = response.json()["decision"]
    assert (decision["kind"], decision["number"], decision["terms"]["amount"]) == ("person", 2, 20_000_000)


def test_a_review_sends_back_to_people(policy, officer):
    request = make_scored(GOOD)
    officer.post(at(request, "decide"), {"version": 1})
    response = officer.post(at(request, "review"), {"version": 2, "reason": "News in the paper"})
    assert (response.status_code, response.json()["status"]) == (200, "referred")
    response = officer.post(at(request, "decline"), seen(request, reason_code="adverse_news"))
    assert (response.status_code, response.json()["status"]) == (200, "rejected")


def test_an_offer_that_is_not_taken_is_withdrawn(policy, officer):
    request = make_scored(GOOD)
    officer.post(at(request, "decide"), {"version": 1})
    assert officer.post(at(request, "withdraw"), {"version": 2}).json()["status"] == "withdrawn"
    before = counted()
    for action, body in (
        ("decide", {"version": 3}),
        ("refer", {"version": 3, "comment": "x"}),
        ("review", {"version": 3, "reason": "x"}),
        ("approve", seen(request)),
        ("decline", seen(request)),
        ("register-answers", {"register": "self_ban", "is_listed": True}),
    ):
        refused(officer.post(at(request, action), body), 409)
    assert counted() == before


def test_two_decide_above_the_amount(policy, officer):
    user = make_approver()
    override = waiting(officer)
    assert {name: override[name] for name in ("state", "outcome", "direction", "reason_code", "second_person_for")} == {
        "state": "waiting",
        "outcome": "approve",
        "direction": "low_side",
        "reason_code": "collateral",
        "second_person_for": ["override"],
    }
    assert override["terms"] == {"amount": MUCH, "term_months": 24, "annual_rate_basis_points": 2_600}
    queue = client_for(user).get(f"{OVERRIDES}?state=waiting").json()["results"]
    assert queue == [override]
    response = client_for(user).post(f"{OVERRIDES}{override['id']}/confirm/", {"comment": "Agreed"})
    assert (response.status_code, response.json()["status"]) == (200, "approved")
    closed = officer.get(f"{OVERRIDES}{override['id']}/").json()
    assert (closed["state"], closed["closed_by"], closed["closing_comment"]) == ("confirmed", user.id, "Agreed")
    assert officer.get(f"{OVERRIDES}?state=waiting").json()["results"] == []
    assert officer.get(f"{LIST}{override['credit_request']}/overrides/").json() == [closed]


def test_a_second_person_disagrees(policy, officer, approver):
    override = waiting(officer)
    response = approver.post(f"{OVERRIDES}{override['id']}/refuse/", {"comment": "Not enough"})
    assert (response.status_code, response.json()["state"]) == (200, "refused")
    assert officer.get(f"{LIST}{override['credit_request']}/").json()["status"] == "referred"
    before = counted()
    refused(approver.post(f"{OVERRIDES}{override['id']}/confirm/", {"comment": "After all"}), 409)
    assert counted() == before


def test_decisions_are_told_with_all_that_they_rested_on(policy, officer):
    override = waiting(officer)
    user = make_approver()
    client_for(user).post(f"{OVERRIDES}{override['id']}/confirm/", {"comment": "Agreed"})
    referral, decision = client_for(make_user("auditor")).get(f"{LIST}{override['credit_request']}/decisions/").json()
    assert (referral["kind"], referral["comment"], referral["policy"], referral["trace"]) == (
        "referral",
        "look",
        None,
        [],
    )
    assert (decision["policy_outcome"], decision["direction"], decision["reason_code"]) == (
        "decline",
        "low_side",
        "collateral",
    )
    assert (decision["made_by"], decision["checked_by"], decision["override"]) == (
        override["requested_by"],
        user.id,
        override["id"],
    )
    assert (decision["comment"], decision["prediction"]) == ("I saw the papers", override["prediction"])
    assert [record["source"] for record in decision["records"]] == ["kadastr", "soliq"]
    assert [step["code"] for step in decision["trace"] if step["fired"]] == ["score_too_low"]


# --- Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "change", "status", "fields"),
    [
        ("approve", {"comment": ""}, 400, ("comment",)),
        ("approve", {"comment": "  "}, 400, ("comment",)),
        ("approve", {"comment": None}, 400, ("comment",)),
        ("approve", {"comment": "x" * 2_001}, 400, ("comment",)),
        ("approve", {"prediction": "abc"}, 400, ("prediction",)),
        ("approve", {"prediction": NOBODY}, 409, ()),
        ("approve", {"version": 1}, 409, ()),
        ("approve", {"version": "2"}, 400, ("version",)),
        ("approve", {"reason_code": "because"}, 400, ("reason_code",)),
        ("approve", {"reason_code": 5}, 400, ("reason_code",)),
        ("approve", {"terms": {"amount": 31_000_000}}, 400, ("terms.amount",)),
        ("approve", {"terms": {"amount": 0}}, 400, ("terms.amount",)),
        ("approve", {"terms": {"rate": 1}}, 400, ("terms.rate",)),
        ("approve", {"terms": {"term_months": 2}}, 400, ("terms.term_months",)),
        ("approve", {"terms": []}, 400, ("terms",)),
        ("approve", {"outcome": "approve"}, 400, ("outcome",)),
        ("decline", {"terms": {"amount": 5_000_000}}, 400, ("terms",)),
        ("decline", {"reason_code": "collateral"}, 400, ("reason_code",)),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_nothing_changes(policy, officer, action, change, status, fields):
    request = referred(officer)
    body, before = seen(request) | change, counted()
    refused(officer.post(at(request, action), body), status, *fields)
    assert counted() == before


@pytest.mark.parametrize(
    ("action", "body", "fields"),
    [
        ("decide", {}, ("version",)),
        ("decide", {"version": 1, "outcome": "approve"}, ("outcome",)),
        ("refer", {"version": 1}, ("comment",)),
        ("refer", {"version": 1, "comment": ""}, ("comment",)),
        ("review", {"version": 1}, ("reason",)),
        ("register-answers", {"register": "tax", "is_listed": True}, ("register",)),
        ("register-answers", {"register": "self_ban", "is_listed": "false"}, ("is_listed",)),
        ("register-answers", {"register": "self_ban"}, ("is_listed",)),
    ],
)
def test_an_incomplete_body_is_refused_by_name(policy, officer, action, body, fields):
    request = make_scored(GOOD)
    before = counted()
    refused(officer.post(at(request, action), body), 400, *fields)
    assert counted() == before


BODIES = {
    "decide": {"version": 1},
    "refer": {"version": 1, "comment": "x"},
    "review": {"version": 1, "reason": "x"},
    "approve": {"version": 1, "prediction": NOBODY, "comment": "x"},
    "decline": {"version": 1, "prediction": NOBODY, "comment": "x"},
    "register-answers": {"register": "self_ban", "is_listed": True},
}
MAY = {
    "decide": {"officer"},
    "refer": {"officer"},
    "review": {"officer", "approver"},
    "approve": {"officer", "approver"},
    "decline": {"officer", "approver"},
    "register-answers": {"officer", "approver"},
}


@pytest.mark.parametrize("action", BODIES)
@pytest.mark.parametrize("role", ROLES)
def test_roles_own_branch_and_other_branch(role, action):
    own, other = make_request(), make_request(make_individual(make_branch("other")))
    client, before = client_for(make_user(role)), counted()
    if role in MAY[action]:
        assert client.post(at(own, action), BODIES[action]).status_code in (200, 201, 409)
        before = counted()
        refused(client.post(at(other, action), BODIES[action]), 404)
    else:
        refused(client.post(at(own, action), BODIES[action]), 403)
    refused(client.post(f"{LIST}{NOBODY}/{action}/", BODIES[action]), 404 if role in MAY[action] else 403)
    assert counted() == before


@pytest.mark.parametrize("read_of", ["decisions", "overrides", "policy", "history"])
@pytest.mark.parametrize("role", ROLES)
def test_who_reads_what(policy, role, read_of):
    own, other = make_scored(GOOD), make_request(make_individual(make_branch("other")))
    client = client_for(make_user(role))
    assert client.get(at(own, read_of)).status_code == (200 if role in READERS else 403)
    expected = {"analyst": 200, "auditor": 200, "administrator": 403}.get(role, 404)
    assert client.get(at(other, read_of)).status_code == expected
    assert client.post(at(own, read_of), {}).status_code == 405


@pytest.mark.parametrize("role", ROLES)
def test_the_queue_of_overrides_is_of_the_branch_and_closed_by_approvers_only(policy, officer, role):
    override = waiting(officer)
    own, other = client_for(make_user(role)), client_for(make_user(role, make_branch("other")))
    expected = {"analyst": 1, "auditor": 1}.get(role, 0)
    before = counted()
    if role == "administrator":
        refused(own.get(OVERRIDES), 403)
    else:
        assert (len(own.get(OVERRIDES).json()["results"]), len(other.get(OVERRIDES).json()["results"])) == (1, expected)
    for verb in ("confirm", "refuse"):
        address, body = f"{OVERRIDES}{override['id']}/{verb}/", {"comment": "x"}
        refused(other.post(address, body), 404 if role == "approver" else 403)
        if role != "approver":
            refused(own.post(address, body), 403)
        else:
            refused(own.post(address, {"comment": " "}), 400, "comment")
            refused(own.post(f"{OVERRIDES}{NOBODY}/{verb}/", body), 404)
    assert counted() == before


@pytest.mark.parametrize("action", BODIES)
def test_hostile_bodies_leave_nothing(policy, officer, action):
    request = make_scored(GREY)
    before = counted()
    for name, body in HOSTILE.items():
        response = officer.generic("POST", at(request, action), body, content_type="application/json")
        assert response.status_code in (400, 413), (name, response.content[:200])
    for odd in ("a\x00b", "\ud800", ["a"], {"a": 1}, 1.5, True, None):
        for field in ("comment", "reason", "reason_code", "prediction", "terms", "register", "version", "is_listed"):
            body = BODIES[action] | {field: odd}
            if body != BODIES[action]:
                response = officer.generic("POST", at(request, action), json.dumps(body), "application/json")
                assert response.status_code == 400, (field, odd, response.content[:200])
    assert counted() == before


def test_nobody_decides_without_signing_in(policy):
    request, anonymous = make_scored(GOOD), APIClient()
    before = counted()
    for action, body in BODIES.items():
        refused(anonymous.post(at(request, action), body), 401)
    refused(anonymous.post(f"{OVERRIDES}{NOBODY}/confirm/", {"comment": "x"}), 401)
    assert counted() == before


def test_nobody_decides_of_their_own_or_a_linked_persons_request(policy):
    user, request = make_officer(), make_scored(GREY)
    client = client_for(user)
    client.post("/api/staff-links/", {"individual": str(request.individual_id), "relation": "self"})
    before = counted()
    for action in ("decide", "refer", "register-answers"):
        assert "linked to the applicant" in refused(client.post(at(request, action), BODIES[action]), 403)
    assert counted() == before
    client_for(make_officer()).post(at(request, "refer"), BODIES["refer"])
    before = counted()
    for action in ("approve", "decline"):
        assert "linked to the applicant" in refused(client.post(at(request, action), seen(request)), 403)
    assert counted() == before


@pytest.mark.parametrize("action", ["decide", "refer", "approve", "decline", "register-answers"])
def test_the_same_key_acts_once(policy, officer, action):
    request = make_scored(GREY) if action in ("decide", "refer", "register-answers") else referred(officer)
    body = BODIES[action] if "prediction" not in BODIES[action] else seen(request)
    replies = [officer.post(at(request, action), body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert replies[0].status_code in (200, 201)
    assert (replies[1].status_code, replies[1].json()) == (replies[0].status_code, replies[0].json())
    assert replies[1]["Idempotency-Replayed"] == "true"
    other = body | {"comment": "another"} if "comment" in body else body | {"version": 5}
    assert officer.post(at(request, action), other, headers={"Idempotency-Key": "k"}).status_code == 422


def test_a_mended_body_works_under_the_same_key(policy, officer):
    request = referred(officer)
    key = {"Idempotency-Key": "k"}
    refused(officer.post(at(request, "approve"), seen(request, comment=""), headers=key), 400, "comment")
    assert officer.post(at(request, "approve"), seen(request), headers=key).status_code == 200


def test_a_language_that_there_is_not_leaves_nothing_done(policy, officer):
    request = make_scored(GOOD)
    before = counted()
    refused(officer.post(at(request, "decide") + "?language=de", {"version": 1}), 400, "language")
    refused(officer.get(f"{OVERRIDES}?language=de"), 400, "language")
    assert counted() == before


# --- History --------------------------------------------------------------------------------------------------


def test_the_history_tells_every_step_in_order(policy, officer):
    override = waiting(officer)
    user = make_approver()
    client_for(user).post(f"{OVERRIDES}{override['id']}/confirm/", {"comment": "Agreed"})
    address = f"{LIST}{override['credit_request']}/"
    officer.post(f"{address}withdraw/", {"version": 4})
    steps = officer.get(f"{address}history/?language=en").json()
    assert [step["step"] for step in steps] == [
        "create",
        "score",
        "register_answer",
        *["score"] * (len(steps) - 8),
        "refer",
        "override_request",
        "override_confirm",
        "approve",
        "withdraw",
    ]
    told = {step["step"]: step for step in steps}
    assert (told["refer"]["comment"], told["refer"]["by"]["id"]) == ("look", override["requested_by"])
    asked = told["override_request"]
    assert (asked["comment"], asked["reason_code"], asked["direction"]) == (
        "I saw the papers",
        "collateral",
        "low_side",
    )
    assert (told["override_confirm"]["comment"], told["override_confirm"]["by"]["username"]) == (
        "Agreed",
        user.username,
    )
    assert (told["approve"]["outcome"], told["approve"]["policy_outcome"]) == ("approve", "decline")
    assert (told["score"]["score"], told["withdraw"]["text"]) == (435, "The request was withdrawn")
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)


def test_a_change_is_told_with_its_terms(officer):
    request = make_request()
    officer.patch(f"{LIST}{request.id}/", {"version": 1, "term_months": 12})
    change = next(step for step in officer.get(at(request, "history")).json() if step["step"] == "change")
    assert (change["before"]["term_months"], change["after"]["term_months"]) == (24, 12)


def test_each_step_has_its_words_in_every_language(officer):
    texts = history_texts()
    assert texts["en"].keys() == texts["ru"].keys() == texts["uz"].keys()
    request = make_request()
    shown = {code: officer.get(at(request, "history") + f"?language={code}").json()[0]["text"] for code in texts}
    assert shown == {code: texts[code]["create"] for code in texts}


def test_once_the_applicant_is_erased_what_was_said_is_gone_and_nothing_is_decided(policy, officer, approver):
    override = waiting(officer)
    request = CreditRequest.objects.get(id=override["credit_request"])
    destroy_keys([request.individual.data_key_id], now=timezone.now())
    address = f"{LIST}{override['credit_request']}/"
    decision = officer.get(f"{address}decisions/").json()[0]
    assert (decision["outcome"], decision["comment"], decision["trace"]) == ("refer", None, None)
    assert officer.get(f"{OVERRIDES}{override['id']}/").json() == override | {"comment": None, "closing_comment": None}
    steps = {step["step"]: step for step in officer.get(f"{address}history/").json()}
    assert (steps["refer"]["comment"], steps["override_request"]["comment"]) == (None, None)
    before = counted()
    refused(officer.get(f"{address}policy/"), 410)
    refused(approver.post(f"{OVERRIDES}{override['id']}/confirm/", {"comment": "x"}), 410)
    refused(officer.post(f"{address}register-answers/", {"register": "self_ban", "is_listed": True}), 410)
    assert counted() == before


# --- Lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 8])
def test_a_list_of_decided_requests_takes_the_same_queries_however_long(
    policy, officer, django_assert_num_queries, rows
):
    for _ in range(rows):
        request = make_scored(GREY)
        officer.post(at(request, "decide"), {"version": 1})
    officer.get(LIST)
    # token with its user, the page, its records, its newest decisions with their policies
    with django_assert_num_queries(4):
        shown = officer.get(LIST).json()["results"]
    assert [row["decision"]["reasons"][0]["text"] for row in shown] == ["The score is 485."] * rows


@pytest.mark.parametrize("rows", [1, 5])
def test_the_queue_takes_the_same_queries_however_long(policy, officer, django_assert_num_queries, rows):
    for _ in range(rows):
        waiting(officer)
    with django_assert_num_queries(2):
        assert len(officer.get(OVERRIDES).json()["results"]) == rows
