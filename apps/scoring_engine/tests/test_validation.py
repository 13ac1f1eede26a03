"""A validation: by somebody else, on this very file, with its gates; what it opens, and what it takes away."""

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput, NotPermitted
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import ModelValidation, ModelVersion
from apps.scoring_engine.promotion import challenge, promote_model, retire_model
from apps.scoring_engine.tests.factories import (
    LONG_AGO,
    figures_for,
    make_prediction,
    put_in_service,
    validate,
)
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = pytest.mark.django_db


def test_a_draft_that_passes_is_validated(model, checker):
    validation = validate(model, checker)
    model.refresh_from_db()
    assert (model.state, model.checked_by, model.on_own_data) == ("validated", checker, False)
    assert (validation.gates_passed, validation.validator) == (True, checker)
    event = AuditEvent.objects.get(action="model.validate")
    assert (event.actor, event.details["passed"], event.subject_id) == (checker, True, str(model.id))


def test_a_draft_that_fails_stays_one(model, checker):
    validation = validate(model, checker, passed=False)
    model.refresh_from_db()
    assert (model.state, model.checked_by, validation.gates_passed) == ("draft", None, False)
    with pytest.raises(Conflict, match=r"last validation of test-1.0.0 did not pass: a test"):
        promote_model(model=model, actor=checker, reason="a test")


def test_a_validator_may_fail_what_passed_its_gates_and_what_has_none(model, checker):
    for gates, kept in (([{"gate": "auc", "passed": True}], True), ([], None)):
        validation = validate(model, checker, passed=False, figures=figures_for(model) | {"gates": gates})
        assert validation.gates_passed is kept
    model.refresh_from_db()
    assert model.state == "draft"


def test_not_by_its_maker_nor_by_a_service_account(model, maker):
    service = make_user("analyst", username="robot")
    User.objects.filter(id=service.id).update(kind="service")
    service.refresh_from_db()
    with pytest.raises(NotPermitted, match=r"maker registered test-1.0.0; somebody else has to validate it"):
        validate(model, maker)
    with pytest.raises(NotPermitted, match="A service account is no second pair of eyes"):
        validate(model, service)
    assert not ModelValidation.objects.exists()


def test_a_later_failure_bars_the_way_but_takes_nobody_out_of_service(no_models, checker):
    champion = put_in_service(small_card())
    validate(champion, checker, passed=False)
    assert make_prediction().model_version == "test-1.0.0"
    other = put_in_service(small_card() | {"version": "test-2.0.0"})
    champion.refresh_from_db()
    with pytest.raises(Conflict, match="did not pass"):
        challenge(model=champion, actor=checker, reason="a test")
    validate(champion, checker)
    promote_model(model=champion, actor=checker, reason="a test")
    other.refresh_from_db()
    assert other.state == "retired"


def test_what_was_retired_unvalidated_goes_nowhere(model, checker):
    retired = retire_model(model=model, actor=checker, reason="a mistake")
    for put in (promote_model, challenge):
        with pytest.raises(Conflict, match=r"test-1.0.0 was never validated; somebody other than its maker"):
            put(model=retired, actor=checker, reason="a test")
    validate(retired, checker)
    retired.refresh_from_db()
    assert retired.state == "retired"
    assert promote_model(model=retired, actor=checker, reason="a test").role == "champion"


def test_only_own_data_make_a_model_the_lenders_own(no_models, checker):
    """The card says `own` of itself; that is its maker's word."""
    champion = put_in_service(small_card())
    assert make_prediction(cause="1").purpose == "demonstration"
    validate(champion, checker, on_own_data=True)
    assert make_prediction(cause="2").purpose == "own"
    validate(champion, checker, passed=False)
    assert make_prediction(cause="3").purpose == "own"
    validate(champion, checker, passed=False, on_own_data=True)
    assert make_prediction(cause="4").purpose == "demonstration"


def test_a_demonstration_does_not_become_own_on_the_data_that_it_was_learnt_from(checker):
    shipped = ModelVersion.objects.get(segment="individual", state="champion")
    figures = figures_for(shipped) | {"data": {"kind": "out_of_time"}}
    with pytest.raises(InvalidInput, match="validate it on data of your own"):
        validate(shipped, checker, figures=figures, on_own_data=True)
    validate(shipped, checker, figures=figures)
    validate(shipped, checker, on_own_data=True)
    assert make_prediction().purpose == "own"


def test_a_model_learnt_from_own_data_is_validated_on_rows_held_back(model, checker):
    figures = figures_for(model) | {"data": {"kind": "holdout"}}
    assert validate(model, checker, figures=figures, on_own_data=True).on_own_data is True


def test_two_at_the_same_moment_have_an_order(model, checker):
    first, second = validate(model, checker), validate(model, checker, passed=False)
    assert (first.created_at, first.created_at < second.created_at) == (LONG_AGO, True)


@pytest.mark.parametrize("comment", ["", "  \n"])
def test_a_comment_is_needed(model, checker, comment):
    with pytest.raises(InvalidInput, match="Say what you found"):
        validate(model, checker, comment=comment)


def test_the_shipped_models_stand_on_their_published_figures():
    model = ModelVersion.objects.get(segment="company", state="champion")
    assert (model.origin, model.checked_by, model.validations.count()) == ("shipped", None, 0)
    assert (
        model.manifest["figures"]["holdout" if "holdout" in model.manifest["figures"] else "out_of_time"]["auc"] > 0.5
    )


def test_a_newer_shipped_model_leaves_alone_what_people_decided(checker, monkeypatch):
    from apps.scoring_engine import registration
    from apps.scoring_engine.ml.scorecard import Scorecard
    from apps.scoring_engine.tests.factories import model_bytes

    def ship(version):
        card = fixed_card(version=version)
        shipped = (model_bytes(card), Scorecard.from_dict(card), {"figures": {}})
        monkeypatch.setattr(registration, "shipped_model", lambda segment: shipped)
        monkeypatch.setattr(registration, "SEGMENTS", ("individual",))
        [model] = registration.register_shipped_models(now=LONG_AGO)
        return model.state

    assert ship("individual-9.2.0") == "champion"
    champion = ModelVersion.objects.get(segment="individual", state="champion")
    validate(champion, checker, on_own_data=True)
    assert ship("individual-9.3.0") == "validated"
    retire_model(model=champion, actor=checker, reason="the expert card shall score")
    assert ship("individual-9.4.0") == "validated"
