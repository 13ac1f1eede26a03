"""POST /api/score/<segment>/ and its schema: exact replies, who may ask, and what is refused."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.authentication import TokenAuthentication
from apps.accounts.services import issue_token
from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.models import DataKey
from apps.scoring_engine.ml.cards import canonical
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.models import ModelCard, PredictionLog
from apps.scoring_engine.tests.factories import COMPANY, PERSON
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]

INDIVIDUAL, COMPANIES = "/api/score/individual/", "/api/score/company/"
FACTS = {
    "yearly_income": 50_000,
    "requested_amount": 30_000,
    "credit_history_score": 650,
    "credit_history_scale": "fico_300_850",
    "purpose": "small_business",
    "term_months": 24,
}


@pytest.fixture
def officer():
    return client_for(make_user("officer"))


def assert_refused(response, *fields, status=400):
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == list(fields)
    assert not PredictionLog.objects.exists()

    assert not DataKey.objects.exists()
    assert not AuditEvent.objects.filter(action="prediction.create").exists()


def test_the_reply_is_exact(officer):
    reply = officer.post(INDIVIDUAL, FACTS)
    assert reply.status_code == 200
    body = reply.json()
    prediction = PredictionLog.objects.get()
    card = Scorecard.from_dict(fixed_card())
    assert body == {
        "prediction_id": str(prediction.id),
        "segment": "individual",
        "score": 385,
        "probability_of_default": 1 / (1 + 2 ** ((385 - 400) / 50)),
        "horizon": {"kind": "contract", "months": 24},
        "definition_of_bad": "Charged off before the end of the contract",
        "grade": "G",
        "grades_version": "grades-1",
        "mode": "model",
        "mode_reason": None,
        "purpose": "demonstration",
        "model_version": "individual-9.0.0",
        "model_digest": card.digest,
        "base_points": 300,
        "reference_score": 450,
        "currency": "UZS",
        "language": "en",
        "reasons": [
            {
                "code": "AMOUNT_TO_INCOME",
                "feature": "amount_to_income",
                "text": "The requested amount is 60\u00a0% of your yearly income;"
                " among applicants 30\u00a0% is typical.",
                "impact": -40,
            },
            {
                "code": "PURPOSE",
                "feature": "purpose",
                "text": "The purpose of the credit is a small business; among applicants a car is typical.",
                "impact": -25,
            },
        ],
        "explanation": [
            {
                "feature": "amount_to_income",
                "value": 0.6,
                "points": 10,
                "reference_points": 50,
                "impact": -40,
                "code": "AMOUNT_TO_INCOME",
                "reason": "Requested amount to yearly income is 50 % or more; 30 % is typical",
            },
            {
                "feature": "purpose",
                "value": "small_business",
                "points": 15,
                "reference_points": 40,
                "impact": -25,
                "code": "PURPOSE",
                "reason": "Purpose of the credit is small business; car is typical",
            },
            {
                "feature": "credit_history_score",
                "value": 650,
                "points": 60,
                "reference_points": 60,
                "impact": 0,
                "code": "CREDIT_HISTORY_SCORE",
                "reason": "Credit history score is from 600 to under 700; 650 is typical",
            },
        ],
        "warnings": [],
    }
    assert body["reference_score"] + sum(entry["impact"] for entry in body["explanation"]) == body["score"]


def test_the_row_says_who_asked_and_the_card_is_kept(officer):
    officer.post(INDIVIDUAL, FACTS)
    row = PredictionLog.objects.get()
    assert (row.cause, row.request_id, row.branch.code, row.actor.role) == ("api", None, "main", "officer")
    kept = ModelCard.objects.get(digest=row.model_digest)
    assert kept.text == canonical(fixed_card())
    event = AuditEvent.objects.get(action="prediction.create")
    assert (event.subject_id, event.details["mode"]) == (str(row.id), "model")


def test_every_reason_is_the_one_that_the_card_gives(officer):
    """Texts are written on reading; they may not differ from those of the scorecard itself, whatever the bin."""
    card = Scorecard.from_dict(fixed_card())
    others = {"credit_history_score": 480, "credit_history_scale": "katm_0_500", "purpose": "medical"}
    for facts in (FACTS, {"purpose": "car"}, others | {"yearly_income": 0, "requested_amount": 5}):
        row = PredictionLog.objects.get(id=officer.post(INDIVIDUAL, facts).json()["prediction_id"])
        assessment = card.score(facts, as_of=row.created_at.date())
        shown = officer.get(f"/api/prediction-logs/{row.id}/").json()
        assert shown["explanation"] == assessment.explanation
        assert shown["warnings"] == assessment.warnings


def test_a_company_is_scored_by_its_own_card(officer):
    body = officer.post(COMPANIES, COMPANY).json()
    assert (body["segment"], body["model_version"], body["mode"]) == ("company", "expert/company-1.0.0", "fallback")
    assert body["reference_score"] + sum(entry["impact"] for entry in body["explanation"]) == body["score"]


def test_without_a_term_the_card_assumes_its_own(officer):
    facts = {name: value for name, value in FACTS.items() if name != "term_months"}
    assert officer.post(INDIVIDUAL, facts).json()["horizon"] == {"kind": "contract", "months": 36}


def test_missing_required_facts_are_scored_with_a_warning(officer):
    body = officer.post(INDIVIDUAL, {"purpose": "car"}).json()
    assert body["score"] == 300 + 10 + 20 + 40
    assert {"code": "required_missing", "fact": "yearly_income"}.items() <= body["warnings"][0].items()
    assert [warning["fact"] for warning in body["warnings"]] == ["yearly_income", "requested_amount"]


def test_a_source_that_was_down_counts_neutrally_and_is_named(officer):
    facts = {"requested_amount": 30_000, "purpose": "car", "unavailable": ["yearly_income", "credit_history_score"]}
    body = officer.post(INDIVIDUAL, facts).json()
    assert body["score"] == 300 + 50 + 60 + 40
    assert [(w["code"], w["fact"]) for w in body["warnings"]] == [("required_unavailable", "yearly_income")]


def test_another_scale_is_a_special_code_with_a_warning(officer):
    body = officer.post(INDIVIDUAL, FACTS | {"credit_history_score": 480, "credit_history_scale": "katm_0_500"}).json()
    entry = next(entry for entry in body["explanation"] if entry["feature"] == "credit_history_score")
    assert (entry["value"], entry["points"], entry["impact"]) == (None, 60, 0)
    assert [(w["code"], w["fact"]) for w in body["warnings"]] == [("other_scale", "credit_history_score")]


def test_facts_that_the_card_does_not_use_are_named(officer):
    body = officer.post(INDIVIDUAL, FACTS | {"collateral_value": 5, "has_guarantor": True}).json()
    assert [(w["code"], w["fact"]) for w in body["warnings"]] == [
        ("fact_not_used", "collateral_value"),
        ("fact_not_used", "has_guarantor"),
    ]
    assert body["score"] == 385


def test_the_currency_is_kept(officer):
    assert officer.post(INDIVIDUAL, FACTS | {"currency": "EUR"}).json()["currency"] == "EUR"


def test_the_same_key_and_body_give_the_same_reply_and_one_row(officer):
    replies = [officer.post(INDIVIDUAL, FACTS, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    assert replies[1]["Idempotency-Replayed"] == "true"
    assert PredictionLog.objects.count() == 1
    other = officer.post(INDIVIDUAL, FACTS | {"purpose": "car"}, headers={"Idempotency-Key": "k-1"})
    assert other.status_code == 422
    assert PredictionLog.objects.count() == 1


@pytest.mark.parametrize("role", ["approver", "auditor", "administrator"])
@pytest.mark.parametrize("address", [INDIVIDUAL, COMPANIES])
def test_other_roles_do_not_score(role, address):
    assert_refused(client_for(make_user(role)).post(address, PERSON), status=403)


def test_an_analyst_scores_without_a_branch():
    body = client_for(make_user("analyst")).post(INDIVIDUAL, FACTS).json()
    assert body["score"] == 385
    assert PredictionLog.objects.get().branch is None


@pytest.mark.parametrize("address", [INDIVIDUAL, COMPANIES])
def test_anonymous_callers_sign_in_first(client, address):
    assert_refused(client.post(address, PERSON, content_type="application/json"), status=401)


REFUSED = {
    "a text for a flag": ({"has_guarantor": "false"}, ["has_guarantor"]),
    "a number for a flag": ({"criminal_history": 0}, ["criminal_history"]),
    "text for money": ({"yearly_income": "abc"}, ["yearly_income"]),
    "numeric text for money": ({"yearly_income": "5"}, ["yearly_income"]),
    "a fraction of a unit": ({"yearly_income": 1.5}, ["yearly_income"]),
    "a flag for money": ({"yearly_income": True}, ["yearly_income"]),
    "negative money": ({"existing_debt": -1}, ["existing_debt"]),
    "too much money": ({"yearly_income": 10**15 + 1}, ["yearly_income"]),
    "no amount": ({"requested_amount": 0}, ["requested_amount"]),
    "a list for a fact": ({"yearly_income": [1]}, ["yearly_income"]),
    "an object for a fact": ({"purpose": {"a": 1}}, ["purpose"]),
    "a category that is none": ({"purpose": "yacht"}, ["purpose"]),
    "a day that is none": ({"oldest_account_date": "2020-02-30"}, ["oldest_account_date"]),
    "a day to come": ({"oldest_account_date": "2999-01-01"}, ["oldest_account_date"]),
    "a fact of nobody": ({"pinfl": "31210890000013"}, ["pinfl"]),
    "a fact of companies": ({"revenue": 5}, ["revenue"]),
    "what only the engine sets": ({"score": 700, "mode": "model"}, ["score", "mode"]),
    "a score without its scale": ({"credit_history_score": 650}, ["credit_history_scale"]),
    "a score without its scale, by null": (
        {"credit_history_score": 650, "credit_history_scale": None},
        ["credit_history_scale"],
    ),
    "a score outside its scale": (
        {"credit_history_score": 900, "credit_history_scale": "fico_300_850"},
        ["credit_history_score"],
    ),
    "a currency that is none": ({"currency": "XXX"}, ["currency"]),
    "a list for a currency": ({"currency": ["UZS"]}, ["currency"]),
    "no list of facts": ({"unavailable": "yearly_income"}, ["unavailable"]),
    "an unknown fact unavailable": ({"unavailable": ["purpose", "moon", [1]]}, ["unavailable[1]", "unavailable[2]"]),
    "several at once": ({"yearly_income": -1, "salary": "x"}, ["yearly_income", "salary"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_fact_is_refused_by_name(officer, name):
    changes, fields = REFUSED[name]
    assert_refused(officer.post(INDIVIDUAL, {"requested_amount": 10_000} | changes), *fields)


RAW = {
    "NaN": (b'{"yearly_income": NaN}', ["yearly_income"], 400),
    "-Infinity": (b'{"employment_years": -Infinity}', ["employment_years"], 400),
    "1e400": (b'{"employment_years": 1e400}', ["employment_years"], 400),
    "10**400": (b'{"yearly_income": 1' + b"0" * 400 + b"}", ["yearly_income"], 400),
    "10**39": (b'{"yearly_income": 1' + b"0" * 39 + b"}", ["yearly_income"], 400),
    "NUL": (b'{"purpose": "car\\u0000"}', ["purpose"], 400),
    "duplicate keys": (b'{"salary": 1, "salary": 2}', ["salary"], 400),
    "a duplicate deep inside": (b'{"unavailable": [{"a": 1, "a": 2}]}', ["unavailable[0].a"], 400),
    "a lone surrogate": (b'{"purpose": "\\udc00"}', ["purpose"], 400),
    "200,000 deep": (b'{"salary":' + b"[" * 200_000 + b"]" * 200_000 + b"}", [], 400),
    "a list": (b"[]", [], 400),
    "cut off": (b'{"salary": 1', [], 400),
    "over 1 MiB": (b'{"purpose": "' + b"a" * (1 << 20) + b'"}', [], 413),
}


@pytest.mark.parametrize("address", [INDIVIDUAL, COMPANIES])
@pytest.mark.parametrize("name", RAW)
def test_hostile_bytes_are_refused_and_nothing_is_stored(officer, name, address):
    body, fields, status = RAW[name]
    assert_refused(officer.post(address, data=body, content_type="application/json"), *fields, status=status)


def test_an_enormous_field_is_not_repeated(officer):
    response = officer.post(INDIVIDUAL, {"x" * 5_000: 1, "purpose": "y" * 5_000, "currency": "z" * 5_000})
    assert response.status_code == 400
    assert len(response.content) < 2_000


def test_the_schema_tells_the_inputs_of_the_card_in_service(officer):
    body = officer.get(reverse("score-schema", args=["individual"])).json()
    assert (body["model_version"], body["mode"], body["horizon"]) == (
        "individual-9.0.0",
        "model",
        {"kind": "contract", "months": 36},
    )
    by_name = {entry["name"]: entry for entry in body["inputs"]}
    assert list(by_name) == [
        "yearly_income",
        "requested_amount",
        "credit_history_score",
        "credit_history_scale",
        "purpose",
    ]
    assert by_name["requested_amount"] == {
        "name": "requested_amount",
        "kind": "money",
        "unit": "currency",
        "least": 1,
        "most": 10**15,
        "values": [],
        "meaning": "Requested amount of credit",
        "required": True,
        "special_codes": {},
        "scale": None,
    }
    assert by_name["credit_history_score"]["special_codes"] == {"other_scale": "the score is on another scale"}
    assert by_name["credit_history_score"]["scale"] == "fico_300_850"
    assert "existing_debt" in {entry["name"] for entry in body["other_facts"]}


def test_the_schema_is_for_readers_of_known_segments(client):
    assert client.get("/api/score/schema/individual/").status_code == 401
    assert client_for(make_user("administrator")).get("/api/score/schema/individual/").status_code == 403
    assert client_for(make_user("auditor")).get("/api/score/schema/company/").status_code == 200
    assert client_for(make_user("auditor")).get("/api/score/schema/planet/").status_code == 404


def test_openapi_lists_the_facts(client):
    paths = json.loads(client.get("/api/schema/?format=json").content)["paths"]
    body = paths[INDIVIDUAL]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["requested_amount"]["minimum"] == 1
    assert "200" in paths[INDIVIDUAL]["post"]["responses"]


def test_a_fact_cannot_be_given_and_unavailable(officer):
    body = PERSON | {"unavailable": ["existing_debt"]}
    response = officer.post("/api/score/individual/", body)
    assert response.status_code == 400
    message = "existing_debt is given as well; leave it out here, or there."
    assert response.json()["errors"] == [{"field": "unavailable[0]", "message": message}]
    assert PredictionLog.objects.count() == 0


def test_a_call_takes_few_statements(officer, django_assert_num_queries):
    officer.post(INDIVIDUAL, FACTS)
    # Token, registry, the rows of key, log and audit, and here a savepoint and its release for BEGIN and COMMIT.
    # PostgreSQL holds the registry and reads it in one round trip, and inserts the three rows in another.
    with django_assert_num_queries(5 if connection.vendor == "postgresql" else 7):
        assert officer.post(INDIVIDUAL, FACTS).status_code == 200


def test_a_token_is_found_with_user_and_branch_in_one_query(django_assert_num_queries):
    user = make_user("officer")
    token, text = issue_token(user=user, expires_in=timedelta(hours=1), actor=user)
    with django_assert_num_queries(1):
        found, kept = TokenAuthentication().authenticate_credentials(text.encode())
        assert (found, found.branch, kept.expiry) == (user, user.branch, token.expiry)
