"""Into service, out of it and back; and which model was champion at any time."""

from datetime import timedelta

import pytest

from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput
from apps.scoring_engine.models import ModelAssignment, ModelVersion
from apps.scoring_engine.promotion import challenge, promote_model, retire_model, rollback_champion
from apps.scoring_engine.registry import champion_at, in_service, model_at
from apps.scoring_engine.tests.factories import NOW, draft, make_prediction, validate
from apps.scoring_engine.tests.fixed_card import fixed_card
from apps.scoring_engine.transitions import MOVES, state_after

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_models")]
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


@pytest.fixture
def actor():
    return make_user("analyst", username="actor")


def made(number, actor):
    model = draft(fixed_card(version=f"individual-9.{number}.0", base_points=300 + number))
    validate(model, actor)
    return model


@pytest.fixture
def models(actor):
    return [made(number, actor) for number in range(3)]


def back(actor, now=None):
    return rollback_champion(segment="individual", actor=actor, reason="a test", now=now).model


def promote(model, actor, now=None):
    return promote_model(model=model, actor=actor, reason="a test", now=now)


def state(model):
    return ModelVersion.objects.get(id=model.id).state


def test_a_promotion_retires_the_champion_and_is_recorded(models, actor):
    promote(models[0], actor)
    assignment = promote_model(model=models[1], actor=actor, reason="ranks better")
    assert (state(models[0]), state(models[1])) == ("retired", "champion")
    assert (assignment.action, assignment.actor, assignment.reason) == ("promote", actor, "ranks better")
    event = AuditEvent.objects.filter(action="model.promote").latest("id")
    assert (event.actor, event.details["reason"], event.details["model"]) == (actor, "ranks better", "individual-9.1.0")


def test_a_challenger_that_is_promoted_leaves_its_place(models, actor):
    promote(models[0], actor)
    challenge(model=models[1], actor=actor, reason="a test")
    promote(models[1], actor)
    champion, challenger = in_service("individual")
    assert (champion.scorer.version, challenger) == ("individual-9.1.0", None)
    assert model_at("individual", "challenger", ModelAssignment.objects.latest("id").started_at) is None


def test_rollback_goes_back_step_by_step_and_never_forth(models, actor):
    for model in models:
        promote(model, actor)
    assert back(actor) == models[1]
    assert back(actor) == models[0]
    assert back(actor).origin == "shipped"
    with pytest.raises(Conflict, match="No other model was champion of individual before"):
        back(actor)
    promote(models[2], actor)
    assert back(actor).origin == "shipped"


def test_rollback_passes_over_who_may_no_longer_serve(models, actor):
    for model in models:
        promote(model, actor)
    validate(models[1], actor, passed=False)
    assert back(actor) == models[0]


def test_rollback_brings_back_who_was_retired_last(models, actor):
    promote(models[0], actor)
    retire_model(model=models[0], actor=actor, reason="a test")
    assert make_prediction().mode == "fallback"
    assert back(actor) == models[0]


def test_a_model_is_promoted_once(models, actor):
    promote(models[0], actor)
    with pytest.raises(Conflict, match=r"individual-9.0.0 is the champion of individual already"):
        promote(models[0], actor)


@pytest.mark.parametrize("reason", ["", " "])
def test_a_reason_is_needed(models, actor, reason):
    for change in (promote_model, challenge, retire_model):
        with pytest.raises(InvalidInput, match="Say why"):
            change(model=models[0], actor=actor, reason=reason)
    with pytest.raises(InvalidInput, match="Say why"):
        rollback_champion(segment="individual", actor=actor, reason=reason)
    assert state(models[0]) == "validated"


@pytest.mark.parametrize("source", ["draft", "champion", "challenger"])
def test_a_move_that_is_not_in_the_table(source):
    with pytest.raises(Conflict, match=f"The model is {source}; only one that is"):
        state_after("challenge", source)
    assert ("challenge", source) not in MOVES


def test_who_was_champion_at_a_time(models, actor):
    first, second, _ = models
    promote(first, actor, NOW)
    promote(second, actor, NOW + HOUR)
    retire_model(model=second, actor=actor, reason="a test", now=NOW + 2 * HOUR)
    promote(first, actor, NOW + 3 * HOUR)
    expected = [
        (NOW - TICK, None),
        (NOW, first),
        (NOW + HOUR - TICK, first),
        (NOW + HOUR, second),
        (NOW + 2 * HOUR - TICK, second),
        (NOW + 2 * HOUR, None),
        (NOW + 3 * HOUR - TICK, None),
        (NOW + 3 * HOUR, first),
        (NOW + 9000 * HOUR, first),
    ]
    assert [(moment, champion_at("individual", moment)) for moment, _ in expected] == expected


def test_of_changes_at_one_moment_the_last_counts(models, actor):
    for model in models:
        promote(model, actor, NOW)
    assert champion_at("individual", NOW) == models[2]
    assert champion_at("individual", NOW - TICK) is None


def test_a_clock_that_ran_back_does_not_bend_the_history(models, actor):
    promote(models[0], actor, NOW)
    assert promote(models[1], actor, NOW - HOUR).started_at == NOW
    assert champion_at("individual", NOW) == models[1]


def test_a_promotion_is_later_than_every_scoring_that_stands(models, actor):
    """Whatever the clocks of the machines that scored said."""
    promote(models[0], actor, NOW)
    ahead = make_prediction(now=NOW + HOUR)
    promote(models[1], actor, NOW + TICK)
    assert champion_at("individual", ahead.created_at) == models[0]
    behind = make_prediction(now=NOW + 2 * TICK, cause="later")
    assert champion_at("individual", behind.created_at).card_id == behind.model_digest == models[1].card_id


def test_a_scoring_that_began_before_nobody_served_is_told_to_be_after(models, actor):
    promote(models[0], actor, NOW)
    retire_model(model=models[0], actor=actor, reason="a test", now=NOW + HOUR)
    row = make_prediction(now=NOW)
    assert (row.mode, champion_at("individual", row.created_at)) == ("fallback", None)


def test_a_challengers_scorings_are_of_its_time(models, actor):
    promote(models[0], actor, NOW)
    challenge(model=models[1], actor=actor, reason="a test", now=NOW + HOUR)
    row = make_prediction(now=NOW)
    assert model_at("individual", "challenger", row.created_at) == models[1]
