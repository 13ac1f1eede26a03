"""Cards fitted to made rows keep what a card promises, whatever the data say."""

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.calibration import probability_of
from apps.scoring_engine.ml.learning.card import row_points, scores, tables_of
from apps.scoring_engine.ml.learning.fitting import fit_card
from apps.scoring_engine.ml.learning.metrics import auc
from apps.scoring_engine.ml.learning.rows import KNOWN, SPECIAL, UNAVAILABLE
from apps.scoring_engine.ml.scorecard import Scorecard

from .made import drawn, entry_of, own, recipe, rows


def observed_to_expected(card, data):
    expected = np.average(probability_of(scores(card, data)), weights=data.weight)
    return np.average(data.is_bad, weights=data.weight) / expected


def normal(seed, count, names="xyz"):
    rng = np.random.default_rng(seed)
    return rng, {name: rng.normal(0, 1, count).round(3) for name in names}


@pytest.mark.parametrize("seed", range(3))
def test_directions_are_kept_in_every_table_even_against_the_data(seed):
    rng, columns = normal(seed, 4000)
    columns["x"][rng.random(4000) < 0.1] = np.nan
    x, y, z = (np.nan_to_num(columns[name]) for name in "xyz")
    data = rows(columns, drawn(rng, -1.5 + np.sin(2 * x) - y + (y > 0) * (z < 0) * 2 + 0.5 * z * x))
    directions = {"x": "higher_is_riskier", "y": "higher_is_riskier", "z": "higher_is_safer"}
    made = recipe(*(own(name, direction) for name, direction in directions.items()),
                  pairs=(("x", "y"), ("y", "z"), ("x", "z")), smallest_bin_share=0.01)  # fmt: skip
    card = fit_card(made, data)
    assert card["pairs"]
    signs = {name: -1 if direction == "higher_is_riskier" else 1 for name, direction in directions.items()}
    for entry in card["characteristics"]:
        assert (signs[entry["feature"]] * np.diff(entry["points"]) >= 0).all()
    for pair in card["pairs"]:
        for axis, name in enumerate(pair["features"]):
            assert (signs[name] * np.diff(np.array(pair["points"]), axis=axis) >= 0).all()
    Scorecard.from_dict(card)


@pytest.fixture(scope="module")
def coded():
    """Codes of a safe and a risky kind, a rare one, missing that goes with good loans, values in between."""
    rng, columns = normal(1, 8000, "xy")
    kind = rng.choice([KNOWN, SPECIAL, SPECIAL + 1, 1], 8000, p=[0.6, 0.15, 0.1, 0.15])
    kind[:10] = SPECIAL + 2
    columns["x"][kind != KNOWN] = np.nan
    effect = np.select([kind == KNOWN, kind == SPECIAL, kind == SPECIAL + 1, kind == 1],
                       [np.nan_to_num(columns["x"]), -2, 3, -2], 0)  # fmt: skip
    data = rows(columns, drawn(rng, -1.5 + effect + columns["y"] / 2), states={"x": kind.astype(np.int16)},
                codes={"x": ("-1", "-2", "-3", "-4")})  # fmt: skip
    codes = {"-1": "no need", "-2": "refused", "-3": "rare", "-4": "never met"}
    made = recipe(own("x", "higher_is_riskier", special_codes=codes), own("y", "higher_is_riskier"))
    return fit_card(made, data), data


def test_special_codes_earn_by_their_own_evidence(coded):
    card, _ = coded
    entry = entry_of(card, "x")
    special = entry["special_points"]
    assert special["-1"] > 60
    assert special["-2"] < -120
    assert special["-3"] == special["-4"] == entry["missing_points"]  # ten rows are no evidence
    Scorecard.from_dict(card)


def test_missing_never_earns_more_than_the_rule_allows_though_the_data_say_so(coded):
    card, data = coded
    table = next(table for table in tables_of(card) if table.name == "x")
    known = data.known("x")
    points = table.points[table.index(data.at(known))]
    entry = table.entry
    assert entry["missing_points"] <= np.percentile(points, 25, method="higher") < 0
    assert entry["missing_points"] <= entry["reference_points"] == entry["unavailable_points"]
    hidden = data.is_bad[data.states["x"] == 1].mean()
    assert hidden < data.is_bad[known].mean() / 2


def test_a_weight_of_half_for_half_of_the_bads_moves_the_base():
    rng, columns = normal(2, 6000, "xy")
    is_bad = drawn(rng, -1 + columns["x"])
    bads = np.flatnonzero(is_bad)
    weight = np.ones(6000)
    weight[bads[::2]] = 0.5  # three quarters of the bads are left: odds x 0.75 is 50 x log2(4/3) = 20.75 points
    made = recipe(own("x", "higher_is_riskier"), own("y"))
    plain = fit_card(made, rows(columns, is_bad))
    weighted = fit_card(made, rows(columns, is_bad, weight=weight))
    at_zero = rows({"x": np.zeros(1), "y": np.zeros(1)}, np.zeros(1))
    assert scores(weighted, at_zero)[0] - scores(plain, at_zero)[0] == pytest.approx(20.75, abs=6)


@pytest.mark.parametrize("most", [1.0, 20.0])
def test_expected_is_observed_on_training_rows_by_their_weights(most):
    rng, columns = normal(3, 5000)
    data = rows(columns, drawn(rng, -2 + columns["x"] + columns["y"]), weight=rng.uniform(1, 1 + most, 5000))
    card = fit_card(recipe(*(own(name) for name in columns), pairs=1), data)
    assert observed_to_expected(card, data) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("reference", "cut_off"), [("all_applicants", None), ("accepted_good", 560),
                                                    ("near_cut_off", 480)])  # fmt: skip
