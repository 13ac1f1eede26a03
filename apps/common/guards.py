"""Triggers on data keys: what was destroyed stays so, and a key in use changes by being wrapped anew alone."""

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

KEYS = "common_datakey"
KEY_CHANGED = """
    OLD.id <> NEW.id OR OLD.created_at <> NEW.created_at OR OLD.destroyed_at IS NOT NULL
    OR (NEW.destroyed_at IS NULL AND (
        COALESCE(OLD.owner_index, '') <> COALESCE(NEW.owner_index, '')
        OR (OLD.key_id = NEW.key_id) <> (OLD.wrapped = NEW.wrapped)))"""


def set_key_guard(database: BaseDatabaseWrapper) -> None:
    message = "a data key is only wrapped anew or destroyed, for good"
    refuse_when(database, f"{KEYS}_kept", KEYS, "UPDATE", KEY_CHANGED, message)


def only_rewrapped_or_destroyed() -> RunPython:
    """A migration operation; to be repeated where a later one makes SQLite rebuild the table."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_key_guard(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        drop_trigger(editor.connection, f"{KEYS}_kept", KEYS)

    return RunPython(forwards, backwards)
