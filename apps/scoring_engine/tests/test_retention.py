"""The only DELETE that the log lets pass: unlinked rows, in the span of a recorded run."""

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit.models import AuditEvent
from apps.common.crypto import create_data_key
from apps.common.errors import InvalidInput
from apps.common.models import DataKey
from apps.common.tests.process_role import own_role
from apps.scoring_engine.models import PredictionLog, RetentionRun
from apps.scoring_engine.retention import clean_up_prediction_logs, run_retention
from apps.scoring_engine.tests.factories import NOW, make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
ROLE = own_role("processes_that_record_a_run")


def make_aged(days: float, **changes):
    return make_prediction(now=NOW - timedelta(days=days), **changes)


def remaining():
    return set(PredictionLog.objects.values_list("id", flat=True))


def test_only_old_rows_that_no_request_is_linked_to_are_removed():
    kept = {make_aged(100, request_id=uuid.uuid4()).id, make_aged(90).id, make_aged(1).id}
    removed = [make_aged(90.001), make_aged(200)]
    run = run_retention(older_than_days=90, actor=None, now=NOW)
    assert remaining() == kept
    assert run == RetentionRun.objects.get()
    assert (run.row_count, run.older_than) == (2, NOW - timedelta(days=90))
    assert (run.first_created_at, run.last_created_at) == (removed[1].created_at, removed[0].created_at)
    event = AuditEvent.objects.get(action="retention.run")
    assert (event.subject_id, event.details) == (str(run.id), {"rows": 2})


def test_keys_made_for_one_scoring_go_and_those_of_people_stay():
    person, shared = create_data_key("a person"), create_data_key()
    make_aged(100, data_key=person)
    make_aged(100)
    make_aged(100, data_key=shared)
    make_aged(1, data_key=shared)
    run_retention(older_than_days=90, actor=None, now=NOW)
    assert set(DataKey.objects.all()) == {person, shared}


def test_nothing_old_makes_no_run():
    make_aged(89)
    assert run_retention(older_than_days=90, actor=None, now=NOW) is None
    assert not RetentionRun.objects.exists()


def test_a_large_clean_up_goes_run_by_run_and_rows_of_one_moment_stay_together():
    for days in (100, 101, 101, 102, 103):
        make_aged(days)
    first = run_retention(older_than_days=90, actor=None, now=NOW, most_rows=3)
    assert (first.row_count, len(remaining())) == (4, 1)
    assert clean_up_prediction_logs(older_than_days=90, actor=None, now=NOW) == {"runs": 1, "rows": 1}
    assert remaining() == set()


@pytest.mark.parametrize("days", [0, -1, 1.5, "90", True, 10**6])
def test_a_wrong_number_of_days_removes_nothing(days):
    make_aged(100)
    with pytest.raises(InvalidInput, match="older_than_days"):
        run_retention(older_than_days=days, actor=None, now=NOW)
    assert len(remaining()) == 1


def refused(statement, *arguments):
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        connection.cursor().execute(statement, arguments)
    return str(error.value)


def test_no_other_delete_passes_before_or_after_a_run():
    kept = {make_aged(100, request_id=uuid.uuid4()).id, make_aged(50).id}
    assert "DELETE refused" in refused("DELETE FROM scoring_engine_predictionlog")
    make_aged(100)
    run_retention(older_than_days=90, actor=None, now=NOW)
    # Neither the linked row inside the span of the run nor the younger one outside it.
    for prediction_id in kept:
        with pytest.raises(DatabaseError, match="DELETE refused"), transaction.atomic():
            PredictionLog.objects.filter(id=prediction_id)._raw_delete("default")
    assert remaining() == kept


def test_a_run_that_miscounts_is_refused_whole():
    old = make_aged(100)
    for count in (2, 5):
        run = RetentionRun(
            created_at=NOW,
            older_than=NOW - timedelta(days=90),
            first_created_at=old.created_at,
            last_created_at=old.created_at,
            row_count=count,
        )
        with pytest.raises(DatabaseError, match="the retention run"), transaction.atomic():
            run.save(force_insert=True)
    assert remaining() == {old.id}
    assert not RetentionRun.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"row_count": 0},
        {"older_than": NOW - timedelta(days=100)},
        {"older_than": NOW + timedelta(days=1)},
        {"first_created_at": NOW - timedelta(days=99)},
    ],
)
def test_a_run_with_an_impossible_span_is_refused(wrong):
    old = make_aged(100)
    right = {
        "created_at": NOW,
        "older_than": NOW - timedelta(days=90),
        "first_created_at": old.created_at,
        "last_created_at": old.created_at,
        "row_count": 1,
    }
    with pytest.raises(DatabaseError), transaction.atomic():
        RetentionRun(**right | wrong).save(force_insert=True)
    assert remaining() == {old.id}


def test_a_run_is_history_too():
    make_aged(100)
    run_retention(older_than_days=90, actor=None, now=NOW)
    assert "is insert-only" in refused("UPDATE scoring_engine_retentionrun SET row_count = 5")
    assert "is insert-only" in refused("DELETE FROM scoring_engine_retentionrun")


def test_a_linked_row_stays_even_when_the_run_names_its_span():
    old = make_aged(100, request_id=uuid.uuid4())
    run = RetentionRun(
        created_at=NOW,
        older_than=NOW - timedelta(days=90),
        first_created_at=old.created_at,
        last_created_at=old.created_at,
        row_count=1,
    )
    with pytest.raises(DatabaseError, match="the retention run"), transaction.atomic():
        run.save(force_insert=True)
    assert remaining() == {old.id}


def test_a_process_without_the_right_to_delete_can_still_record_a_run():
    """In production the processes' role has INSERT and SELECT only; the trigger removes as its definer."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    old = make_aged(100)
    tables = "scoring_engine_predictionlog, scoring_engine_retentionrun"
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            pytest.skip("the role of this test may not create roles")
        cursor.execute(f"CREATE ROLE {ROLE}")
        cursor.execute(f"GRANT SELECT, INSERT ON {tables}, accounts_user TO {ROLE}")
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        assert "permission denied" in refused("DELETE FROM scoring_engine_predictionlog")
        RetentionRun(
            created_at=NOW,
            older_than=NOW - timedelta(days=90),
            first_created_at=old.created_at,
            last_created_at=old.created_at,
            row_count=1,
        ).save(force_insert=True)
        cursor.execute("RESET ROLE")
    assert remaining() == set()
