"""The PostgreSQL role of the running processes: it works with every table and cannot change history."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from apps.common.errors import Conflict

# Written by `migrate`, which runs as the owner; the processes read it to know that they may start.
READ_ONLY = frozenset({"django_migrations"})


def create_process_role(*, database: BaseDatabaseWrapper, role: str, password: str) -> dict[str, int]:
    """Make `role` if it is not there, and give it anew what it may. `database` is connected as the tables' owner.

    Returns how many tables it may only read, may add to, and may work with freely.
    """
    with database.cursor() as cursor:
        _make(cursor, role, password)
        _refuse_powerful(cursor, role)
        _run(cursor, "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}", role)
        _run(cursor, "GRANT USAGE ON SCHEMA {schema} TO {role}", role)
        _run(cursor, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}", role)
        guarded = _insert_only_tables(cursor)
        counts = {"read": 0, "add": 0, "work": 0}
        for table in database.introspection.table_names(cursor):
            counts[_grant(cursor, role, table, "add" if table in guarded else "work")] += 1
    return counts


def _insert_only_tables(cursor: CursorWrapper) -> set[str]:
    """As the database has them: tables with the guard that apps.common.database.insert_only sets."""
    cursor.execute(
        "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE tgname = relname || '_insert_only' AND pg_table_is_visible(pg_class.oid)"
    )
    found = {row[0] for row in cursor.fetchall()}
    if not found:
        raise Conflict("No table is insert-only yet. Run `manage.py migrate --database owner` first.")
    return found


def _make(cursor: CursorWrapper, role: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    _run(cursor, verb + " ROLE {role} LOGIN PASSWORD {password}", role, password=sql.Literal(password))


def _refuse_powerful(cursor: CursorWrapper, role: str) -> None:
    """A superuser, or a member of the owner, would not be bound by any grant."""
    cursor.execute(
        "SELECT rolsuper OR pg_has_role(rolname, current_user, 'member') FROM pg_roles WHERE rolname = %s", [role]
    )
    if cursor.fetchone()[0]:
        raise Conflict(f"The role {role!r} may act as the owner or is a superuser. Name another in DATABASE_URL.")


def _grant(cursor: CursorWrapper, role: str, table: str, kind: str) -> str:
    kind = "read" if table in READ_ONLY else kind
    rights = {"read": "SELECT", "add": "SELECT, INSERT", "work": "SELECT, INSERT, UPDATE, DELETE"}[kind]
    _run(cursor, "REVOKE ALL ON {table} FROM {role}", role, table=sql.Identifier(table))
    _run(cursor, f"GRANT {rights} ON {{table}} TO {{role}}", role, table=sql.Identifier(table))
    return kind


def _run(cursor: CursorWrapper, statement: str, role: str, **parts: sql.Composable) -> None:
    cursor.execute("SELECT current_schema()")
    schema = sql.Identifier(cursor.fetchone()[0])
    cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role), schema=schema, **parts))
