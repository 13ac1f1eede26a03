"""An estimator in a file: its types are shown, a second person allows them, and only then is anything loaded."""

import base64
import io

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from apps.accounts.tests.factories import client_for, make_user
from apps.scoring_engine import registry
from apps.scoring_engine.ml.estimators import estimator
from apps.scoring_engine.ml.estimators.model import Model
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.model_names import ModelNameError, find_model
from apps.scoring_engine.models import ModelVersion, PredictionLog
from apps.scoring_engine.replay import replay
from apps.scoring_engine.tests.factories import PERSON, figures_for
from apps.scoring_engine.tests.test_registry import failures, put_beneath

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
LIST = "/api/models/"
WHY = {"reason": "a test"}
INPUTS = ["yearly_income", "requested_amount"]
MANIFEST = {
    "version": "logistic-1.0.0",
    "segment": "individual",
    "purpose": "own",
    "definition_of_bad": "90 days late within a year",
    "horizon": {"kind": "fixed", "months": 12},
    "inputs": INPUTS,
    "columns": [{"feature": name, "missing": 0} for name in INPUTS],
    "reference": {"yearly_income": 50_000, "requested_amount": 10_000},
}


def logistic():
    """The bytes of a classifier that the test fits itself: more income is safer, a larger amount is not."""
    rows = np.array([[20_000, 20_000], [30_000, 30_000], [80_000, 10_000], [90_000, 5_000]]) / 1.0
    content = io.BytesIO()
    joblib.dump(LogisticRegression().fit(rows / 1e5, [1, 1, 0, 0]), content)
    return content.getvalue()


@pytest.fixture
def shown(maker_client):
    reply = maker_client.post(LIST, {"file": base64.b64encode(logistic()).decode(), "manifest": MANIFEST})
    assert reply.status_code == 201, reply.json()
    return reply.json()


def finding(shown, **changes):
    figures = figures_for(ModelVersion.objects.get(id=shown["id"]))
    return {"figures": figures, "passed": True, "on_own_data": True, "comment": "sound"} | changes


def test_a_draft_shows_its_types_and_is_not_read(shown, monkeypatch):
    monkeypatch.setattr(estimator, "read_estimator", None)  # whoever calls it fails
    assert (shown["kind"], shown["state"]) == ("estimator", "draft")
    assert "sklearn.linear_model._logistic.LogisticRegression" in shown["types"]
    model = ModelVersion.objects.get(id=shown["id"])
    with pytest.raises(ModelFileError, match="not read before somebody other than its maker approved it"):
        registry.scorer_of(model)
    with pytest.raises(ModelNameError, match="cannot be used: it is not read before"):
        find_model("logistic-1.0.0")


def test_a_failed_validation_does_not_let_it_be_read(shown, checker_client, monkeypatch):
    monkeypatch.setattr(estimator, "read_estimator", None)
    assert checker_client.post(f"{LIST}{shown['id']}/validate/", finding(shown, passed=False)).status_code == 200
    with pytest.raises(ModelFileError, match="not read before"):
        registry.scorer_of(ModelVersion.objects.get(id=shown["id"]))


@pytest.mark.parametrize("seen", [[], ["sklearn.linear_model._logistic.LogisticRegression"], ["os.system"]])
def test_the_validator_names_the_types(shown, checker_client, seen):
    reply = checker_client.post(f"{LIST}{shown['id']}/validate/", finding(shown, types_seen=seen))
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, "types_seen")
    assert ModelVersion.objects.get(id=shown["id"]).state == "draft"


def test_once_approved_it_challenges_and_then_answers(shown, checker_client):
    officer = client_for(make_user("officer"))
    address = f"{LIST}{shown['id']}/"
    assert checker_client.post(f"{address}validate/", finding(shown, types_seen=shown["types"])).status_code == 200
    assert checker_client.post(f"{address}challenge/", WHY).json()["state"] == "challenger"
    answer = officer.post("/api/score/individual/", PERSON).json()
    beside = PredictionLog.objects.get(role="challenger")
    assert (answer["model_version"], beside.model_version) == ("individual-9.0.0", "logistic-1.0.0")
    assert str(beside.beside) == answer["prediction_id"]
    assert checker_client.post(f"{address}promote/", WHY).json()["state"] == "champion"
    answer = officer.post("/api/score/individual/", PERSON).json()
    assert (answer["mode"], answer["model_version"], answer["model_digest"], answer["purpose"]) == (
        "model",
        "logistic-1.0.0",
        shown["model_digest"],
        "own",
    )
    assert answer["score"] == beside.score
    assert answer["reference_score"] + sum(entry["impact"] for entry in answer["explanation"]) == answer["score"]


def test_an_applicant_without_a_score_gets_the_expert_cards(shown, checker_client, monkeypatch):
    officer, address = client_for(make_user("officer")), f"{LIST}{shown['id']}/"
    checker_client.post(f"{address}validate/", finding(shown, types_seen=shown["types"]))
    checker_client.post(f"{address}challenge/", WHY)
    officer.post("/api/score/individual/", PERSON)
    monkeypatch.setattr(Model, "probability", lambda self, row: float("nan"))
    before = failures()
    answer = officer.post("/api/score/individual/", PERSON).json()
    assert (answer["mode"], answer["model_version"]) == ("model", "individual-9.0.0")
    assert (failures() - before, PredictionLog.objects.filter(role="challenger").count()) == (1, 1)
    checker_client.post(f"{address}promote/", WHY)
    answer = officer.post("/api/score/individual/", PERSON).json()
    assert (answer["mode"], answer["model_version"]) == ("fallback", "expert/individual-1.0.0")
    assert answer["mode_reason"] == (
        "The expert card is used instead of logistic-1.0.0: it gives this applicant no score (its probability is nan)."
    )
    assert {each.result for each in replay(PredictionLog.objects.exclude(model_version="logistic-1.0.0"))} == {"same"}


def test_other_bytes_after_the_approval_are_not_loaded(shown, checker_client, monkeypatch):
    address = f"{LIST}{shown['id']}/"
    checker_client.post(f"{address}validate/", finding(shown, types_seen=shown["types"]))
    checker_client.post(f"{address}promote/", WHY)
    put_beneath(ModelVersion.objects.get(id=shown["id"]), b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    monkeypatch.setattr(estimator, "read_estimator", None)
    reply = client_for(make_user("officer")).post("/api/score/individual/", PERSON).json()
    assert (reply["mode"], reply["model_version"]) == ("fallback", "expert/individual-1.0.0")
    assert "its bytes are no longer those that were registered" in reply["mode_reason"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"columns": []}, "manifest"), ({"version": "expert/x-1.0.0"}, "manifest"), ({"colour": "red"}, "manifest")],
)
def test_a_manifest_that_does_not_describe_it_is_refused(maker_client, changes, field):
    file, before = base64.b64encode(logistic()).decode(), ModelVersion.objects.count()
    reply = maker_client.post(LIST, {"file": file, "manifest": MANIFEST | changes})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, field)
    assert ModelVersion.objects.count() == before
