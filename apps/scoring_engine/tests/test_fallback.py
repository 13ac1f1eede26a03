"""When no approved model can be used the expert card scores, and reply, log, metric and /readyz say so and why."""

import pytest
import structlog
from prometheus_client import REGISTRY

from apps.accounts.tests.factories import client_for, make_user
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import PERSON, make_prediction, model_bytes, put_model
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = pytest.mark.django_db
FILE = "The expert card is used instead of individual_model.joblib: "


def count(mode):
    return REGISTRY.get_sample_value("credit_ml_predictions_total", {"segment": "individual", "mode": mode}) or 0.0


def missing(folder):
    return FILE + "there is no such file."


def corrupt(folder):
    put_model(folder, b"\x80\x05not a pickle")
    return FILE + "it cannot be read"


def unapproved(folder):
    put_model(folder, model_bytes(fixed_card()), approved=False)
    return FILE + "its SHA-256 is not among the approved ones."


def refused_card(folder):
    put_model(folder, model_bytes(fixed_card(base_points=5_000)))
    return FILE + "its card is refused"


@pytest.mark.parametrize("break_model", [missing, corrupt, unapproved, refused_card])
def test_a_fallback_says_so_everywhere(break_model, client, model_folder, django_capture_on_commit_callbacks):
    reason = break_model(model_folder)
    officer = client_for(make_user("officer"))
    before = count("fallback")
    with structlog.testing.capture_logs() as lines, django_capture_on_commit_callbacks(execute=True):
        reply = officer.post("/api/score/individual/", PERSON).json()
    assert (reply["mode"], reply["model_version"]) == ("fallback", "expert/individual-1.0.0")
    assert reply["mode_reason"].startswith(reason)
    assert reply["score"] == 486
    assert reply["reference_score"] + sum(entry["impact"] for entry in reply["explanation"]) == reply["score"]

    row = PredictionLog.objects.get()
    assert (row.mode, row.mode_reason) == ("fallback", reply["mode_reason"])
    assert count("fallback") == before + 1
    [line] = [line for line in lines if line["event"] == "fallback"]
    assert (line["log_level"], line["prediction_id"]) == ("warning", reply["prediction_id"])

    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["models"]["individual"] == {
        "model_version": "expert/individual-1.0.0",
        "mode": "fallback",
        "mode_reason": reply["mode_reason"],
    }


def test_a_model_put_right_takes_over_at_once(model_folder):
    assert make_prediction().mode == "fallback"
    put_model(model_folder, model_bytes(fixed_card()))
    assert (make_prediction().mode, make_prediction().mode_reason) == ("model", "")


def test_a_scoring_is_logged_and_counted_with_opaque_ids_only(fixed_model, django_capture_on_commit_callbacks):
    before = count("model")
    with structlog.testing.capture_logs() as lines, django_capture_on_commit_callbacks(execute=True):
        row = make_prediction(cause="command")
    assert count("model") == before + 1
    assert [line for line in lines if line["event"] in ("scored", "fallback")] == [
        {
            "event": "scored",
            "log_level": "info",
            "prediction_id": str(row.id),
            "credit_request": None,
            "segment": "individual",
            "mode": "model",
            "model_version": "individual-9.0.0",
            "cause": "command",
        }
    ]


def test_the_metric_is_served(client, settings, fixed_model, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        make_prediction()
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert 'credit_ml_predictions_total{mode="model",segment="individual"}' in text
