"""Insert-only tables: what the guards refuse, what a condition lets through, and that lifting them is complete."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from apps.common.database import INSERT_ONLY, lift_all_guards, lift_guard, set_all_guards, set_guard

pytestmark = pytest.mark.django_db
TABLE = "guarded_notes"


@pytest.fixture
def notes():
    """A table of (id, keep) whose rows may go only when `keep` is 0."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (id integer PRIMARY KEY, keep integer)")
        set_guard(connection, TABLE, "OLD.keep = 0")
        cursor.execute(f"INSERT INTO {TABLE} VALUES (1, 1), (2, 0)")
    return TABLE


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def ids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_rows_come_in_and_do_not_change(notes):
    run(f"INSERT INTO {TABLE} VALUES (3, 1)")
    with pytest.raises(DatabaseError, match="guarded_notes is insert-only: UPDATE refused"):
        run(f"UPDATE {TABLE} SET keep = 0 WHERE id = 1")
    assert ids() == [1, 2, 3]


def test_only_rows_under_the_condition_go(notes):
    run(f"DELETE FROM {TABLE} WHERE id = 2")
    assert ids() == [1]
    with pytest.raises(DatabaseError, match="guarded_notes is insert-only: DELETE refused"):
        run(f"DELETE FROM {TABLE} WHERE id = 1")
    assert ids() == [1]


def test_a_lifted_guard_lets_everything_through(notes):
    lift_guard(connection, TABLE)
    run(f"UPDATE {TABLE} SET keep = 5")
    run(f"DELETE FROM {TABLE}")
    assert ids() == []


def test_every_insert_only_table_exists_and_has_its_guard():
    tables = {model._meta.db_table for model in apps.get_models()}
    assert set(INSERT_ONLY) <= tables
    assert "audit_auditevent" in INSERT_ONLY
    assert guarded_tables() == set(INSERT_ONLY)


def test_all_guards_come_back_after_a_test_database_was_emptied():
    lift_all_guards()
    assert guarded_tables() == set()
    set_all_guards()
    assert guarded_tables() == set(INSERT_ONLY)


def guarded_tables() -> set[str]:
    """Tables that refuse UPDATE, as the catalogue of the engine has it."""
    catalogue = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name = tbl_name || '_no_update'",
        "postgresql": "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE tgname = relname || '_insert_only' AND tgenabled = 'O'",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        return {row[0] for row in cursor.fetchall()}
