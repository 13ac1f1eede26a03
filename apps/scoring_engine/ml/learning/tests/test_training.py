import math
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.artefact import ArtefactError, check_plain, write_model
from apps.scoring_engine.ml.learning.card import scores, tables_of
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.rows import KNOWN
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written
from apps.scoring_engine.ml.learning.training import train
from apps.scoring_engine.ml.risk_model import read_model_bytes

FILES = [f"individual_model.{end}" for end in ("joblib", "manifest.json", "md", "recipe.toml")]
ROOT = Path(__file__).resolve().parents[5]


def trained_on(folder, table, text):
    folder.mkdir(exist_ok=True)
    recipe, data = written(folder, table, text)
    return train(load_recipe(recipe), data, {})


def characteristic(card, feature):
    return next(entry for entry in card["characteristics"] if entry["feature"] == feature)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return trained_on(tmp_path_factory.mktemp("trained"), loans(), recipe_text(fico=True))


def test_the_model_finds_the_truth_that_was_put_in(trained):
    found = trained.report["out_of_time"]
    assert found["auc"] > 0.7
    assert 0.8 < found["calibration_slope"] < 1.25
    assert 0.85 < found["observed_to_expected"] < 1.15
    assert {e["feature"] for e in trained.card["characteristics"]} >= {"amount_to_income", "inquiries_6m"}


def test_every_row_scores_in_serving_as_in_training(trained, tmp_path):
    write_model(trained, tmp_path)
    card = read_model_bytes((tmp_path / FILES[0]).read_bytes())
    learnt = scores(trained.card, trained.rows)
    facts = trained.sample.rows
    for row in range(len(facts)):
        given = {name: column[row] for name, column in facts.values.items() if facts.states[name][row] == KNOWN}
        if "credit_history_score" in given:
            given["credit_history_scale"] = "fico_300_850"
        as_of = trained.sample.when[row].item()
        served = card.score(given, as_of=as_of, unavailable=frozenset(["credit_history_score"]))
        assert served.score == learnt[row]


def test_the_same_input_gives_the_same_bytes_also_in_another_process(tmp_path):
    recipe, data = written(tmp_path, loans(1500), recipe_text())
    write_model(train(load_recipe(recipe), data, {}), tmp_path / "first")
    code = (
        "import sys; from pathlib import Path; from apps.scoring_engine.ml.learning.artefact import write_model;"
        "from apps.scoring_engine.ml.learning.recipe import load_recipe;"
        "from apps.scoring_engine.ml.learning.training import train;"
        "a = [Path(p) for p in sys.argv[1:]]; write_model(train(load_recipe(a[0]), a[1], {}), a[2])"
    )
    for number in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, recipe, data, tmp_path / number],
            check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": number},
        )  # fmt: skip
    for name in FILES:
        first = (tmp_path / "first" / name).read_bytes()
        assert first == (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize("direction", ["higher_is_riskier", "higher_is_safer"])
def test_directions_are_kept_even_against_the_data(tmp_path, direction):
    card = trained_on(tmp_path, loans(2000), recipe_text(utilisation=direction)).card
    sign = 1 if direction == "higher_is_safer" else -1
    for entry in card["characteristics"]:
        if entry["feature"] == "revolving_utilisation":
            assert all(sign * low <= sign * high for low, high in pairwise(entry["points"]))
    kept = [entry["feature"] for entry in card["characteristics"]]
    # The truth rises with utilisation, so the wrong direction leaves nothing to keep.
    assert ("revolving_utilisation" in kept) == (direction == "higher_is_riskier")


def test_missing_earns_no_more_than_the_lower_quarter_and_no_more_than_neutral(trained):
    rows = trained.rows.at(~trained.sample.test)
    for table in tables_of(trained.card):
        entry = table.entry
        points = table.points[table.index(rows)[table.known(rows)]]
        assert entry["missing_points"] <= np.percentile(points, 25, method="lower")
        assert entry["missing_points"] <= entry["reference_points"] == entry["unavailable_points"]


def test_missing_that_goes_with_bad_loans_costs_what_was_seen(tmp_path):
    table = loans(6000)
    hidden = (table["outcome"] == "bad") & (np.arange(6000) % 2 == 0)
    table["inquiries"] = table["inquiries"].astype(object).where(~hidden, "")
    entry = characteristic(trained_on(tmp_path, table, recipe_text()).card, "inquiries_6m")
    assert entry["missing_points"] < min(entry["points"])


def test_a_late_characteristic_is_neutral_on_average_and_where_it_is_not_known(trained):
    entry = characteristic(trained.card, "credit_history_score")
    rows = trained.rows.at(~trained.sample.test)
    known = rows.values["credit_history_score"][rows.known("credit_history_score")]
    points = np.asarray(entry["points"])[np.searchsorted(entry["edges"], known, side="right")]
    assert abs(points.mean()) < 1
    assert entry["unavailable_points"] == entry["special_points"]["other_scale"] == entry["reference_points"] == 0
    check = trained.report["after"][0]
    assert check["with_it"]["auc"] > check["without_it"]["auc"]
    assert check["auc_difference"][1] > 0


@pytest.mark.parametrize(("rows", "rate"), [(20000, 0.005), (1000, 0.05)])
def test_few_bads_give_a_sane_card(tmp_path, rows, rate):
    found = trained_on(tmp_path, loans(rows, bad_rate=rate), recipe_text(holdout=0.3))
    assert found.report["holdout"]["auc"] > 0.6
    assert all(math.isfinite(value) for value in found.report["holdout"].values())
    assert found.report["training"]["observed_to_expected"] == pytest.approx(1, abs=0.02)
    assert found.report["training"]["auc"] - found.report["holdout"]["auc"] < 0.15
    low, high = found.report["auc_interval"]
    assert low < found.report["holdout"]["auc"] < high
    assert high - low > 0.02  # few bads: honest about it


def test_only_plain_data_is_written():
    with pytest.raises(ArtefactError, match=r"more than plain data: .*GLOBAL"):
        check_plain(pickle.dumps({"a": Path("x")}))
    check_plain(pickle.dumps({"a": [1, 2.5, None, True, "text", {}]}))


def test_headline_says_which_rows_it_is_of(trained):
    headline = trained.headline()
    assert headline["out_of_time"] == "2015-01-01"
    assert {"auc", "gini", "ks", "brier", "calibration_slope", "calibration_intercept", "observed_to_expected",
            "rows", "bad_rate"} <= set(headline)  # fmt: skip
