"""Triggers on both engines: the moves of a model's state, and what of a model never changes.

SQLite drops triggers when Django rebuilds a table: a migration that alters the table repeats its guards last. Nor can
it rebuild a table that a trigger of another one names: such a migration lifts the service guards first.
"""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

MODELS = "scoring_engine_modelversion"
FIXED = ("segment", "version", "kind", "origin", "file_id", "card_id", "manifest", "types", "created_at")

# Who checked a model, and what they found of it, is only what a validation says of it.
UNCHECKED = """
    (NEW.checked_by_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM scoring_engine_modelvalidation
        WHERE model_id = NEW.id AND passed AND validator_id = NEW.checked_by_id))
    OR (NEW.on_own_data AND NOT EXISTS (SELECT 1 FROM scoring_engine_modelvalidation
        WHERE model_id = NEW.id AND passed AND on_own_data))"""
# The last validation opens the way to service. Until there is one, a shipped model stands on its published figures.
UNFIT = """
    NEW.state <> OLD.state AND NEW.state IN ('champion', 'challenger')
    AND NOT COALESCE((SELECT passed FROM scoring_engine_modelvalidation
        WHERE model_id = NEW.id ORDER BY created_at DESC LIMIT 1), NEW.origin = 'shipped')"""
BY_ITS_MAKER = """
    EXISTS (SELECT 1 FROM scoring_engine_modelversion WHERE id = NEW.model_id AND made_by_id = NEW.validator_id)"""
IN_THE_PAST = """
    EXISTS (SELECT 1 FROM scoring_engine_modelassignment
        WHERE segment = NEW.segment AND started_at > NEW.started_at)"""
# Trigger: table, event, condition, message.
SERVICE = {
    f"{MODELS}_made": (MODELS, "INSERT", UNCHECKED, "no validation says so of the model"),
    f"{MODELS}_checked": (MODELS, "UPDATE", UNCHECKED, "no validation says so of the model"),
    f"{MODELS}_fit": (MODELS, "UPDATE", UNFIT, "the last validation of the model did not pass"),
    "scoring_engine_modelvalidation_pair": (
        "scoring_engine_modelvalidation", "INSERT", BY_ITS_MAKER, "a model is not validated by its maker",
    ),
    "scoring_engine_modelassignment_forwards": (
        "scoring_engine_modelassignment", "INSERT", IN_THE_PAST, "the history of service runs forward",
    ),
}  # fmt: skip


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


def set_service_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, event, condition, message) in SERVICE.items():
        refuse_when(database, name, table, event, condition, message)


def lift_service_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, *_) in SERVICE.items():
        drop_trigger(database, name, table)


def lift_model_guards(database: BaseDatabaseWrapper) -> None:
    for name in ("first", "moves", "fixed"):
        drop_trigger(database, f"{MODELS}_{name}", MODELS)


def only_validated_serve() -> RunPython:
    """A migration operation, after that of only_moves."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_service_guards(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_service_guards(editor.connection)

    return RunPython(forwards, backwards)


def only_moves(*moves: tuple[str, str]) -> RunPython:
    """A migration operation; its moves are written out there, so that history does not change with the table."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_model_guards(editor.connection, moves)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_model_guards(editor.connection)

    return RunPython(forwards, backwards)
