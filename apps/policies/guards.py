"""Triggers on both engines: a policy's text never changes, and its state moves one way.

SQLite drops triggers when Django rebuilds a table: a migration that alters the table repeats its guards last.
"""

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

POLICIES = "policies_policyversion"
FIXED = ("code", "version", "segment", "valid_from", "digest", "text", "origin", "created_at")
CHANGED = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in FIXED)
OTHER_MAKER = "COALESCE(OLD.made_by_id, 0) <> COALESCE(NEW.made_by_id, 0)"
MOVED_BACK = "OLD.state <> 'draft'"
BORN_PUBLISHED = "NEW.state <> 'draft'"


def set_policy_guards(database: BaseDatabaseWrapper) -> None:
    refuse_when(database, f"{POLICIES}_first", POLICIES, "INSERT", BORN_PUBLISHED, "a new policy is a draft")
    refuse_when(
        database, f"{POLICIES}_fixed", POLICIES, "UPDATE", f"{CHANGED} OR {OTHER_MAKER}", "a policy never changes"
    )
    refuse_when(database, f"{POLICIES}_final", POLICIES, "UPDATE", MOVED_BACK, "only a draft policy moves")


def lift_policy_guards(database: BaseDatabaseWrapper) -> None:
    for name in ("first", "fixed", "final"):
        drop_trigger(database, f"{POLICIES}_{name}", POLICIES)


def policies_are_fixed() -> RunPython:
    """A migration operation."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_policy_guards(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_policy_guards(editor.connection)

    return RunPython(forwards, backwards)
