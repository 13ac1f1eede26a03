"""Triggers on both engines: the moves of a request's status, and the terms of a product, which never change.

SQLite drops triggers when Django rebuilds a table: a migration that alters one of these tables repeats its guard last.
"""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

REQUESTS = "credit_requests_creditrequest"
PRODUCTS = "credit_requests_product"


def set_status_guard(database: BaseDatabaseWrapper, moves: Iterable[tuple[str, str]]) -> None:
    """Only `moves` (from, to) pass; from "" means that a new row may have that status."""
    moves = list(moves)
    first = " OR ".join(f"NEW.status = '{target}'" for source, target in moves if source == "")
    later = " OR ".join(f"(OLD.status = '{source}' AND NEW.status = '{target}')" for source, target in moves if source)
    refuse_when(database, f"{REQUESTS}_first", REQUESTS, "INSERT", f"NOT ({first})", "status of a new request refused")
    moved = f"OLD.status <> NEW.status AND NOT ({later})"
    refuse_when(database, f"{REQUESTS}_moves", REQUESTS, "UPDATE", moved, "status move refused")


def lift_status_guard(database: BaseDatabaseWrapper) -> None:
    drop_trigger(database, f"{REQUESTS}_first", REQUESTS)
    drop_trigger(database, f"{REQUESTS}_moves", REQUESTS)


def set_terms_guard(database: BaseDatabaseWrapper, columns: Iterable[str]) -> None:
    changed = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns)
    refuse_when(database, f"{PRODUCTS}_terms", PRODUCTS, "UPDATE", changed, "terms of a product never change")


def lift_terms_guard(database: BaseDatabaseWrapper) -> None:
    drop_trigger(database, f"{PRODUCTS}_terms", PRODUCTS)


def only_moves(*moves: tuple[str, str]) -> RunPython:
    """A migration operation; its moves are written out there, so that history does not change with the table."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_status_guard(editor.connection, moves)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_status_guard(editor.connection)

    return RunPython(forwards, backwards)


def fixed_terms(*columns: str) -> RunPython:
    """A migration operation: these columns of a product keep the value that they were made with."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_terms_guard(editor.connection, columns)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_terms_guard(editor.connection)

    return RunPython(forwards, backwards)
