"""What cannot be used is never silent, is tried again, and never takes the answer away."""

import pytest
import structlog
from django.db import connection
from prometheus_client import REGISTRY

from apps.accounts.tests.factories import client_for, make_user
from apps.common.database import lift_guard, set_guard
from apps.common.errors import Conflict
from apps.scoring_engine import registry
from apps.scoring_engine.models import ModelFile, PredictionLog
from apps.scoring_engine.promotion import challenge, promote_model, rollback_champion
from apps.scoring_engine.tests.factories import PERSON, draft, make_prediction, put_in_service, validate
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_models")]
FILES = ModelFile._meta.db_table


@pytest.fixture
def actor():
    return make_user("analyst", username="actor")


def put_beneath(model, content):
    """Other bytes under the same digest, by a hand that lifted the guard; other processes have not read it yet."""
    lift_guard(connection, FILES)
    ModelFile.objects.filter(digest=model.file_id).update(content=content)
    set_guard(connection, FILES, "")
    registry._read.cache_clear()


def original(model):
    return bytes(ModelFile.objects.get(digest=model.file_id).content)


def failures():
    labels = {"segment": "individual"}
    return REGISTRY.get_sample_value("credit_ml_challenger_failures_total", labels) or 0.0


def test_a_file_swapped_after_its_approval_is_not_used(django_capture_on_commit_callbacks):
    model = put_in_service(fixed_card())
    put_beneath(model, original(put_in_service(fixed_card(version="individual-9.1.0", base_points=900), "challenger")))
    with structlog.testing.capture_logs() as lines, django_capture_on_commit_callbacks(execute=True):
        reply = client_for(make_user("officer")).post("/api/score/individual/", PERSON).json()
    reason = "The expert card is used instead of individual-9.0.0: its bytes are no longer those that were registered."
    assert (reply["mode"], reply["mode_reason"]) == ("fallback", reason)
    assert PredictionLog.objects.get(role="champion").mode_reason == reason
    assert [line["reason"] for line in lines if line["event"] == "fallback"] == [reason]


def test_a_champion_that_can_be_read_again_is_used_again():
    model = put_in_service(fixed_card())
    content = original(model)
    put_beneath(model, content[:-1])
    assert make_prediction(cause="1").mode == "fallback"
    put_beneath(model, content)
    assert make_prediction(cause="2").mode == "model"


def test_a_challenger_that_cannot_be_read_is_told_each_time_and_tried_again():
    put_in_service(fixed_card())
    model = put_in_service(fixed_card(version="individual-9.1.0", base_points=310), "challenger")
    content, before = original(model), failures()
    put_beneath(model, b"")
    with structlog.testing.capture_logs() as lines:
        answers = [make_prediction(cause=str(number)) for number in range(2)]
    assert [answer.mode for answer in answers] == ["model", "model"]
    assert not PredictionLog.objects.filter(role="challenger").exists()
    assert failures() == before + 2
    told = [line for line in lines if line["event"] == "challenger_unusable"]
    assert [(line["log_level"], line["model_version"]) for line in told] == [("warning", "individual-9.1.0")] * 2
    assert told[0]["reason"] == "its bytes are no longer those that were registered"
    put_beneath(model, content)
    answer = make_prediction(cause="again")
    assert PredictionLog.objects.get(role="challenger").beside == answer.id
    assert failures() == before + 2


def test_what_cannot_be_read_is_not_put_into_service(actor):
    model = draft(fixed_card())
    validate(model, actor)
    put_beneath(model, b"")
    for put in (promote_model, challenge):
        with pytest.raises(Conflict, match=r"individual-9.0.0 cannot be put into service: its bytes are no longer"):
            put(model=model, actor=actor, reason="a test")


def test_rollback_does_not_go_back_to_what_cannot_be_read(actor):
    model = put_in_service(fixed_card())
    standing = put_in_service(fixed_card(version="individual-9.1.0"))
    put_beneath(model, b"")
    with pytest.raises(Conflict, match="cannot be put into service"):
        rollback_champion(segment="individual", actor=actor, reason="a test")
    assert make_prediction().model_version == standing.version


def test_which_model_serves_is_asked_of_the_database_each_time(django_assert_max_num_queries):
    put_in_service(fixed_card())
    registry.champion("individual")
    with django_assert_max_num_queries(1):
        assert registry.in_service("individual")[0].scorer.version == "individual-9.0.0"
