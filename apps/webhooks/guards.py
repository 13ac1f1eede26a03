"""Triggers on both engines: which endpoint a delivery is for never changes, and its state moves as the outbox does.

SQLite drops triggers when Django rebuilds a table: a migration that alters one of these repeats its guards last.
"""

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

ENDPOINTS = "webhooks_webhookendpoint"
DELIVERIES = "webhooks_webhookdelivery"

OTHER_MAKER = """
    OLD.created_at <> NEW.created_at OR COALESCE(OLD.created_by_id, 0) <> COALESCE(NEW.created_by_id, 0)
    OR NEW.version < OLD.version OR OLD.data_key_id <> NEW.data_key_id"""
# Only the counts move without it.
UNCOUNTED = """
    NEW.version = OLD.version AND (OLD.url <> NEW.url OR OLD.sealed <> NEW.sealed OR OLD.events <> NEW.events
    OR OLD.description <> NEW.description OR OLD.is_active <> NEW.is_active)"""
BORN_SENT = "NEW.state <> 'waiting' OR NEW.attempts <> 0"
OTHER_DELIVERY = """
    OLD.event_id <> NEW.event_id OR OLD.endpoint_id <> NEW.endpoint_id OR OLD.created_at <> NEW.created_at"""
MOVED = "OLD.state <> 'waiting' AND (NEW.state <> 'waiting' OR NEW.attempts <> 0)"
UNTOLD = "OLD.state = 'waiting' AND NEW.state <> 'waiting' AND NEW.attempts <> OLD.attempts + 1"
GUARDS = {
    f"{ENDPOINTS}_maker": (ENDPOINTS, "UPDATE", OTHER_MAKER, "made once, and its version only rises"),
    f"{ENDPOINTS}_counted": (ENDPOINTS, "UPDATE", UNCOUNTED, "an endpoint changes with its version"),
    f"{DELIVERIES}_first": (DELIVERIES, "INSERT", BORN_SENT, "a new delivery waits"),
    f"{DELIVERIES}_fixed": (DELIVERIES, "UPDATE", OTHER_DELIVERY, "a delivery is of one event to one endpoint"),
    f"{DELIVERIES}_moves": (DELIVERIES, "UPDATE", MOVED, "a closed delivery is only asked for anew"),
    f"{DELIVERIES}_told": (DELIVERIES, "UPDATE", UNTOLD, "a delivery is closed by an attempt"),
}


def set_webhook_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, event, condition, message) in GUARDS.items():
        refuse_when(database, name, table, event, condition, message)


def lift_webhook_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, *_) in GUARDS.items():
        drop_trigger(database, name, table)


def deliveries_keep_their_way() -> RunPython:
    """A migration operation."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_webhook_guards(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_webhook_guards(editor.connection)

    return RunPython(forwards, backwards)
