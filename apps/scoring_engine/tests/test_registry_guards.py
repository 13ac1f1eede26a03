"""What the database itself refuses of the registry, whoever writes: each by raw SQL, on SQLite and on PostgreSQL."""

import hashlib

import pytest
from django.db import IntegrityError, connection, transaction

from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import STATES, ModelAssignment, ModelFile, ModelValidation, ModelVersion
from apps.scoring_engine.tests.factories import draft, put_in_service, validate
from apps.scoring_engine.transitions import MOVES, NEW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_models")]
MODELS = ModelVersion._meta.db_table
VALIDATIONS = ModelValidation._meta.db_table
ASSIGNMENTS = ModelAssignment._meta.db_table
FILES = ModelFile._meta.db_table


def refused(statement, values=(), message=None):
    """The message of the refusal; a statement that passes fails the test."""
    with pytest.raises(IntegrityError, match=message), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def run(statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def key(model):
    """An id as the database keeps it: SQLite has no type for it."""
    return model.id if connection.vendor == "postgresql" else model.id.hex


def set_state(model, state):
    return f"UPDATE {MODELS} SET state = %s WHERE id = %s", (state, key(model))


def test_the_maker_is_not_the_checker(model, maker, checker):
    validate(model, checker)
    refused(f"UPDATE {MODELS} SET checked_by_id = %s WHERE id = %s", (maker.id, key(model)))


def copied(model, validator, at, **changes):
    """An INSERT of a passed validation by `validator`, beside the service."""
    true = "TRUE" if connection.vendor == "postgresql" else "1"
    passed = f"{true}, {true}, {changes.get('gates', true)}"
    new = hashlib.md5(at.encode(), usedforsecurity=False).hexdigest()
    return (
        f"INSERT INTO {VALIDATIONS} (id, model_id, validator_id, created_at, passed, on_own_data, gates_passed,"
        f" figures, comment) VALUES (%s, %s, %s, %s, {passed}, '{{}}', 'sound')",
        (new, key(model), validator.id, at),
    )


def test_a_validation_is_not_by_the_maker(model, maker, checker):
    refused(*copied(model, maker, "2026-01-01"), message="not validated by its maker")
    assert run(*copied(model, checker, "2026-01-01")) == 1


@pytest.mark.parametrize("gates", ["NULL", "FALSE"])
def test_a_validation_does_not_pass_without_its_gates(model, checker, gates):
    refused(*copied(model, checker, "2026-01-01", gates=gates), message="validation_passes_its_gates")


def test_nobody_checked_what_no_validation_tells_of(model, checker):
    statement = f"UPDATE {MODELS} SET checked_by_id = %s WHERE id = %s", (checker.id, key(model))
    refused(*statement, message="no validation says so")
    validate(model, checker, passed=False)
    refused(*statement, message="no validation says so")


def test_data_are_not_made_own_without_a_validation(model, checker):
    validate(model, checker)
    true = "TRUE" if connection.vendor == "postgresql" else "1"
    refused(f"UPDATE {MODELS} SET on_own_data = {true} WHERE id = %s", (key(model),), "no validation says so")


@pytest.mark.parametrize("target", ["champion", "challenger"])
def test_a_draft_does_not_skip_its_validation(model, target):
    refused(*set_state(model, target))
    assert run(*set_state(model, "retired")) == 1
    refused(*set_state(model, target))


@pytest.mark.parametrize("target", ["champion", "challenger"])
def test_a_model_whose_last_validation_failed_does_not_serve(model, checker, target):
    validate(model, checker)
    validate(model, checker, passed=False)
    refused(*set_state(model, target), message="last validation of the model did not pass")
    validate(model, checker)
    assert run(*set_state(model, target)) == 1


def test_a_new_model_is_a_draft(model):
    others = "segment, 'other', kind, origin, manifest, types, since, created_at, made_by_id, on_own_data"
    columns = "segment, version, kind, origin, manifest, types, since, created_at, made_by_id, on_own_data"
    for state in set(STATES) - {"draft"}:
        refused(
            f"INSERT INTO {MODELS} (id, file_id, card_id, state, {columns})"
            f" SELECT %s, 'f', 'c', %s, {others} FROM {MODELS} WHERE id = %s",
            ("0" * 32, state, key(model)),
            "state of a new model refused",
        )


def test_there_are_no_two_champions_and_no_two_challengers(checker):
    for role in ("champion", "challenger"):
        put_in_service(small_card() | {"version": f"{role}-1"}, role=role)
        other = draft(small_card() | {"version": f"{role}-2"})
        validate(other, checker)
        refused(*set_state(other, role), message="segment|model_one_")


def test_the_moves_of_the_table_are_those_of_the_database(checker):
    allowed = {(source, target) for (_, source), target in MOVES.items() if source != NEW}
    found = set()
    for source in STATES:
        for target in set(STATES) - {source}:
            with transaction.atomic():
                model = at_state(source, f"{source}-{target}", checker)
                try:
                    with transaction.atomic():
                        run(*set_state(model, target))
                    found.add((source, target))
                except IntegrityError:
                    pass
                transaction.set_rollback(True)
    assert found == allowed


def at_state(state, version, checker):
    model = draft(small_card() | {"version": version})
    if state == "draft":
        run(*copied(model, checker, "2026-01-01"))
        run(f"UPDATE {MODELS} SET checked_by_id = %s WHERE id = %s", (checker.id, key(model)))
        return model
    validate(model, checker)
    if state != "validated":
        run(*set_state(model, state))
    return model


WHAT_NEVER_CHANGES = {
    "segment": "'company'",
    "version": "'other'",
    "kind": "'estimator'",
    "origin": "'shipped'",
    "file_id": "'0'",
    "card_id": "'0'",
    "manifest": "'[1]'",
    "types": "'[1]'",
    "created_at": "'2026-01-01'",
    "made_by_id": "NULL",
}


@pytest.mark.parametrize(("column", "value"), WHAT_NEVER_CHANGES.items(), ids=WHAT_NEVER_CHANGES)
def test_what_a_model_is_never_changes(model, column, value):
    refused(f"UPDATE {MODELS} SET {column} = {value} WHERE id = %s", (key(model),))


@pytest.mark.parametrize("table", [MODELS, VALIDATIONS, ASSIGNMENTS, FILES])
def test_history_is_not_deleted(table):
    put_in_service(small_card())
    refused(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    ("table", "change"),
    [(VALIDATIONS, "comment = 'x'"), (ASSIGNMENTS, "reason = 'x'"), (FILES, "content = ''")],
    ids=["a validation", "an assignment", "the bytes of a file"],
)
def test_history_is_not_rewritten(table, change):
    put_in_service(small_card())
    refused(f"UPDATE {table} SET {change}", message="insert-only")


def test_history_is_not_dated_back(checker):
    put_in_service(small_card())
    refused(
        f"INSERT INTO {ASSIGNMENTS} (segment, role, started_at, action, reason)"
        " VALUES ('individual', 'champion', '1999-01-01', 'promote', 'it was so')",
        message="history of service runs forward",
    )


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", [VALIDATIONS, ASSIGNMENTS, FILES])
def test_history_is_not_emptied(table):
    with pytest.raises(IntegrityError, match="insert-only"), transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run(f"TRUNCATE {table} CASCADE")
