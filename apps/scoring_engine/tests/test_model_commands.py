"""The registry by command: one line of result, one sentence of refusal; from a trained file to service and back."""

import json

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.scoring_engine.ml.learning.tests.hand_made import written
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import ModelVersion
from apps.scoring_engine.tests.factories import NOW, make_prediction, put_in_service, validate

pytestmark = pytest.mark.django_db
WHY = ("--reason", "the committee said so")


@pytest.fixture(autouse=True)
def people(maker, checker):
    for role in ("officer", "administrator"):
        make_user(role, username=role)


@pytest.fixture
def run(capsys):
    def of(*command):
        call_command(*map(str, command))
        return capsys.readouterr().out.strip()

    return of


def refusal(*command):
    with pytest.raises(CommandError) as refused:
        call_command(*map(str, command))
    return str(refused.value)


@pytest.fixture
def validated(model, checker):
    validate(model, checker)
    return model


@pytest.fixture
def figures(tmp_path):
    def of(model, **changes):
        about = {"sha256": model.file_id, "card_digest": model.card_id}
        gates = [{"gate": "auc", "required": "at least 0.6", "found": 0.7, "passed": True}]
        path = tmp_path / "validation.json"
        path.write_text(json.dumps({"model": about, "data": {"kind": "new_data"}, "gates": gates} | changes))
        return path

    return of


def test_from_a_file_and_its_validation_to_service_and_back(tmp_path, run):
    """The figures are those that validate_model itself wrote."""
    path, data = written(tmp_path)
    run("validate_model", path, "--data", data, "--out", tmp_path / "out")
    sha256 = json.loads((tmp_path / "out" / "validation.json").read_text())["model"]["sha256"]
    path.with_suffix(".manifest.json").write_text(json.dumps({"model": "small-1.0.0", "sha256": sha256}))
    told = run("register_model", path, "--as", "maker")
    model = ModelVersion.objects.get(version="small-1.0.0")
    assert told == (
        f"small-1.0.0 of individual is registered as a draft: file {sha256}, document {model.card_id[:12]}."
        " Somebody other than maker has to approve it."
    )
    approve = ("approve_model", "small-1.0.0", "--figures", tmp_path / "out" / "validation.json", *WHY)
    assert refusal(*approve, "--as", "maker") == "maker registered small-1.0.0; somebody else has to validate it."
    assert run(*approve, "--own-data", "--as", "checker") == "small-1.0.0 passed; it is validated."
    assert run("challenge_model", sha256[:8], "--as", "checker", *WHY).startswith("small-1.0.0 (")
    told = run("promote_model", "small-1.0.0", "--as", "checker", *WHY)
    assert told.startswith(f"small-1.0.0 ({model.card_id[:12]}) is the champion of individual since ")
    assert make_prediction().purpose == "own"
    told = run("rollback_model", "individual", "--as", "administrator", *WHY)
    assert told.startswith("individual-1.1.0 (")
    assert make_prediction(cause="after").model_version == "individual-1.1.0"
    event = AuditEvent.objects.get(action="model.rollback")
    assert (event.actor.username, event.details["reason"]) == ("administrator", "the committee said so")


def test_a_validation_that_failed_is_recorded(model, figures, run):
    gates = [{"gate": "auc", "required": "at least 0.6", "found": 0.5, "passed": False}]
    approve = ("approve_model", "test-1.0.0", "--figures", figures(model, gates=gates), *WHY, "--as", "checker")
    assert refusal(*approve) == (
        "passed: A model passes only when all its acceptance gates did; failed: auc is 0.5, required at least 0.6."
    )
    assert run(*approve, "--failed") == "test-1.0.0 did not pass; it is draft."
    assert model.validations.get().comment == "the committee said so"


def test_retiring_the_champion_says_what_scores_now(validated, run):
    run("promote_model", "test-1.0.0", "--as", "maker", *WHY)
    assert run("retire_model", "test-1.0.0", "--as", "administrator", *WHY) == (
        "test-1.0.0 of individual is retired. The expert card is used: no model of this segment is in service;"
        " register_shipped_models registers the shipped one."
    )


def test_the_list_is_a_table(validated, run):
    lines = [line.split() for line in run("list_models", "--segment", "individual").splitlines()]
    assert lines[0] == ["segment", "version", "kind", "state", "since", "digest", "maker", "checker"]
    shown = {line[1]: line for line in lines[1:]}
    digest = validated.card_id[:12]
    assert shown["test-1.0.0"] == [
        "individual", "test-1.0.0", "scorecard", "validated", "2020-01-01", "00:00:00Z", digest, "maker", "checker",
    ]  # fmt: skip
    assert shown["individual-1.1.0"][-2:] == ["-", "-"]


def test_the_list_at_a_time(run):
    put_in_service(small_card())
    make_prediction(now=NOW)
    put_in_service(small_card() | {"version": "test-2.0.0"})
    of = ("list_models", "--segment", "individual", "--at")
    assert "test-1.0.0" in run(*of, NOW.isoformat())
    assert "test-2.0.0" in run(*of, "2026-03-02T14:31+05:00")
    assert run(*of, "2019-12-31").splitlines()[1:] == []


REFUSED = {
    "somebody unknown": (["promote_model", "test-1.0.0", "--as", "nobody", *WHY], "no account with the username"),
    "an officer": (["promote_model", "test-1.0.0", "--as", "officer", *WHY], "officer is officer; this"),
    "an administrator": (["promote_model", "test-1.0.0", "--as", "administrator", *WHY], "for the roles analyst"),
    "no such model": (["challenge_model", "moon", "--as", "maker", *WHY], '"moon" is no model here: give the version'),
    "a draft": (["promote_model", "test-1.0.0", "--as", "checker", *WHY], "test-1.0.0 was never validated; somebody"),
    "no reason": (["retire_model", "test-1.0.0", "--as", "maker", "--reason", ""], "reason: Say why"),
    "nothing before": (["rollback_model", "company", "--as", "maker", *WHY], "there is nothing to go back to"),
    "no such file": (["register_model", "moon.joblib", "--as", "maker"], r"moon.manifest.json cannot be opened \(No"),
    "no such figures": (["approve_model", "test-1.0.0", "--figures", "x.json", "--as", "checker", *WHY], "x.json"),
    "no such time": (["list_models", "--at", "soon"], "A time is like 2026-03-01T09:30"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_one_sentence_and_changes_nothing(model, command, sentence):
    events = AuditEvent.objects.count()
    with pytest.raises(CommandError, match=sentence):
        call_command(*command)
    model.refresh_from_db()
    assert (model.state, AuditEvent.objects.count()) == ("draft", events)


def test_somebody_who_left_does_nothing(validated):
    User.objects.filter(username="checker").update(is_active=False)
    told = refusal("promote_model", "test-1.0.0", "--as", "checker", *WHY)
    assert told == "checker is no longer active; this is for the roles analyst."


def test_figures_that_are_no_object_are_refused(model, tmp_path):
    for text, sentence in (("[1]", "holds no JSON object"), ("{", "f.json cannot be used: The body is not valid JSON")):
        (tmp_path / "f.json").write_text(text)
        command = ("approve_model", "test-1.0.0", "--figures", tmp_path / "f.json", "--as", "checker", *WHY)
        assert sentence in refusal(*command)
