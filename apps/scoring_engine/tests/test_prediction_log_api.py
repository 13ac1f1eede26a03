"""/api/prediction-logs/: who reads what, filters, pages; and that nothing can be written there."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.common.crypto import create_data_key, destroy_keys
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import (
    COMPANY,
    NOW,
    PERSON,
    caller,
    found,
    make_prediction,
    put_in_service,
)
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
LIST = "/api/prediction-logs/"


@pytest.fixture
def officer_user():
    return make_user("officer")


@pytest.fixture
def officer(officer_user):
    return client_for(officer_user)


def test_the_list_holds_no_personal_facts(officer, officer_user):
    row = caller(officer_user, cause="api")
    [shown] = officer.get(LIST).json()["results"]
    assert shown == {
        "prediction_id": str(row.id),
        "segment": "individual",
        "score": 300 + 50 + 60 + 15,
        "probability_of_default": row.probability_of_default,
        "horizon": {"kind": "contract", "months": 36},
        "grade": "G",
        "grades_version": "grades-1",
        "mode": "model",
        "mode_reason": None,
        "purpose": "demonstration",
        "model_version": "individual-9.0.0",
        "model_digest": row.model_digest,
        "base_points": 300,
        "reference_score": 450,
        "currency": "UZS",
        "created_at": "2026-03-02T09:30:00Z",
        "request_id": None,
        "cause": "api",
        "role": "champion",
        "beside": None,
        "actor": officer_user.id,
        "branch": "main",
    }


def test_one_row_shows_the_reply_again_and_what_it_rested_on(officer):
    reply = officer.post("/api/score/individual/", PERSON | {"unavailable": ["tax_debt"], "salary": None}).json()
    shown = officer.get(f"{LIST}{reply['prediction_id']}/").json()
    assert {name: shown[name] for name in reply} == reply
    assert shown["facts"].keys() == PERSON.keys()
    assert shown["facts"]["yearly_income"] == {
        "value": 50_000,
        "source": "caller",
        "at": shown["created_at"][:-1] + "+00:00",
    }
    assert (shown["unavailable"], shown["missing_required"]) == (["tax_debt"], [])
    assert shown["as_of"] == timezone.localdate(timezone=timezone.get_fixed_timezone(300)).isoformat()


def test_texts_are_still_written_when_the_model_was_replaced(officer, officer_user):
    row = caller(officer_user)
    before = officer.get(f"{LIST}{row.id}/").json()
    put_in_service(fixed_card(version="individual-9.1.0", base_points=310))
    assert caller(officer_user, cause="again").model_version == "individual-9.1.0"
    from apps.scoring_engine import presentation

    presentation._texts.cache_clear()
    assert officer.get(f"{LIST}{row.id}/").json() == before


def test_an_erased_person_leaves_the_result_and_no_facts(officer, officer_user):
    key = create_data_key("owner")
    row = caller(officer_user, data_key=key)
    destroy_keys([key.id], now=timezone.now())
    shown = officer.get(f"{LIST}{row.id}/").json()
    assert (shown["score"], shown["facts"], shown["explanation"]) == (row.score, None, None)
    assert "erased" in shown["note"]


@pytest.mark.parametrize("role", ["officer", "approver"])
def test_another_branch_is_not_there(role, officer_user):
    row = caller(officer_user)
    client = client_for(make_user(role, make_branch("south"), username="south"))
    assert client.get(LIST).json()["results"] == []
    assert client.get(f"{LIST}{row.id}/").status_code == 404


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_analysts_and_auditors_see_all_branches(role, officer_user):
    rows = {str(caller(officer_user).id), str(make_prediction(cause="command").id)}
    client = client_for(make_user(role))
    assert {row["prediction_id"] for row in client.get(LIST).json()["results"]} == rows


def test_administrators_and_the_anonymous_read_nothing(client, officer_user):
    row = caller(officer_user)
    administrator = make_user("administrator")
    for address in (LIST, f"{LIST}{row.id}/"):
        assert client.get(address).status_code == 401
        assert client_for(administrator).get(address).status_code == 403
    assert not PredictionLog.objects.visible_to(administrator).exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_here(officer, officer_user, method):
    row = caller(officer_user)
    for address in (LIST, f"{LIST}{row.id}/"):
        assert getattr(officer, method)(address, {"score": 700}).status_code in (403, 405)
    assert PredictionLog.objects.get().score == row.score


def test_filters(officer, officer_user):
    request_id = uuid.uuid4()
    first = caller(officer_user, cause="create", request_id=request_id)
    second = caller(officer_user, cause="api", segment="company", facts=found(COMPANY))

    def ids(query):
        return [row["prediction_id"] for row in officer.get(LIST + query).json()["results"]]

    assert ids("?segment=company") == ids("?mode=fallback") == ids("?cause=api") == [str(second.id)]
    assert ids("?model_version=individual-9.0.0") == ids(f"?request_id={request_id}") == [str(first.id)]
    assert ids("?mode=model&segment=company") == []


def test_a_challengers_scorings_are_told_from_answers(officer, officer_user):
    put_in_service(fixed_card(version="individual-9.1.0", base_points=310), role="challenger")
    answer = caller(officer_user)

    def rows(query):
        return [(row["role"], row["beside"], row["score"]) for row in officer.get(LIST + query).json()["results"]]

    assert rows("?role=champion") == [("champion", None, answer.score)]
    assert rows("?role=challenger") == [("challenger", str(answer.id), answer.score + 10)]


@pytest.mark.parametrize(
    "query", ["?mode=nonsense", "?role=judge", "?segment=planet", "?request_id=5", "?cause=%00", "?cursor=nonsense"]
)
def test_a_wrong_filter_is_refused(officer, query):
    response = officer.get(LIST + query)
    assert response.status_code in (400, 404)
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["5/", "nonsense/", "%00/", f"{uuid.UUID(int=7)}/"])
def test_a_row_that_is_not_there(officer, path):
    assert officer.get(LIST + path).status_code == 404


def test_pages_follow_a_cursor_newest_first(officer, officer_user):
    rows = [caller(officer_user, now=NOW.replace(minute=minute)) for minute in range(5)]
    seen, address = [], LIST + "?page_size=2"
    while address:
        page = officer.get(address).json()
        seen += [row["prediction_id"] for row in page["results"]]
        address = page["next"]
    assert seen == [str(row.id) for row in reversed(rows)]


def test_a_mistyped_filter_does_not_answer_with_everything(officer):
    reply = officer.get(LIST, {"segmnet": "company"})
    assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (400, ["segmnet"])


def test_a_longer_list_takes_no_more_queries(officer, officer_user):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            officer.get(LIST)
        return len(captured)

    caller(officer_user)
    few = queries()
    for _ in range(5):
        caller(officer_user)
    assert queries() == few