def test_an_unavailable_input_is_neutral_and_the_base_knows_it(reference, cut_off):
    rng, columns = normal(4, 6000, "xy")
    down = rng.random(6000) < 0.4
    is_bad = drawn(rng, -2 + 1.2 * columns["x"] + columns["y"])
    columns["x"][down] = np.nan
    state = np.where(down, UNAVAILABLE, KNOWN).astype(np.int16)
    data = rows(columns, is_bad, states={"x": state})
    made = recipe(own("x", "higher_is_riskier", empty_is="unavailable"), own("y", "higher_is_riskier"),
                  reference=reference, cut_off=cut_off)  # fmt: skip
    card = fit_card(made, data)
    entry = entry_of(card, "x")
    assert entry["unavailable_points"] == entry["reference_points"]
    assert entry["missing_points"] < entry["unavailable_points"]
    assert observed_to_expected(card, data) == pytest.approx(1, abs=0.02)
    table = tables_of(card)[0]
    reference_rows = np.ones(6000, dtype=bool)
    before = scores(card, data)
    if reference == "accepted_good":
        reference_rows = ~is_bad & (before >= cut_off)
    elif reference == "near_cut_off":
        reference_rows = np.abs(before - cut_off) <= 25
    mean = table.points[table.index(data)][reference_rows & ~down].mean()
    # The rows were chosen by the score before unavailable inputs got their neutral points.
    assert entry["reference_points"] == pytest.approx(mean, abs=1 if reference == "all_applicants" else 25)


def test_the_reference_changes_no_score_where_everything_is_known():
    rng, columns = normal(5, 4000, "xy")
    data = rows(columns, drawn(rng, -2 + columns["x"] + columns["y"]))
    inputs = (own("x", "higher_is_riskier"), own("y", "higher_is_riskier"))
    plain = fit_card(recipe(*inputs), data)
    good = fit_card(recipe(*inputs, reference="accepted_good"), data)
    near = fit_card(recipe(*inputs, reference="near_cut_off", cut_off=450), data)
    for card in (good, near):
        assert (scores(card, data) == scores(plain, data)).all()
    score = scores(plain, data)
    for card, chosen in ((good, ~data.is_bad), (near, np.abs(score - 450) <= 25)):
        for table in tables_of(card):
            assert table.reference == np.rint(table.points[table.index(data)][chosen].mean())
    assert entry_of(near, "x")["typical"] > entry_of(plain, "x")["typical"] > entry_of(good, "x")["typical"]


def test_many_strong_inputs_and_few_bads_stay_within_the_scale():
    rng = np.random.default_rng(6)
    columns = {f"x{k}": rng.normal(0, 1, 5000).round(2) for k in range(40)}
    total = sum(columns.values()) / np.sqrt(40)
    data = rows(columns, drawn(rng, -11 + 4 * total))
    assert data.is_bad.mean() == pytest.approx(0.005, abs=0.004)
    card = fit_card(recipe(*(own(name, "higher_is_riskier") for name in columns)), data)
    low, high = Scorecard.from_dict(card).reachable
    assert 0 <= low < high <= 1200
    assert observed_to_expected(card, data) == pytest.approx(1, abs=0.05)
    assert auc(data.is_bad, -scores(card, data)) > 0.9


def test_what_is_fitted_after_the_rest_stays_within_the_scale_too():
    rng, columns = normal(7, 6000, ["a", "b", "late"])
    columns["late"][:1000] = np.nan
    log_odds = -10 + 6 * columns["a"] + 5 * columns["b"] + 4 * np.nan_to_num(columns["late"])
    data = rows(columns, drawn(rng, log_odds))
    inputs = [own(name, "higher_is_riskier", stage="after" if name == "late" else "main") for name in columns]
    low, high = Scorecard.from_dict(fit_card(recipe(*inputs), data)).reachable
    assert 0 <= low < high <= 1200


def test_the_same_rows_and_seed_give_the_same_card():
    rng, columns = normal(8, 2500)
    data = rows(columns, drawn(rng, -1.5 + columns["x"]))
    made = recipe(*(own(name) for name in columns), pairs=2)
    assert fit_card(made, data) == fit_card(made, data)


def test_a_flag_is_a_characteristic_and_its_typical_value_is_one():
    rng = np.random.default_rng(9)
    flag = rng.random(3000) < 0.3
    data = rows({"f": np.array(flag.tolist(), dtype=object)}, drawn(rng, -2 + 1.5 * flag))
    card = fit_card(recipe(own("f", kind="flag")), data)
    entry = entry_of(card, "f")
    assert (entry["groups"], entry["typical"]) == ([[False], [True]], False)
    assert entry["points"][0] > 0 > entry["points"][1]
    Scorecard.from_dict(card)


def test_the_base_is_where_the_points_of_all_rows_give_the_observed_share():
    rng, columns = normal(10, 3000, "x")
    data = rows(columns, drawn(rng, -1.5 + columns["x"]))
    card = fit_card(recipe(own("x")), data)
    below, above = (probability_of(row_points(card, data) + card["base_points"] + step).mean() for step in (-1, 1))
    assert above < data.is_bad.mean() < below
