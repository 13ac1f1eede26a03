"""Model files made to do harm: every one is refused with one clause, and none of them runs anything."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from apps.accounts.tests.factories import make_user
from apps.common.errors import InvalidInput
from apps.scoring_engine.ml.cards import canonical
from apps.scoring_engine.ml.estimators.estimator import describe_estimator, read_estimator
from apps.scoring_engine.ml.estimators.types import list_types
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.ml.tests.estimator_examples import APPLICANT, AS_OF, manifest, saved
from apps.scoring_engine.models import ModelFile, ModelVersion
from apps.scoring_engine.registration import register_model
from apps.scoring_engine.registry import champion, scorer_of
from apps.scoring_engine.tests.factories import put_in_service
from apps.scoring_engine.tests.fixed_card import fixed_card
from tests.faults.hostile_models import CASES, fitted

ROOT = Path(__file__).resolve().parents[2]
NAMES = [case.name for case in CASES]
FIRING = [case for case in CASES if case.fires]
MIB = 2**20
CARELESS = """
import os, pathlib, signal, sys, warnings
warnings.simplefilter("ignore")
import sklearn.linear_model, joblib
from tests.faults.hostile_models import CASES, careless
folder = pathlib.Path(sys.argv[1])
for case in CASES:
    if case.fires and os.fork() == 0:
        signal.alarm(20)
        try:
            careless((folder / case.name).read_bytes(), case.fires, folder / f"{case.name}.canary")
        except BaseException:
            pass
        os._exit(0)
    if case.fires:
        os.wait()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every hostile file, by name; none has run yet."""
    made = tmp_path_factory.mktemp("hostile")
    for case in CASES:
        (made / case.name).write_bytes(case.build(made / f"{case.name}.canary"))
    assert list(made.glob("*.canary")) == []
    return made


@pytest.fixture(scope="module")
def fired(folder, tmp_path_factory):
    """The names of those that ran something when they were read without care, in a process of their own."""
    subprocess.run(
        [sys.executable, "-c", CARELESS, str(folder)], cwd=ROOT, check=True, timeout=180, stdout=subprocess.DEVNULL
    )
    found = {path.stem for path in folder.glob("*.canary")}
    for path in folder.glob("*.canary"):
        path.unlink()
    return found


def test_there_are_at_least_fifty():
    assert len(set(NAMES)) == len(NAMES) >= 50


@pytest.mark.parametrize("case", FIRING, ids=lambda case: case.name)
def test_read_without_care_it_runs(case, fired):
    """Or the test below could not fail."""
    assert case.name in fired


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_in_one_clause_and_runs_nothing(case, folder, fired):
    content = (folder / case.name).read_bytes()
    modules = set(sys.modules)
    with pytest.raises(ModelFileError) as refused:
        list_types(content)
    assert_one_clause(str(refused.value))
    document = {"sha256": sha256(content), "types": ["posix.system"], "model_class": "posix.system"}
    with pytest.raises(ModelFileError):
        read_estimator(content, document)
    assert list(folder.glob("*.canary")) == []
    assert {name for name in set(sys.modules) - modules if name.partition(".")[0] in ("cProfile", "pydoc")} == set()


@pytest.mark.parametrize("name", [name for name in NAMES if "bomb" in name or "million" in name or "stated" in name])
def test_a_bomb_takes_little_memory(name, folder):
    content = (folder / name).read_bytes()
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        list_types(content)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 600 * MIB


def assert_one_clause(reason):
    assert 0 < len(reason) < 300
    assert reason.isprintable()
    assert reason[0].islower() or reason.startswith("SHA")
    assert not reason.endswith(".")


def sha256(content):
    import hashlib

    return hashlib.sha256(content).hexdigest()


# Files that are sound, but not the ones that were approved


@pytest.fixture
def sound():
    content = saved(fitted("logistic"))
    return content, json.loads(canonical(describe_estimator(content, manifest())))


def test_another_digest_is_not_read(sound):
    content, document = sound
    with pytest.raises(ModelFileError, match="its SHA-256 is not the one in its document"):
        read_estimator(content + b"", document | {"sha256": "0" * 64})


def test_a_sound_file_swapped_for_another_sound_one_is_not_read(sound):
    _, document = sound
    with pytest.raises(ModelFileError, match="its SHA-256 is not the one in its document"):
        read_estimator(saved(fitted("forest")), document)


def test_a_file_that_loads_more_than_was_approved_is_not_read(sound):
    content, document = sound
    fewer = [name for name in document["types"] if "Pipeline" not in name]
    with pytest.raises(ModelFileError, match="it would load more types than its document names"):
        read_estimator(content, document | {"types": fewer})


def test_a_document_of_a_model_of_another_class_is_not_believed(sound):
    content, document = sound
    with pytest.raises(ModelFileError, match="its document is of a model of another class"):
        read_estimator(content, document | {"model_class": "lightgbm.sklearn.LGBMClassifier"})


# Through the registry, while another model serves


@pytest.mark.django_db
def test_the_registry_refuses_them_all_and_the_champion_serves_on(folder, fired):
    serving = put_in_service(fixed_card())
    before = champion("individual").scorer.score(APPLICANT, as_of=AS_OF).score
    analyst = make_user("analyst")
    models, files = ModelVersion.objects.count(), ModelFile.objects.count()
    for case in CASES:
        with pytest.raises(InvalidInput) as refused:
            register_model(content=(folder / case.name).read_bytes(), manifest=manifest(), actor=analyst)
        assert str(refused.value)
        told = champion("individual")
        assert (told.mode, told.scorer.version) == ("model", serving.version)
        assert told.scorer.score(APPLICANT, as_of=AS_OF).score == before
    assert (ModelVersion.objects.count(), ModelFile.objects.count()) == (models, files)
    assert list(folder.glob("*.canary")) == []


@pytest.mark.django_db
def test_no_digest_is_loaded_before_it_is_approved(monkeypatch):
    from apps.scoring_engine.ml.estimators import loading

    loaded = []
    monkeypatch.setattr(loading, "check_versions", lambda scan: loaded.append(scan))
    model = register_model(content=saved(fitted("logistic")), manifest=manifest(), actor=make_user("analyst"))
    with pytest.raises(ModelFileError, match="before somebody other than its maker approved it"):
        scorer_of(model)
    assert loaded == []
    assert f"{LogisticRegression.__module__}.LogisticRegression" in model.types
