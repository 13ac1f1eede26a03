"""A card with pairs and facts of the lender's own behind POST /api/score/individual/, and read back from the log."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_user
from apps.common.days import lender_today
from apps.scoring_engine.ml import risk_model
from apps.scoring_engine.ml.risk_model import describe_model, predict_individual_risk
from apps.scoring_engine.ml.tests.examples import OWN_FACTS, applicant, wide_card
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import empty_registry, model_bytes, put_in_service

pytestmark = pytest.mark.django_db
ADDRESS = "/api/score/individual/"
NAME = "amount_to_income x months_at_address"
BODY = {
    name: value.isoformat() if hasattr(value, "isoformat") else value
    for name, value in applicant(**OWN_FACTS, requested_amount=450).items()
}


@pytest.fixture
def officer(no_models):
    put_in_service(wide_card())
    return client_for(make_user("officer"))


def test_the_reply_explains_a_pair_and_the_log_keeps_it(officer):
    reply = officer.post(ADDRESS, BODY)
    assert reply.status_code == 200, reply.content[:500]
    body = reply.json()
    entry = next(entry for entry in body["explanation"] if entry["feature"] == NAME)
    assert entry == {
        "feature": NAME,
        "value": [0.45, 11],
        "points": -7,
        "reference_points": 4,
        "impact": -11,
        "code": "AMOUNT_TO_INCOME_X_MONTHS_AT_ADDRESS",
        "reason": "Requested amount to yearly income is 30 % or more, while Time at the address is under 12 months",
    }
    assert body["score"] == body["reference_score"] + sum(entry["impact"] for entry in body["explanation"])
    kept = officer.get(f"/api/prediction-logs/{body['prediction_id']}/").json()
    assert kept["explanation"] == body["explanation"]
    assert kept["facts"]["housing"]["value"] == "own"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The folder of a bare installation that has the wide card as its model."""
    content = model_bytes(wide_card())
    shutil.copytree(Path(risk_model.__file__).parent / "expert", tmp_path / "expert")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "individual_model.joblib").write_bytes(content)
    approved = {"individual": [hashlib.sha256(content).hexdigest()], "company": []}
    (tmp_path / "approved.json").write_text(json.dumps(approved))
    monkeypatch.setattr(risk_model, "_SHELF", risk_model.Shelf(tmp_path))


def test_bare_prediction_gives_the_same_reasons(officer, shelf):
    body = officer.post(ADDRESS, BODY).json()
    score, explanation, version = predict_individual_risk(BODY, as_of=lender_today(timezone.now()))
    assert (score, version) == (body["score"], body["model_version"])
    assert explanation == body["explanation"]
    assert describe_model(version)["pairs"] == wide_card()["pairs"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("months_at_address", 901, "901 was given; it must be a whole number from 0 to 900, or a special code (9999)."),
        ("load", "0.4", '"0.4" was given; it must be a number from -0.5 to 4.5.'),
        ("housing", 1, "1 was given; it must be a text of 1 to 100 printable characters."),
    ],
)
def test_a_wrong_own_fact_is_refused_by_name(officer, name, value, message):
    reply = officer.post(ADDRESS, BODY | {name: value})
    assert reply.status_code == 400
    assert reply.json()["errors"] == [{"field": name, "message": message}]
    assert not PredictionLog.objects.exists()


def test_an_own_fact_may_have_been_unavailable(officer):
    facts = {name: value for name, value in BODY.items() if name != "months_at_address"}
    body = officer.post(ADDRESS, facts | {"unavailable": ["months_at_address"]}).json()
    impacts = {entry["feature"]: entry["impact"] for entry in body["explanation"]}
    assert (impacts["months_at_address"], impacts[NAME]) == (0, 0)


def test_the_schema_tells_own_facts_whole(officer):
    inputs = {entry["name"]: entry for entry in officer.get("/api/score/schema/individual/").json()["inputs"]}
    assert inputs["load"] == {
        "name": "load",
        "kind": "number",
        "unit": "ratio",
        "least": -0.5,
        "most": 4.5,
        "values": [],
        "meaning": "Load: a fact of the lender's own",
        "required": False,
        "special_codes": {},
        "scale": None,
    }
    assert inputs["housing"]["values"] == ["own", "rent", "with parents"]
    assert inputs["months_at_address"]["special_codes"] == {"9999": "abroad until now"}


def test_the_fact_is_unknown_once_another_card_serves(officer):
    empty_registry()
    reply = officer.post(ADDRESS, BODY)
    assert reply.status_code == 400
    assert "housing" in [error["field"] for error in reply.json()["errors"]]
