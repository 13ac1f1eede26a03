"""POST /api/score/<segment>/bulk/: every row as if it had been scored alone, all or by row, never half."""

import json

import pytest
from django.db import DataError, connection

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.models import DataKey
from apps.scoring_engine import bulk
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import CHALLENGER, CHAMPION, PredictionLog
from apps.scoring_engine.tests.factories import COMPANY, PERSON, put_in_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
URL = "/api/score/individual/bulk/"
BAD = {"yearly_income": -1}
OF_THE_MOMENT = ("prediction_id", "place")
# Row, key, cause, time and nonce differ between two scorings of the same facts; these may not.
KEPT = (
    *("segment", "score", "probability_of_default", "grade", "grades_version", "horizon_kind", "horizon_months"),
    *("role", "mode", "mode_reason", "purpose", "model_version", "card_id", "base_points", "reference_score"),
    *("currency", "inputs_digest", "actor_id", "branch_id", "request_id"),
)


@pytest.fixture
def officer():
    return client_for(make_user("officer"))


def people(count):
    return [PERSON | {"existing_debt": 100 * place} for place in range(count)]


def send(client, applicants, **options):
    return client.post(URL, {"applicants": applicants} | options)


def assert_nothing_written():
    assert not PredictionLog.objects.exists()
    assert not DataKey.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="prediction.").exists()


def without(document, names):
    return {name: value for name, value in document.items() if name not in names}


def test_each_row_is_what_it_would_be_alone(officer):
    applicants = [*people(3), PERSON | {"currency": "EUR", "unavailable": ["tax_debt"]}, {}]
    together = send(officer, applicants, explanation=True).json()
    alone = [officer.post("/api/score/individual/", body).json() for body in applicants]
    assert (together["scored"], together["refused"]) == (5, 0)
    assert [without(row, OF_THE_MOMENT) for row in together["results"]] == [
        without(row, OF_THE_MOMENT) for row in alone
    ]
    assert [row["place"] for row in together["results"]] == [0, 1, 2, 3, 4]
    for many, one in zip(together["results"], alone, strict=True):
        rows = [PredictionLog.objects.get(id=reply["prediction_id"]) for reply in (many, one)]
        assert [getattr(rows[0], name) for name in KEPT] == [getattr(rows[1], name) for name in KEPT]
        opened = [row.opened() for row in rows]
        for document in opened:
            for source in document["sources"].values():
                assert source.pop("at")
        assert opened[0] == opened[1]


def test_without_explanation_a_row_is_its_summary_and_its_warnings(officer):
    [row] = send(officer, [PERSON]).json()["results"]
    alone = officer.post("/api/score/individual/", PERSON).json()
    assert row["score"] == alone["score"]
    assert row["warnings"] == alone["warnings"]
    assert "explanation" not in row


def test_every_row_has_a_key_of_its_own_and_the_call_one_audit_event(officer):
    send(officer, people(3))
    rows = PredictionLog.objects.all()
    assert len({row.data_key_id for row in rows}) == DataKey.objects.count() == 3
    [cause] = {row.cause for row in rows}
    assert cause.startswith("bulk:")
    event = AuditEvent.objects.get(action="prediction.create_bulk")
    assert event.details == {
        "segment": "individual", "mode": "model", "model_digest": rows[0].card_id, "cause": cause, "rows": 3,
        "refused": 0,
    }  # fmt: skip
    assert event.subject_id in {str(row.id) for row in rows}


def test_one_bad_row_refuses_the_call_and_nothing_is_written(officer):
    response = send(officer, [PERSON, BAD, 7, PERSON | {"unavailable": "tax_debt"}])
    assert response.status_code == 400
    problem = response.json()
    assert problem["detail"] == "3 of 4 applicants are refused, so none is scored."
    assert [error["field"] for error in problem["errors"]] == [
        "applicants[1].yearly_income", "applicants[2]", "applicants[3].unavailable",
    ]  # fmt: skip
    assert_nothing_written()


