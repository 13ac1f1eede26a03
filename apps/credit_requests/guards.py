"""Triggers on both engines: the moves of a request's status, who may decide, and the terms of a product.

SQLite drops triggers when Django rebuilds a table: a migration that alters one of these tables repeats its guard last.
Nor can it rebuild a table that a trigger of another one names: such a migration lifts the decision guards first.
"""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from apps.common.database import drop_trigger, refuse_when

REQUESTS = "credit_requests_creditrequest"
PRODUCTS = "credit_requests_product"
DECISIONS = "credit_requests_decision"
OVERRIDES = "credit_requests_override"
LINKS = "credit_requests_stafflink"

# The person that the column names may not speak of the request: not of those roles, of another branch, no longer here,
# a service account, or linked to the applicant.
_MAY_NOT = """
    NEW.{column} IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM accounts_user u JOIN credit_requests_creditrequest r ON r.id = NEW.credit_request_id
        WHERE u.id = NEW.{column} AND u.is_active AND u.role IN ({roles}) AND u.branch_id = r.branch_id
            AND (u.kind = 'person' OR {service})
            AND NOT EXISTS (SELECT 1 FROM credit_requests_stafflink l WHERE l.user_id = u.id AND l.ended_at IS NULL
                AND (l.individual_id = r.individual_id OR l.company_id = r.company_id)))"""


def _may_not(column: str, roles: str, service: str = "FALSE") -> str:
    return _MAY_NOT.format(column=column, roles=roles, service=service)


DECIDERS, CHECKERS = "'officer', 'approver'", "'approver'"
WITHDRAWN = """
    EXISTS (SELECT 1 FROM credit_requests_creditrequest WHERE id = NEW.credit_request_id AND status = 'withdrawn')"""
UNPUBLISHED = """
    NEW.policy_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM policies_policyversion WHERE id = NEW.policy_id AND state = 'published')"""
OF_ANOTHER = """
    NEW.prediction_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM scoring_engine_predictionlog
        WHERE id = NEW.prediction_id AND request_id = NEW.credit_request_id)"""
OTHER_MARKS = """
    NEW.prediction_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM scoring_engine_predictionlog
        WHERE id = NEW.prediction_id AND score = NEW.score AND grade = NEW.grade
            AND (mode = 'fallback') = NEW.is_fallback AND (purpose = 'demonstration') = NEW.is_demonstration)"""
UNCONFIRMED = """
    NEW.override_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credit_requests_override o
        WHERE o.id = NEW.override_id AND o.credit_request_id = NEW.credit_request_id AND o.state = 'confirmed'
            AND o.outcome = NEW.outcome AND o.direction = NEW.direction AND o.requested_by_id = NEW.made_by_id
            AND COALESCE(o.closed_by_id, 0) = COALESCE(NEW.checked_by_id, 0))"""
UNDECIDED = """
    OLD.status <> NEW.status AND NEW.status IN ('approved', 'rejected', 'referred')
    AND NEW.status <> COALESCE((
        SELECT CASE outcome WHEN 'approve' THEN 'approved' WHEN 'decline' THEN 'rejected' ELSE 'referred' END
        FROM credit_requests_decision WHERE credit_request_id = NEW.id ORDER BY number DESC LIMIT 1), '')"""
FIXED_IN_OVERRIDE = (
    "credit_request_id", "against_id", "outcome", "direction", "reason_code", "amount", "term_months",
    "annual_rate_basis_points", "needs_second_person", "requested_by_id", "requested_at", "expires_at", "sealed",
)  # fmt: skip
OVERRIDE_CHANGED = "OLD.state <> 'waiting' OR " + " OR ".join(f"OLD.{name} <> NEW.{name}" for name in FIXED_IN_OVERRIDE)
BORN_CLOSED = "NEW.state <> 'waiting' AND (NEW.state <> 'confirmed' OR NEW.needs_second_person)"
LINK_CHANGED = """
    OLD.ended_at IS NOT NULL OR OLD.user_id <> NEW.user_id OR OLD.relation <> NEW.relation
    OR OLD.made_by_id <> NEW.made_by_id OR OLD.created_at <> NEW.created_at
    OR OLD.individual_id <> NEW.individual_id OR OLD.company_id <> NEW.company_id"""
# Trigger: table, event, condition, message.
DECISION_GUARDS = {
    f"{DECISIONS}_maker": (
        DECISIONS, "INSERT", _may_not("made_by_id", DECIDERS, "NEW.kind = 'policy'"), "not theirs to decide",
    ),
    f"{DECISIONS}_checker": (DECISIONS, "INSERT", _may_not("checked_by_id", CHECKERS), "not theirs to confirm"),
    f"{DECISIONS}_withdrawn": (DECISIONS, "INSERT", WITHDRAWN, "a withdrawn request is not decided"),
    f"{DECISIONS}_policy": (DECISIONS, "INSERT", UNPUBLISHED, "only a published policy decides"),
    f"{DECISIONS}_prediction": (DECISIONS, "INSERT", OF_ANOTHER, "the prediction is of another request"),
    f"{DECISIONS}_override": (DECISIONS, "INSERT", UNCONFIRMED, "the override is not confirmed, or another"),
    f"{REQUESTS}_decided": (REQUESTS, "UPDATE", UNDECIDED, "no decision leads to this status"),
    f"{OVERRIDES}_first": (OVERRIDES, "INSERT", BORN_CLOSED, "a new override waits for its second person"),
    f"{OVERRIDES}_maker": (OVERRIDES, "INSERT", _may_not("requested_by_id", DECIDERS), "not theirs to override"),
    f"{OVERRIDES}_checker": (OVERRIDES, "UPDATE", _may_not("closed_by_id", CHECKERS), "not theirs to confirm"),
    f"{OVERRIDES}_withdrawn": (OVERRIDES, "INSERT", WITHDRAWN, "a withdrawn request is not decided"),
    f"{OVERRIDES}_fixed": (OVERRIDES, "UPDATE", OVERRIDE_CHANGED, "an override is only closed, once"),
    f"{LINKS}_fixed": (LINKS, "UPDATE", LINK_CHANGED, "a link is only ended, once"),
}  # fmt: skip


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


def of_its_prediction() -> RunPython:
    """A migration operation: what a request says of its newest prediction is what the log says."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        for event in ("INSERT", "UPDATE"):
            name, message = f"{REQUESTS}_marks_{event.lower()}", "the marks of a request are those of its prediction"
            refuse_when(editor.connection, name, REQUESTS, event, OTHER_MARKS, message)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        for event in ("insert", "update"):
            drop_trigger(editor.connection, f"{REQUESTS}_marks_{event}", REQUESTS)

    return RunPython(forwards, backwards)


def set_decision_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, event, condition, message) in DECISION_GUARDS.items():
        refuse_when(database, name, table, event, condition, message)


def lift_decision_guards(database: BaseDatabaseWrapper) -> None:
    for name, (table, *_) in DECISION_GUARDS.items():
        drop_trigger(database, name, table)


def only_those_who_may_decide() -> RunPython:
    """A migration operation."""

    def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        set_decision_guards(editor.connection)

    def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        lift_decision_guards(editor.connection)

    return RunPython(forwards, backwards)
