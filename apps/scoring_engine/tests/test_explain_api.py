"""POST /api/score/<segment>/explain/: the score, and the smallest changes that reach another."""

import pytest

from apps.accounts.tests.factories import client_for, make_user
from apps.common.models import DataKey
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import COMPANY, PERSON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
ADDRESS, COMPANIES = "/api/score/individual/explain/", "/api/score/company/explain/"
FACTS = PERSON | {"requested_amount": 30_000, "purpose": "car"}


@pytest.fixture
def officer():
    return client_for(make_user("officer"))


def ask(client, address=ADDRESS, facts=FACTS, **rest):
    reply = client.post(address, facts | rest)
    assert reply.status_code == 200, reply.content[:500]
    return reply.json()


def test_the_smallest_change_is_exact_and_scored_again(officer):
    body = ask(officer, target_score=450)
    assert (body["score"], body["target_score"], body["best_reachable_score"]) == (410, 450, 480)
    # A ratio of 0.5 is the first of the worst bin; one unit less is in the next.
    assert body["changes"] == [
        {
            "facts": [{"fact": "requested_amount", "given": 30_000, "needed": 24_999}],
            "text": "Requested amount: 24,999\u00a0UZS instead of 30,000\u00a0UZS.",
            "relative_change": 5_001 / 30_000,
            "score": 450,
        }
    ]
    assert body["changes_note"] is None
    again = officer.post("/api/score/individual/", FACTS | {"requested_amount": 24_999}).json()
    assert again["score"] == 450


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Запрошенная сумма: 24\u00a0999\u00a0сум вместо 30\u00a0000\u00a0сум."),
        ("uz", "Soʻralgan summa: 30\u00a0000\u00a0soʻm oʻrniga 24\u00a0999\u00a0soʻm."),
    ],
)
def test_changes_are_told_in_the_language_asked_for(officer, language, text):
    body = ask(officer, f"{ADDRESS}?language={language}", target_score=450)
    assert (body["language"], body["changes"][0]["text"]) == (language, text)


def test_a_target_out_of_reach_says_what_can_be_reached(officer):
    body = ask(officer, target_score=900)
    assert (body["changes"], body["best_reachable_score"]) == ([], 480)
    assert body["changes_note"] == (
        "No change of what the applicant can act on reaches the target; the best score that can be reached is 480."
    )


def test_a_target_that_is_reached_says_so(officer):
    body = ask(officer, target_score=410)
    assert (body["changes"], body["changes_note"]) == ([], "The score already reaches the target.")


def test_where_nothing_can_be_acted_on_it_says_so(officer):
    body = ask(officer, facts={"purpose": "car", "unavailable": ["requested_amount"]}, target_score=900)
    assert (body["changes"], body["best_reachable_score"]) == ([], body["score"])
    assert body["changes_note"].startswith("The model uses none of the facts that the applicant can act on")


def test_a_company_is_explained_by_its_own_card(officer):
    facts = COMPANY | {"requested_amount": 800_000}
    best = ask(officer, COMPANIES, facts, target_score=1200)["best_reachable_score"]
    body = ask(officer, COMPANIES, facts, target_score=best)
    assert (body["mode"], bool(body["changes"])) == ("fallback", True)
    for change in body["changes"]:
        changed = {fact["fact"]: fact["needed"] for fact in change["facts"]}
        again = officer.post("/api/score/company/", facts | changed).json()
        assert again["score"] == change["score"] == best > body["score"]


def test_it_is_logged_once_and_as_such(officer):
    body = ask(officer, target_score=450)
    row = PredictionLog.objects.get()
    assert (str(row.id), row.cause, row.score) == (body["prediction_id"], "explain", 410)
    shown = officer.get(f"/api/prediction-logs/{row.id}/").json()
    assert {"target_score", "requested_amount"} & shown["facts"].keys() == {"requested_amount"}
    assert shown["reasons"] == body["reasons"]


def test_the_same_key_gives_the_same_reply_and_one_row(officer):
    key = {"Idempotency-Key": "k-1"}
    replies = [officer.post(ADDRESS, FACTS | {"target_score": 450}, headers=key) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    assert PredictionLog.objects.count() == 1
    assert officer.post(ADDRESS, FACTS | {"target_score": 451}, headers=key).status_code == 422


REFUSED = {
    "no target": ({}, ["target_score"]),
    "null": ({"target_score": None}, ["target_score"]),
    "text": ({"target_score": "450"}, ["target_score"]),
    "a flag": ({"target_score": True}, ["target_score"]),
    "a fraction": ({"target_score": 450.5}, ["target_score"]),
    "a list": ({"target_score": [450]}, ["target_score"]),
    "below every score": ({"target_score": -1}, ["target_score"]),
    "above every score": ({"target_score": 1201}, ["target_score"]),
    "far above": ({"target_score": 10**30}, ["target_score"]),
    "a grade": ({"target_score": 450, "target_grade": "A"}, ["target_grade"]),
    "a language in the body": ({"target_score": 450, "language": "uz"}, ["language"]),
    "a wrong fact": ({"target_score": 450, "yearly_income": -1}, ["yearly_income"]),
    "a wrong currency": ({"target_score": 450, "currency": "XXX"}, ["currency"]),
    "no list": ({"target_score": 450, "unavailable": "purpose"}, ["unavailable"]),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("address", [ADDRESS, COMPANIES])
def test_wrong_input_is_refused_by_name_and_nothing_is_stored(officer, name, address):
    body, fields = REFUSED[name]
    if address == COMPANIES and name == "a wrong fact":
        body, fields = body | {"yearly_income": None, "revenue": -1}, ["yearly_income", "revenue"]
    reply = officer.post(address, body)
    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in reply.json()["errors"]] == fields
    assert not PredictionLog.objects.exists()
    assert not DataKey.objects.exists()


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"target_score": NaN}', b'{"target_score": 1, "target_score": 2}', b""]
)
def test_hostile_bytes_are_refused(officer, body):
    reply = officer.post(ADDRESS, data=body, content_type="application/json")
    assert reply.status_code == 400
    assert not PredictionLog.objects.exists()


@pytest.mark.parametrize("role", ["approver", "auditor", "administrator"])
@pytest.mark.parametrize("address", [ADDRESS, COMPANIES])
def test_other_roles_do_not_ask(role, address):
    assert client_for(make_user(role)).post(address, {"target_score": 450}).status_code == 403
    assert not PredictionLog.objects.exists()


@pytest.mark.parametrize("address", [ADDRESS, COMPANIES])
def test_anonymous_callers_sign_in_first(client, address):
    assert client.post(address, {"target_score": 450}, content_type="application/json").status_code == 401


def test_dates_and_special_codes_of_an_own_card_are_read_back(officer):
    from apps.scoring_engine.ml.tests.examples import wide_card
    from apps.scoring_engine.tests.factories import put_in_service

    put_in_service(wide_card())
    own = {"customer_since": "2023-01-01", "months_at_address": 9999, "housing": "tent", "savings": -9_000_000}
    body = ask(officer, facts=FACTS | own, target_score=440)
    assert body["changes"][0]["score"] >= 440 > body["score"]
