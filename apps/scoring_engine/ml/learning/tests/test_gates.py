"""Acceptance gates pass and fail at their bounds; what cannot be known has not passed."""

import numpy as np
import pytest

from apps.scoring_engine.ml.drift import population_stability_index
from apps.scoring_engine.ml.learning.fitting import fit_card
from apps.scoring_engine.ml.learning.gates import check_gates, score_stability
from apps.scoring_engine.ml.learning.recipe import Gates

from .made import drawn, own, recipe, rows


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 3000)
    data = rows({"x": x}, drawn(rng, -1.5 + x))
    return fit_card(recipe(own("x")), data), data


def checked(fitted, found, **gates):
    card, data = fitted
    moved = data.at(data.values["x"] > 0)
    return check_gates(recipe(own("x"), gates=Gates(**gates)), card, data, moved, found)


CASES = [
    ({"auc_at_least": 0.7}, {"auc": 0.7}, True, "at least 0.7"),
    ({"auc_at_least": 0.7}, {"auc": 0.699}, False, "at least 0.7"),
    ({"auc_at_least": 0.7}, {"auc": None}, False, "at least 0.7"),
    ({"auc_at_least": 0.7}, {"auc": float("nan")}, False, "at least 0.7"),
    ({"calibration_slope": (0.9, 1.1)}, {"calibration_slope": 1.1}, True, "at least 0.9 and at most 1.1"),
    ({"calibration_slope": (0.9, 1.1)}, {"calibration_slope": 1.11}, False, "at least 0.9 and at most 1.1"),
    ({"calibration_slope": (0.9, 1.1)}, {"calibration_slope": 0.89}, False, "at least 0.9 and at most 1.1"),
    ({"observed_to_expected": (0.8, 1.2)}, {"observed_to_expected": 0.8}, True, "at least 0.8 and at most 1.2"),
    ({"observed_to_expected": (0.8, 1.2)}, {"observed_to_expected": None}, False, "at least 0.8 and at most 1.2"),
    ({"psi_at_most": 0.25}, {}, False, "at most 0.25"),
    ({"psi_at_most": 99.0}, {}, True, "at most 99.0"),
]


@pytest.mark.parametrize(("gates", "found", "passed", "required"), CASES)
def test_a_gate_passes_up_to_its_bounds(fitted, gates, found, passed, required):
    (gate,) = checked(fitted, found, **gates)
    assert (gate["passed"], gate["required"]) == (passed, required)


def test_without_gates_nothing_is_checked(fitted):
    assert checked(fitted, {}) == []


def test_stability_is_over_tenths_of_the_expected_rows():
    score = np.arange(1000)
    ones = np.ones(1000)
    assert score_stability(score, score, ones, ones) == pytest.approx(0, abs=1e-9)
    upper = score[500:]
    expected = population_stability_index(np.full(10, 100), np.array([0] * 5 + [100] * 5))
    assert score_stability(score, upper, ones, ones[:500]) == pytest.approx(expected, rel=0.02)
    # Rows twice, or with weight two, are the same.
    twice = score_stability(score, np.concatenate([upper, upper[:100]]), ones, np.ones(600))
    weight = np.where(np.arange(500) < 100, 2.0, 1.0)
    assert score_stability(score, upper, ones, weight) == pytest.approx(twice)
