"""Triggers on both engines: the moves of a model's state, and what of a model never changes.

SQLite drops triggers when Django rebuilds a table: a migration that alters the table repeats its guards last.
"""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

MODELS = "scoring_engine_modelversion"
FIXED = ("segment", "version", "kind", "origin", "file_id", "card_id", "manifest", "types", "created_at")


def set_model_guards(database: BaseDatabaseWrapper, moves: Iterable[tuple[str, str]]) -> None:
    """Only `moves` (from, to) of the state pass; from "" means that a new row may have that state."""
    moves = list(moves)
    first = " OR ".join(f"NEW.state = '{target}'" for source, target in moves if source == "")
    later = " OR ".join(f"(OLD.state = '{source}' AND NEW.state = '{target}')" for source, target in moves if source)
    changed = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in FIXED)
    maker = "COALESCE(OLD.made_by_id, 0) <> COALESCE(NEW.made_by_id, 0)"
    refuse_when(database, f"{MODELS}_first", MODELS, "INSERT", f"NOT ({first})", "state of a new model refused")
    refuse_when(
        database, f"{MODELS}_moves", MODELS, "UPDATE", f"OLD.state <> NEW.state AND NOT ({later})", "state move refused"
    )
    refuse_when(database, f"{MODELS}_fixed", MODELS, "UPDATE", f"{changed} OR {maker}", "a model never changes")


def lift_model_guards(database: BaseDatabaseWrapper) -> None:
    for name in ("first", "moves", "fixed"):
        drop_trigger(database, f"{MODELS}_{name}", MODELS)


def only_moves(*moves: tuple[str, str]) -> RunPython:
    """A migration operation; its moves are written out there, so that history does not change with the table."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_model_guards(editor.connection, moves)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_model_guards(editor.connection)

    return RunPython(forwards, backwards)
