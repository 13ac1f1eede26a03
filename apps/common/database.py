"""What the database itself keeps: tables that are only ever inserted into, guarded by triggers on both engines."""

from collections.abc import Callable

from django.apps.registry import Apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

# table -> SQL condition on OLD under which a DELETE passes ("" for never). Filled by the migrations' own calls.
INSERT_ONLY: dict[str, str] = {}
# Tables whose rows change but never go. Filled in the same way.
NEVER_DELETED: set[str] = set()

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF {condition} THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION '{table} is insert-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_guard();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_guard();
"""
_SQLITE = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is insert-only: UPDATE refused'); END;
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({condition})
BEGIN SELECT RAISE(ABORT, '{table} is insert-only: DELETE refused'); END;
"""
_LIFT = {
    "postgresql": """
DROP TRIGGER IF EXISTS {table}_insert_only ON {table};
DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
""",
    "sqlite": """
DROP TRIGGER IF EXISTS {table}_no_update;
DROP TRIGGER IF EXISTS {table}_no_delete;
""",
}


_TRIGGER = {
    "postgresql": """
CREATE OR REPLACE FUNCTION {name}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_guard();
""",
    "sqlite": """
CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{message}'); END;
""",
}


def run_script(database: BaseDatabaseWrapper, script: str) -> None:
    """Run several statements; SQLite's driver wants them one by one, and its triggers hold semicolons of their own."""
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(script)
            return
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement)


def set_guard(database: BaseDatabaseWrapper, table: str, condition: str) -> None:
    lift_guard(database, table)
    template = _POSTGRESQL if database.vendor == "postgresql" else _SQLITE
    never = "FALSE" if database.vendor == "postgresql" else "0"
    run_script(database, template.format(table=table, condition=condition or never))


def lift_guard(database: BaseDatabaseWrapper, table: str) -> None:
    run_script(database, _LIFT[database.vendor].format(table=table))


def refuse_when(database: BaseDatabaseWrapper, name: str, table: str, event: str, condition: str, message: str) -> None:
    """Set the trigger `name`: the `event` (INSERT, UPDATE or DELETE) of a row for which `condition` holds is refused.

    The condition is SQL on OLD and NEW, and may look into other tables.
    """
    script = _TRIGGER[database.vendor].format(name=name, table=table, event=event, condition=condition, message=message)
    drop_trigger(database, name, table)
    run_script(database, script)


def drop_trigger(database: BaseDatabaseWrapper, name: str, table: str) -> None:
    on = f" ON {table}" if database.vendor == "postgresql" else ""
    run_script(database, f"DROP TRIGGER IF EXISTS {name}{on};\n")


def insert_only(table: str, *, delete_when: str = "") -> RunPython:
    """A migration operation: `table` refuses UPDATE, TRUNCATE and, but for `delete_when`, DELETE.

    To be repeated where a migration makes SQLite rebuild the table, which drops its triggers.
    """
    INSERT_ONLY[table] = delete_when
    return RunPython(_forwards(table, delete_when), _backwards(table))


def never_deleted(table: str) -> RunPython:
    """A migration operation: rows of `table` are never deleted. To be repeated as insert_only is."""
    NEVER_DELETED.add(table)

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        _refuse_deletion(editor.connection, table)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        drop_trigger(editor.connection, f"{table}_stays", table)

    return RunPython(forwards, backwards)


def _refuse_deletion(database: BaseDatabaseWrapper, table: str) -> None:
    refuse_when(database, f"{table}_stays", table, "DELETE", "1 = 1", f"rows of {table} are never deleted")


def _forwards(table: str, condition: str) -> Callable[[Apps, BaseDatabaseSchemaEditor], None]:
    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_guard(editor.connection, table, condition)

    return forwards


def _backwards(table: str) -> Callable[[Apps, BaseDatabaseSchemaEditor], None]:
    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_guard(editor.connection, table)

    return backwards


def lift_all_guards() -> None:
    """For a test database that has to be emptied; nothing else calls it."""
    for table in INSERT_ONLY:
        lift_guard(connection, table)
    for table in NEVER_DELETED:
        drop_trigger(connection, f"{table}_stays", table)


def set_all_guards() -> None:
    for table, condition in INSERT_ONLY.items():
        set_guard(connection, table, condition)
    for table in NEVER_DELETED:
        _refuse_deletion(connection, table)
