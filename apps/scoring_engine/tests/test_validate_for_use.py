"""A model may decide in service once somebody other than its maker found it good on the lender's own data."""

import json

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.tests.factories import make_user
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import ModelValidation, ModelVersion
from apps.scoring_engine.tests.factories import draft, figures_for, make_prediction

pytestmark = pytest.mark.django_db
WHY = ("--reason", "two years of our own loans")


@pytest.fixture
def shipped():
    return ModelVersion.objects.get(segment="individual", state="champion")


@pytest.fixture
def figures(tmp_path):
    def of(model, **changes):
        path = tmp_path / "validation.json"
        path.write_text(json.dumps(figures_for(model) | changes))
        return path

    return of


def refusal(*command):
    before = ModelValidation.objects.count()
    with pytest.raises(CommandError) as refused:
        call_command(*map(str, command))
    assert ModelValidation.objects.count() == before
    assert not ModelVersion.objects.filter(on_own_data=True).exists()
    return str(refused.value)


def test_it_lifts_the_demonstration_of_that_version_and_of_no_other(shipped, figures, capsys):
    analyst = make_user("analyst", username="bekzod")
    assert make_prediction().purpose == "demonstration"
    call_command("validate_for_use", shipped.version, "--figures", str(figures(shipped)), "--as", "bekzod", *WHY)
    assert capsys.readouterr().out.strip() == (
        f"{shipped.version} passed on your own data; it is champion, and may decide in service."
    )
    assert list(ModelVersion.objects.filter(on_own_data=True)) == [shipped]
    validation = ModelValidation.objects.get()
    assert (validation.validator, validation.passed, validation.on_own_data) == (analyst, True, True)
    assert make_prediction(cause="later").purpose == "own"


def test_never_by_its_maker(figures):
    maker = make_user("analyst", username="maker")
    model = draft(small_card(), maker)
    said = refusal("validate_for_use", model.version, "--figures", figures(model), "--as", "maker", *WHY)
    assert said == f"maker registered {model.version}; somebody else has to validate it."


def test_never_on_the_data_that_a_demonstration_was_learnt_from(shipped, figures):
    make_user("analyst", username="bekzod")
    path = figures(shipped, data={"kind": "training_data"})
    said = refusal("validate_for_use", shipped.version, "--figures", path, "--as", "bekzod", *WHY)
    assert "validate it on data of your own" in said


@pytest.mark.parametrize("role", ["officer", "approver", "auditor", "administrator"])
def test_only_by_analysts(shipped, figures, role):
    make_user(role, username="somebody")
    command = ("validate_for_use", shipped.version, "--figures", figures(shipped), "--as", "somebody", *WHY)
    assert "this is for the roles analyst" in refusal(*command)


def test_never_without_a_word(shipped, figures):
    make_user("analyst", username="bekzod")
    command = ("validate_for_use", shipped.version, "--figures", figures(shipped), "--as", "bekzod", "--reason", " ")
    assert "Say what you found" in refusal(*command)
