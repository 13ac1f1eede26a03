"""Scorings to test with: facts of a believable person and company, and models in service."""

import pickle
from datetime import UTC, datetime
from typing import Any

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.common.crypto import create_data_key
from apps.common.facts import Found
from apps.scoring_engine.ml.risk_model import read_model_bytes
from apps.scoring_engine.models import ROLES, ModelVersion, PredictionLog
from apps.scoring_engine.promotion import challenge, promote_model, retire_model
from apps.scoring_engine.registration import register_shipped_models, store_model
from apps.scoring_engine.services import score

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
    """Long before any scoring of a test."""
    register_shipped_models(now=LONG_AGO)


def put_in_service(card: dict[str, Any], role: str = "champion", **changes: Any) -> ModelVersion:
    """`card` registered by one analyst, validated by another, and given the role."""
    maker, checker = make_user("analyst"), make_user("analyst")
    content = model_bytes(card)
    model = store_model(
        content=content, card=read_model_bytes(content), manifest={}, origin="registered", now=LONG_AGO, made_by=maker
    )
    model.state, model.checked_by = "validated", checker
    model.save()
    put = {"champion": promote_model, "challenger": challenge}[role]
    put(model=model, actor=checker, reason="a test", now=LONG_AGO)
    model.refresh_from_db()
    return model


def empty_registry() -> None:
    """No model in service."""
    for model in ModelVersion.objects.filter(state__in=ROLES):
        retire_model(model=model, actor=make_user("analyst"), reason="a test", now=LONG_AGO)


def model_bytes(card: dict[str, Any]) -> bytes:
    return pickle.dumps(card, protocol=5)
