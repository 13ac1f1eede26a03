"""When no approved model can be used the expert card scores, and reply, log, metric and /readyz say so and why."""

import hashlib

import pytest
import structlog
from django.db import connection
from prometheus_client import REGISTRY

from apps.accounts.tests.factories import client_for, make_user
from apps.scoring_engine.guards import lift_model_guards
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.models import ModelFile, PredictionLog
from apps.scoring_engine.promotion import retire_model
from apps.scoring_engine.registration import store_model
from apps.scoring_engine.tests.factories import LONG_AGO, PERSON, make_prediction, model_bytes, put_in_service, validate
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = pytest.mark.django_db


def count(mode):
    return REGISTRY.get_sample_value("credit_ml_predictions_total", {"segment": "individual", "mode": mode}) or 0.0


def nothing_registered():
    return "The expert card is used: no model of this segment is in service"


def champion_retired():
    retire_model(model=put_in_service(fixed_card()), actor=make_user("analyst"), reason="a test")
    return nothing_registered()


def bytes_changed():
    """What no service can do, and a hand in the database might."""
    content = model_bytes(fixed_card())
    put_bytes(content, hashlib.sha256(content[:-1]).hexdigest())
    return "The expert card is used instead of individual-9.0.0: its bytes are no longer those that were registered."


def unreadable():
    put_bytes(b"\x80\x05not a pickle")
    return "The expert card is used instead of individual-9.0.0: it cannot be read"


def another_document():
    put_bytes(model_bytes(fixed_card(base_points=301)))
    return "The expert card is used instead of individual-9.0.0: its document is not the one that was registered."


def put_bytes(content, digest=None):
    """The fixed card's document in service over these bytes."""
    model = store_model(
        content=b"other bytes",
        document=Scorecard.from_dict(fixed_card()).to_dict(),
        manifest={},
        origin="registered",
        now=LONG_AGO,
        made_by=make_user("analyst"),
    )
    validate(model, make_user("analyst"))
    ModelFile.objects.create(digest=digest or hashlib.sha256(content).hexdigest(), content=content)
    lift_model_guards(connection)
    model.refresh_from_db()
    model.file_id, model.state = digest or hashlib.sha256(content).hexdigest(), "champion"
    model.save()


@pytest.mark.parametrize(
    "break_model", [nothing_registered, champion_retired, bytes_changed, unreadable, another_document]
)
def test_a_fallback_says_so_everywhere(break_model, client, no_models, django_capture_on_commit_callbacks):
    reason = break_model()
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


def test_a_model_put_into_service_takes_over_at_once(no_models):
    assert make_prediction().mode == "fallback"
    put_in_service(fixed_card())
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
