"""The models that ship: approved, plain, described, and scored in serving as in training."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.artefact import check_plain
from apps.scoring_engine.ml.learning.card import scores
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.rows import KNOWN
from apps.scoring_engine.ml.learning.sampling import draw_sample
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.training import figures_on, rows_of
from apps.scoring_engine.ml.risk_model import read_model_bytes
from apps.scoring_engine.ml.vocabulary import check_facts

ML = Path(__file__).resolve().parents[2]
DATA = ML.parents[3] / "shared" / "data"
FILES = {
    "individual": (
        "lending_club_2007_2011/lending_club_2007_2011.parquet",
        {"fico": "lending_club_fico_dated_joined/lending_club_2007_2010_with_fico.parquet"},
    ),
    "company": ("american_bankruptcy/american_bankruptcy_98pct.parquet", {}),
}
segments = pytest.mark.parametrize("segment", sorted(FILES))
WHOLE = ("money", "integer")


def shipped(segment):
    data = (ML / "models" / f"{segment}_model.joblib").read_bytes()
    manifest = json.loads((ML / "models" / f"{segment}_model.manifest.json").read_text())
    return data, manifest


@segments
def test_file_manifest_recipe_and_approval_belong_together(segment):
    data, manifest = shipped(segment)
    digest = hashlib.sha256(data).hexdigest()
    recipe = (ML / "recipes" / f"{segment}.toml").read_bytes()
    assert manifest["sha256"] == digest
    assert digest in json.loads((ML / "approved.json").read_text())[segment]
    assert manifest["recipe"]["sha256"] == hashlib.sha256(recipe).hexdigest()
    assert digest in (ML / "models" / f"{segment}_model.md").read_text()
    check_plain(data)
    card = read_model_bytes(data)
    assert (card.segment, card.purpose) == (segment, "demonstration")


def test_the_figures_are_these():
    """Golden: they move only with a new training. benchmarks/training.py puts them beside other models."""
    figures = {segment: shipped(segment)[1]["figures"]["out_of_time"] for segment in FILES}
    assert {segment: (found["auc"], found["calibration_slope"]) for segment, found in figures.items()} == {
        "individual": (0.682115, 1.035046),
        "company": (0.870432, 1.194051),
    }


@segments
def test_real_rows_score_in_serving_as_in_training(segment):
    main, extras = FILES[segment]
    paths = {name: DATA / file for name, file in extras.items()}
    if not all(path.exists() for path in (DATA / main, *paths.values())):
        pytest.skip("the training data are not in ../shared/data")
    recipe = load_recipe(ML / "recipes" / f"{segment}.toml")
    sample = draw_sample(recipe, read_tables(recipe, DATA / main, paths))
    rows = rows_of(recipe, sample)
    data, manifest = shipped(segment)
    card, plain = read_model_bytes(data), read_model_bytes(data).to_dict()
    learnt = scores(plain, rows)
    kinds = {rule.name: rule.kind for rule in recipe.inputs}
    down = frozenset(rule.name for rule in recipe.inputs if rule.empty_is == "unavailable")
    for row in np.random.default_rng(1).choice(len(learnt), 3000, replace=False).tolist():
        facts = fact_row(sample.rows, row, kinds)
        served = card.score(check_facts(segment, facts), as_of=sample_day(sample, row), unavailable=down)
        assert served.score == learnt[row]
    assert figures_on(plain, rows.at(sample.test)) == manifest["figures"]["out_of_time"]


def fact_row(rows, row, kinds):
    """The facts of one row in the types that a caller sends."""
    facts = {}
    for name, column in rows.values.items():
        if rows.states[name][row] != KNOWN:
            continue
        kind, value = kinds[name], column[row]
        as_sent = {"number": float, "date": lambda day: day.item(), "category": str}
        facts[name] = int(value) if kind in WHOLE else as_sent[kind](value)
    if "credit_history_score" in facts:
        facts["credit_history_scale"] = "fico_300_850"
    return facts


def sample_day(sample, row):
    return sample.when[row].item()
