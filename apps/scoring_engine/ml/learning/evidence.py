"""How well a card ranks and how right its probabilities are on one set of rows."""

from typing import Any

import numpy as np

from ..grades import GRADES
from . import metrics
from .calibration import probability_of
from .calibration_tests import NORMAL_95
from .plots import thinned
from .rows import Rows

LEAST_BADS = 10  # on either side; below it no figure of ranking is given
BAND_WIDTHS = (5, 10, 20, 25, 50, 100)
MOST_BANDS = 20
CALIBRATION_BINS = 10


def evidence(
    rows: Rows, score: np.ndarray, months: np.ndarray, *, seed: int, learnt_from: bool = False
) -> dict[str, Any]:
    """All figures of one set of rows; the lists in it are thinned to what a plot needs."""
    probability, weight = probability_of(score), weight_of(rows)
    area, lower, upper = metrics.auc_interval(rows.is_bad, -score, rows.group, seed=seed, weight=weight)
    return {
        **metrics.figures(rows.is_bad, probability, weight=weight),
        **_slope_interval(rows.is_bad, probability, weight),
        "expected_bads": float(np.average(probability, weights=weight) * len(rows)),
        "weighted": weight is not None,
        "auc": area, "auc_lower": lower, "auc_upper": upper,
        "lift_at_10": metrics.lift_at(rows.is_bad, -score, 0.1, weight=weight),
        "hosmer_lemeshow": _hosmer_lemeshow(rows.is_bad, probability, learnt_from),
        "spiegelhalter": _spiegelhalter(rows.is_bad, probability),
        "roc": thinned(np.column_stack(metrics.roc_points(rows.is_bad, -score, weight=weight))),
        "gain": thinned(np.column_stack(metrics.gain_points(rows.is_bad, -score, weight=weight))),
        "calibration": _calibration(rows.is_bad, probability, weight),
        "distribution": _distribution(rows.is_bad, score),
        "grades": _grades(rows.is_bad, probability, months),
    }  # fmt: skip


def weight_of(rows: Rows) -> np.ndarray | None:
    """The weights, or None where every row counts once."""
    return None if (rows.weight == 1).all() else rows.weight


def is_enough(is_bad: np.ndarray) -> bool:
    return min(int(is_bad.sum()), int((~is_bad).sum())) >= LEAST_BADS


def _slope_interval(is_bad: np.ndarray, probability: np.ndarray, weight: np.ndarray | None) -> dict[str, float]:
    """The Wald interval (95 %) of the calibration slope, from the information matrix at the fit."""
    x = metrics.log_odds(probability)
    intercept, slope = metrics.fit_logistic(x, is_bad, weight=weight)
    fitted = metrics.sigmoid(intercept + slope * x)
    mass = fitted * (1 - fitted) * (1.0 if weight is None else weight)
    total = mass.sum()
    information = (mass * x**2).sum() - (mass * x).sum() ** 2 / total if total else 0.0
    half = NORMAL_95 / np.sqrt(information) if information > 0 else np.nan
    return {"calibration_slope_lower": slope - half, "calibration_slope_upper": slope + half}


def _hosmer_lemeshow(is_bad: np.ndarray, probability: np.ndarray, learnt_from: bool) -> dict[str, Any]:
    found = metrics.hosmer_lemeshow(is_bad, probability, learnt_from=learnt_from)
    return {"statistic": found.statistic, "degrees_of_freedom": found.degrees_of_freedom, "p_value": found.p_value,
            "light": metrics.traffic_light(found.p_value)}  # fmt: skip


def _spiegelhalter(is_bad: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    found = metrics.spiegelhalter(is_bad, probability)
    return {"z": found.z, "p_value": found.p_value, "light": metrics.traffic_light(found.p_value)}


def _calibration(is_bad: np.ndarray, probability: np.ndarray, weight: np.ndarray | None) -> list[dict[str, Any]]:
    bins = metrics.calibration_table(is_bad, probability, CALIBRATION_BINS, weight=weight)
    return [{"rows": one.rows, "bads": one.bads, "expected": one.expected, "observed": one.observed,
             "lower": one.lower, "upper": one.upper} for one in bins]  # fmt: skip


def _distribution(is_bad: np.ndarray, score: np.ndarray) -> dict[str, Any]:
    """Goods and bads in at most MOST_BANDS bands of scores."""
    low, high = int(score.min()), int(score.max())
    width = next((w for w in BAND_WIDTHS if (high - low) / w < MOST_BANDS - 1), BAND_WIDTHS[-1])
    first = low // width
    place = score // width - first
    size = int(place.max()) + 1
    bads, goods = (np.bincount(place[side], minlength=size) for side in (is_bad, ~is_bad))
    return {"width": width, "bands": [
        {"from": int((first + k) * width), "goods": int(goods[k]), "bads": int(bads[k])} for k in range(size)
    ]}  # fmt: skip


def _grades(is_bad: np.ndarray, probability: np.ndarray, months: np.ndarray) -> list[dict[str, Any]]:
    """The grade is of the annual probability; expected and observed are over each row's horizon."""
    annual = 1 - (1 - probability) ** (12 / months)
    place = np.searchsorted([bound for _, bound in GRADES[:-1]], annual, side="right")
    return [_grade(letter, is_bad[place == k], probability[place == k]) for k, (letter, _) in enumerate(GRADES)]


def _grade(letter: str, is_bad: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    rows, bads = len(is_bad), int(is_bad.sum())
    found = {"grade": letter, "rows": rows, "bads": bads, "expected": None, "observed": None,
             "binomial": None, "jeffreys": None}  # fmt: skip
    if not rows:
        return found
    expected = float(probability.mean())
    tests = {"binomial": metrics.binomial_test(bads, rows, expected),
             "jeffreys": metrics.jeffreys_test(bads, rows, expected)}  # fmt: skip
    lights = {name: {"p_value": p, "light": metrics.traffic_light(p)} for name, p in tests.items()}
    return found | {"expected": expected, "observed": bads / rows, **lights}
