"""The service that writes the log, and what the database keeps of it."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.audit.models import AuditEvent
from apps.common.errors import InvalidInput
from apps.common.facts import Found
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.services import render
from apps.scoring_engine.tests.factories import NOW, PERSON, found, make_prediction, put_in_service
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]


def test_the_row_holds_facts_sources_bins_and_points_sealed():
    facts = found(PERSON) | {"tax_debt": Found(0, "soliq", NOW, "mock")}
    row = make_prediction(facts=facts, unavailable={"property_area"})
    sealed = row.opened()
    assert sealed["sources"]["tax_debt"] == {
        "source": "soliq",
        "at": "2026-03-02T09:30:00+00:00",
        "origin": "mock",
        "is_stale": False,
    }
    assert sealed["facts"] == PERSON | {"tax_debt": 0}
    assert (sealed["unavailable"], sealed["as_of"], sealed["currency"]) == (["property_area"], "2026-03-02", "UZS")
    assert sealed["characteristics"] == [
        {
            "feature": "purpose",
            "value": None,
            "points": 15,
            "reference_points": 40,
            "code": "PURPOSE",
            "bin": "missing",
        },
        {
            "feature": "amount_to_income",
            "value": 0.2,
            "points": 50,
            "reference_points": 50,
            "code": "AMOUNT_TO_INCOME",
            "bin": "[0.2, 0.5)",
        },
        {
            "feature": "credit_history_score",
            "value": 650,
            "points": 60,
            "reference_points": 60,
            "code": "CREDIT_HISTORY_SCORE",
            "bin": "[600, 700)",
        },
    ]
    assert b"50000" not in bytes(row.sealed)


def test_the_day_of_scoring_is_the_lenders():
    """20:00 UTC is already the next day in Tashkent."""
    row = make_prediction(now=datetime(2026, 3, 2, 20, 0, tzinfo=UTC))
    assert row.opened()["as_of"] == "2026-03-03"


def test_dates_are_taken_as_text_or_as_dates_and_kept_as_text():
    for value in ("2015-06-01", date(2015, 6, 1)):
        row = make_prediction(facts=found(PERSON | {"oldest_account_date": value}))
        assert row.opened()["facts"]["oldest_account_date"] == "2015-06-01"


def test_stored_facts_are_checked_like_a_callers():
    with pytest.raises(InvalidInput) as refused:
        make_prediction(facts=found({"yearly_income": 1.5, "sex": "f", "credit_history_score": 5}), currency="XXX")
    assert [problem.field for problem in refused.value.errors] == [
        "credit_history_scale",
        "currency",
        "yearly_income",
        "sex",
    ]
    assert not PredictionLog.objects.exists()


def test_unchanged_inputs_make_no_new_row():
    request_id = uuid.uuid4()
    first = make_prediction(request_id=request_id, cause="create")
    later = NOW + timedelta(days=1)
    again = make_prediction(request_id=request_id, cause="beat:2026-03-03", now=later, latest=first)
    assert again is first
    facts = found(PERSON | {"existing_debt": 5_001})
    changed = make_prediction(request_id=request_id, cause="beat:2026-03-03", now=later, latest=first, facts=facts)
    assert changed.id != first.id
    assert PredictionLog.objects.count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"facts": found(PERSON | {"purpose": "car"})},
        {"unavailable": {"tax_debt"}},
        {"currency": "EUR"},
        {"facts": found(PERSON | {"requested_amount": 10_001})},
    ],
)
def test_changed_inputs_have_another_digest(changes):
    assert make_prediction().inputs_digest != make_prediction(**changes).inputs_digest


def test_another_model_has_another_digest():
    first = make_prediction()
    put_in_service(fixed_card(version="individual-9.1.0"))
    assert make_prediction(latest=first).id != first.id


def test_a_cause_scores_a_request_once():
    request_id = uuid.uuid4()
    first = make_prediction(request_id=request_id, cause="record:1")
    again = make_prediction(request_id=request_id, cause="record:1", facts=found(PERSON | {"salary": 5}))
    assert again.id == first.id
    assert PredictionLog.objects.count() == 1
    assert AuditEvent.objects.filter(action="prediction.create").count() == 1
    assert make_prediction(request_id=uuid.uuid4(), cause="record:1").id != first.id


def test_scoring_that_is_rolled_back_leaves_nothing_and_is_not_counted(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, pytest.raises(ZeroDivisionError), transaction.atomic():
        make_prediction()
        raise ZeroDivisionError
    assert callbacks == []
    assert not PredictionLog.objects.exists()


@pytest.mark.parametrize("table", ["predictionlog", "modelcard"])
@pytest.mark.parametrize(
    "statement", ["UPDATE scoring_engine_{} SET segment = 'company'", "DELETE FROM scoring_engine_{}"]
)
def test_the_database_refuses_to_change_or_delete(table, statement):
    row = make_prediction()
    with pytest.raises(DatabaseError, match=f"scoring_engine_{table} is insert-only"), transaction.atomic():
        connection.cursor().execute(statement.format(table))
    assert render(PredictionLog.objects.get()) == render(row)


def test_the_orm_has_no_way_round():
    row = make_prediction()
    for change in (row.delete, PredictionLog.objects.all().delete, lambda: row.save(update_fields=["score"])):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert PredictionLog.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": -1},
        {"score": 1201},
        {"probability_of_default": 0.0},
        {"probability_of_default": 1.0},
        {"mode": "guess"},
        {"mode": "fallback", "mode_reason": ""},
        {"mode": "model", "mode_reason": "why"},
        {"segment": "planet"},
        {"grade": "H"},
        {"horizon_kind": "ever"},
        {"horizon_months": 0},
        {"horizon_months": 601},
        {"purpose": "fun"},
        {"currency": "XXX"},
        {"cause": ""},
    ],
)
def test_the_database_refuses_a_row_out_of_bounds(wrong):
    row = make_prediction()
    row.id = uuid.uuid4()
    for name, value in wrong.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_one_row_for_a_request_and_cause():
    row = make_prediction(request_id=uuid.uuid4())
    row.id = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_fact_that_a_mock_invented_is_warned_of():
    facts = found(PERSON) | {"tax_debt": Found(7, "soliq", NOW, "mock")}
    warnings = render(make_prediction(facts=facts))["warnings"]
    assert {
        "code": "mock_source",
        "fact": "tax_debt",
        "message": "tax_debt was invented by the mock of soliq",
    } in warnings


def test_a_fact_of_a_stale_record_is_warned_of():
    facts = found(PERSON) | {"tax_debt": Found(7, "soliq", NOW, "http", is_stale=True)}
    warnings = render(make_prediction(facts=facts))["warnings"]
    message = "tax_debt is of a record that soliq has not renewed"
    assert {"code": "stale_record", "fact": "tax_debt", "message": message} in warnings


def test_a_fact_from_the_real_source_is_not():
    facts = found(PERSON) | {"tax_debt": Found(7, "soliq", NOW, "http")}
    assert "mock_source" not in {warning["code"] for warning in render(make_prediction(facts=facts))["warnings"]}
