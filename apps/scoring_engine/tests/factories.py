"""Scorings to test with: facts of a believable person and company, and a folder of models that stays as it is."""

import hashlib
import json
import pickle
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.accounts.models import User
from apps.common.crypto import create_data_key
from apps.common.facts import Found
from apps.scoring_engine.ml import risk_model
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.services import score

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ML_FOLDER = Path(risk_model.__file__).parent
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


def lay_model_folder(folder: Path) -> Path:
    """A folder like ml/, with the expert cards and no model."""
    shutil.copytree(ML_FOLDER / "expert", folder / "expert")
    (folder / "models").mkdir()
    approve(folder, {})
    return folder


def approve(folder: Path, digests: dict[str, list[str]]) -> None:
    (folder / "approved.json").write_text(json.dumps({"individual": [], "company": []} | digests))


def put_model(folder: Path, data: bytes, *, approved: bool = True) -> None:
    """`data` as the file of the individual model."""
    (folder / "models" / "individual_model.joblib").write_bytes(data)
    if approved:
        approve(folder, {"individual": [hashlib.sha256(data).hexdigest()]})


def model_bytes(card: dict[str, Any]) -> bytes:
    return pickle.dumps(card, protocol=5)