def test_by_rows_the_good_ones_are_scored(officer):
    reply = send(officer, [BAD, PERSON, 7], errors="rows").json()
    assert (reply["scored"], reply["refused"]) == (1, 2)
    assert [row["place"] for row in reply["results"]] == [0, 1, 2]
    assert [row["errors"][0]["field"] for row in reply["results"] if "errors" in row] == [
        "applicants[0].yearly_income", "applicants[2]",
    ]  # fmt: skip
    assert PredictionLog.objects.get().id.hex == reply["results"][1]["prediction_id"].replace("-", "")
    assert DataKey.objects.count() == 1
    assert AuditEvent.objects.get(action="prediction.create_bulk").details["refused"] == 2


def test_by_rows_all_bad_writes_nothing(officer):
    reply = send(officer, [BAD, BAD], errors="rows").json()
    assert (reply["scored"], reply["refused"]) == (0, 2)
    assert_nothing_written()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "applicants"),
        ({"applicants": []}, "applicants"),
        ({"applicants": PERSON}, "applicants"),
        ({"applicants": [{}] * 10_001}, "applicants"),
        ({"applicants": [PERSON], "errors": "some"}, "errors"),
        ({"applicants": [PERSON], "explanation": "false"}, "explanation"),
        ({"applicants": [PERSON], "currency": "UZS"}, "currency"),
    ],
)
def test_a_body_of_another_shape_is_refused(officer, body, field):
    response = officer.post(URL, body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert_nothing_written()


def test_ten_thousand_are_taken(officer):
    reply = send(officer, [{}] * 10_000).json()
    assert reply["scored"] == len({row["prediction_id"] for row in reply["results"]}) == 10_000
    assert PredictionLog.objects.count() == 10_000


def test_a_body_that_is_too_large_is_told_how_large_it_may_be(officer):
    body = json.dumps({"applicants": [PERSON], "errors": "x" * (16 << 20)})
    response = officer.post(URL, body, content_type="application/json")
    assert response.status_code == 413
    assert "16,777,216" in response.json()["detail"]


def test_a_fault_between_the_inserts_leaves_nothing(officer, monkeypatch):
    def fail(*rows):
        raise ZeroDivisionError

    monkeypatch.setattr(bulk, "insert_together", fail)
    with pytest.raises(ZeroDivisionError):
        send(officer, people(3))
    assert_nothing_written()


def test_the_challenger_scores_each_row_beside(officer):
    put_in_service(small_card() | {"version": "individual-9.9.9"}, role="challenger")
    reply = send(officer, people(2)).json()
    champions = {str(row.id): row for row in PredictionLog.objects.filter(role=CHAMPION)}
    beside = PredictionLog.objects.filter(role=CHALLENGER)
    assert set(champions) == {row["prediction_id"] for row in reply["results"]}
    assert {str(row.beside) for row in beside} == set(champions)
    assert all(row.data_key_id == champions[str(row.beside)].data_key_id for row in beside)
    assert all(row.opened()["facts"] for row in beside)


def test_the_same_idempotency_key_scores_once(officer):
    replies = [officer.post(URL, {"applicants": people(2)}, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    assert PredictionLog.objects.count() == 2


@pytest.mark.parametrize("role", ["approver", "auditor", "administrator"])
def test_other_roles_are_refused(role):
    assert send(client_for(make_user(role)), [PERSON]).status_code == 403
    assert_nothing_written()


def test_companies_too_and_no_other_segment(officer):
    reply = officer.post("/api/score/company/bulk/", {"applicants": [COMPANY]}).json()
    assert reply["results"][0]["mode"] == "fallback"
    assert officer.post("/api/score/planet/bulk/", {"applicants": [COMPANY]}).status_code == 404


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no lengths")
def test_the_database_checks_copied_rows_as_any_other(officer, monkeypatch):
    monkeypatch.setattr(bulk, "uuid4", lambda: "x" * 200)  # a cause longer than its column
    with pytest.raises(DataError, match="too long"):
        send(officer, people(2))
