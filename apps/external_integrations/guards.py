"""Triggers on both engines: a consent never changes, but for being withdrawn once.

SQLite drops triggers when Django rebuilds a table: a migration that alters the table repeats its guards last.
"""

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

CONSENTS = "external_integrations_consent"
FIXED = ("id", "data_key_id", "source", "purpose", "given_on", "expires_on", "sealed", "created_at")
CHANGED = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in FIXED)
OTHER_MAKER = "COALESCE(OLD.recorded_by_id, 0) <> COALESCE(NEW.recorded_by_id, 0)"


def set_consent_guards(database: BaseDatabaseWrapper) -> None:
    refuse_when(
        database, f"{CONSENTS}_fixed", CONSENTS, "UPDATE", f"{CHANGED} OR {OTHER_MAKER}", "a consent never changes"
    )
    refuse_when(
        database,
        f"{CONSENTS}_once",
        CONSENTS,
        "UPDATE",
        "OLD.withdrawn_at IS NOT NULL",
        "a consent is withdrawn once, for good",
    )


def lift_consent_guards(database: BaseDatabaseWrapper) -> None:
    for name in ("fixed", "once"):
        drop_trigger(database, f"{CONSENTS}_{name}", CONSENTS)


def consents_are_fixed() -> RunPython:
    """A migration operation."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_consent_guards(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_consent_guards(editor.connection)

    return RunPython(forwards, backwards)
