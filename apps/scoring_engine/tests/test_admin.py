"""The admin site shows results to administrators, without facts, and writes nothing."""

import pytest

from apps.accounts.tests.factories import make_user
from apps.scoring_engine.models import ModelAssignment, ModelValidation, ModelVersion, PredictionLog
from apps.scoring_engine.tests.factories import make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]


@pytest.fixture
def administrator(client):
    client.force_login(make_user("administrator"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_lists_and_rows_are_shown_without_what_is_sealed(administrator):
    row = make_prediction()
    assert administrator.get("/admin/scoring_engine/predictionlog/").status_code == 200
    page = administrator.get(f"/admin/scoring_engine/predictionlog/{row.id}/change/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "individual-9.0.0" in text
    assert "sealed" not in text.lower()
    assert "50000" not in text
    assert administrator.get("/admin/scoring_engine/modelcard/").status_code == 200
    assert administrator.get("/admin/scoring_engine/retentionrun/").status_code == 200


def test_models_their_validations_and_their_history_are_shown(administrator):
    tables = {"modelversion": ModelVersion, "modelvalidation": ModelValidation, "modelassignment": ModelAssignment}
    for name, table in tables.items():
        assert administrator.get(f"/admin/scoring_engine/{name}/").status_code == 200
        row = table.objects.last()
        assert administrator.get(f"/admin/scoring_engine/{name}/{row.pk}/change/").status_code == 200
        assert administrator.post(f"/admin/scoring_engine/{name}/{row.pk}/change/", {"state": "x"}).status_code == 403
        assert administrator.get(f"/admin/scoring_engine/{name}/add/").status_code == 403


def test_nothing_is_written_or_deleted(administrator):
    row = make_prediction()
    base = f"/admin/scoring_engine/predictionlog/{row.id}"
    assert administrator.post(f"{base}/change/", {"score": 1}).status_code == 403
    assert administrator.post(f"{base}/delete/", {"post": "yes"}).status_code == 403
    assert administrator.get("/admin/scoring_engine/predictionlog/add/").status_code == 403
    assert PredictionLog.objects.get().score == row.score
