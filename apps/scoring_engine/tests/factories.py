"""Scorings to test with: facts of a believable person and company, and models in service."""

import hashlib
import pickle
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import create_data_key
from apps.common.database import INSERT_ONLY, lift_guard, set_guard
from apps.common.facts import Found
from apps.scoring_engine.models import ROLES, ModelValidation, ModelVersion, PredictionLog
from apps.scoring_engine.promotion import challenge, promote_model, retire_model
from apps.scoring_engine.registration import register_model, register_shipped_models
from apps.scoring_engine.services import score
from apps.scoring_engine.validation import record_validation

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PERSON = {
    "yearly_income": 50_000,
    "existing_debt": 5_000,
    "requested_amount": 10_000,
    "credit_history_score": 650,
    "credit_history_scale": "fico_300_850",
}
COMPANY = {"revenue": 900_000, "net_income": 45_000, "assets": 600_000, "liabilities": 240_000}


def found(facts: dict[str, Any], source: str = "profile") -> dict[str, Found]:
    return {name: Found(value, source, NOW) for name, value in facts.items()}


def make_prediction(**changes: Any) -> PredictionLog:
    given = {
        "segment": "individual",
        "facts": found(PERSON),
        "unavailable": frozenset(),
        "currency": "UZS",
        "data_key": None,
        "branch": None,
        "actor": None,
        "cause": "test",
        "now": NOW,
    } | changes
    given["data_key"] = given["data_key"] or create_data_key()
    return score(**given)


def caller(user: User, **changes: Any) -> PredictionLog:
    return make_prediction(actor=user, branch=user.branch, **changes)


def register_shipped() -> None:
    """Long before any scoring of a test, and with no trace in the audit trail, where tests count their own events."""
    register_shipped_models(now=LONG_AGO)
    trail = AuditEvent._meta.db_table
    lift_guard(connection, trail)
    AuditEvent.objects.all().delete()
    set_guard(connection, trail, INSERT_ONLY[trail])


def put_in_service(card: dict[str, Any], role: str = "champion", on_own_data: bool = False) -> ModelVersion:
    """`card` registered by one analyst, validated by another, and given the role."""
    checker = make_user("analyst")
    model = draft(card)
    validate(model, checker, on_own_data=on_own_data)
    put = {"champion": promote_model, "challenger": challenge}[role]
    put(model=model, actor=checker, reason="a test", now=LONG_AGO)
    model.refresh_from_db()
    return model


def draft(card: dict[str, Any], maker: User | None = None) -> ModelVersion:
    """`card` registered, and looked at by nobody yet."""
    content = model_bytes(card)
    manifest = {"model": card["version"], "sha256": hashlib.sha256(content).hexdigest()}
    return register_model(content=content, manifest=manifest, actor=maker or make_user("analyst"), now=LONG_AGO)


def validate(model: ModelVersion, validator: User, passed: bool = True, **changes: Any) -> ModelValidation:
    given = {
        "figures": figures_for(model, passed),
        "on_own_data": False,
        "comment": "a test",
        "types_seen": model.types,
        "now": LONG_AGO,
    } | changes
    return record_validation(model=model, passed=passed, actor=validator, **given)


def figures_for(model: ModelVersion, passed: bool = True) -> dict[str, Any]:
    """What of a validation.json counts when it is recorded."""
    return {
        "format": 1,
        "model": {"sha256": model.file_id, "card_digest": model.card_id},
        "data": {"kind": "new_data"},
        "gates": [{"gate": "auc", "required": "at least 0.65", "found": 0.7 if passed else 0.6, "passed": passed}],
    }


def empty_registry() -> None:
    """No model in service."""
    for model in ModelVersion.objects.filter(state__in=ROLES):
        retire_model(model=model, actor=make_user("analyst"), reason="a test", now=LONG_AGO)


def model_bytes(card: dict[str, Any]) -> bytes:
    return pickle.dumps(card, protocol=5)
