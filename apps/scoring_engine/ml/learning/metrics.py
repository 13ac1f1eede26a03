"""Figures of a model on labelled rows: pure functions of probabilities or scores and outcomes.

is_bad: booleans or 0/1, 1 = bad. risk: any number that is higher for riskier rows. weight: how often a row
counts (see tallies.py), once each if left out. ValueError: arrays that are not what they should be; its
TrainingError: one outcome only where two are compared. Tests of calibration are in calibration_tests.py and
the fits in logistic.py; their names are given here too.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..drift import population_stability_index, two_shares
from .calibration_tests import (
    NORMAL_95,
    CalibrationBin,
    ChiSquare,
    ZTest,
    binomial_test,
    calibration_bins,
    calibration_table,
    hosmer_lemeshow,
    jeffreys_test,
    spiegelhalter,
    traffic_light,
    wilson,
)
from .errors import TrainingError
from .logistic import SMALLEST_PROBABILITY, fit_intercept, fit_logistic, log_odds, sigmoid
from .tallies import Tally, checked, checked_probability, tally

__all__ = [
    "SMALLEST_PROBABILITY", "CalibrationBin", "ChiSquare", "DeLong", "SwapSets", "ZTest", "area", "auc",
    "auc_interval", "binomial_test", "brier", "calibration_intercept", "calibration_slope", "calibration_table",
    "delong", "expected_calibration_error", "figures", "fit_intercept", "fit_logistic", "gain_points",
    "hosmer_lemeshow", "information_value", "jeffreys_test", "ks", "lift_at", "log_loss", "log_odds",
    "paired_bootstrap", "roc_points", "sigmoid", "spiegelhalter", "swap_sets", "traffic_light",
    "weight_of_evidence", "wilson",
]  # fmt: skip

LEAST_DRAWS = 200
ROWS_DRAWN = 100_000_000  # in all draws of a bootstrap together, from LEAST_DRAWS draws on
DIGITS = 6
SMALLEST_ERROR = 1e-12  # of an AUC difference; less is rounding


def auc(is_bad: np.ndarray, risk: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve: P(risk of a bad > risk of a good), ties count half (Mann-Whitney).

    Hanley and McNeil, Radiology 143, 1982.
    """
    found = _both_outcomes(is_bad, risk, weight)
    return area(found.bads, found.goods)


def area(bads: np.ndarray, goods: np.ndarray) -> float:
    """The AUC from counts at each risk, risk ascending; nan if bads or goods have no weight."""
    pairs = bads.sum() * goods.sum()
    return float(bads @ (np.cumsum(goods) - goods / 2) / pairs) if pairs else math.nan


def ks(is_bad: np.ndarray, risk: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Kolmogorov-Smirnov: the largest distance of the risk distributions of bads and goods."""
    return _distance(_both_outcomes(is_bad, risk, weight))


def roc_points(
    is_bad: np.ndarray, risk: np.ndarray, *, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(share of goods, share of bads) at or above each risk, riskiest first, from (0, 0) to (1, 1).

    That is (false, true) positive rate if the risky are called bad; one point for each distinct risk.
    """
    found = _both_outcomes(is_bad, risk, weight)
    return _shares(found.goods[::-1]), _shares(found.bads[::-1])


def gain_points(
    is_bad: np.ndarray, risk: np.ndarray, *, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(share of rows, share of bads) at or above each risk, riskiest first: the gain, or CAP, curve.

    From (0, 0) to (1, 1); one point for each distinct risk.
    """
    found = _both_outcomes(is_bad, risk, weight)
    return _shares(found.rows[::-1]), _shares(found.bads[::-1])


def lift_at(is_bad: np.ndarray, risk: np.ndarray, share: float, *, weight: np.ndarray | None = None) -> float:
    """Bad rate of the riskiest `share` of rows over the bad rate of all; rows tied at its end count in part."""
    if not 0 < share <= 1:
        raise ValueError(f"A share of rows lies above 0 and up to 1, not at {share}.")
    return float(np.interp(share, *gain_points(is_bad, risk, weight=weight))) / share


def brier(is_bad: np.ndarray, probability: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Mean squared distance of probability and outcome (Brier, Monthly Weather Review 78, 1950); nan without rows."""
    bad, p, weight = checked_probability(is_bad, probability, weight)
    return _mean((p - bad) ** 2, weight)


def log_loss(is_bad: np.ndarray, probability: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Mean negative log-likelihood of the outcomes, p kept 1e-15 away from 0 and 1; nan without rows."""
    bad, p, weight = checked_probability(is_bad, probability, weight)
    p = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return _mean(-np.where(bad, np.log(p), np.log1p(-p)), weight)


def calibration_slope(is_bad: np.ndarray, probability: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Slope of outcome on log-odds: 1 is right, below 1 the model is too sure of itself.

    Cox, Biometrika 45, 1958. nan where it has no finite value: one probability for all, or no bad's below
    any good's, or no good's below any bad's.
    """
    bad, p, weight = checked_probability(is_bad, probability, weight)
    counted = slice(None) if weight is None else weight > 0
    bads, goods = (p[counted][side[counted]] for side in (bad, ~bad))
    if not (len(bads) and len(goods)) or goods.max() <= bads.min() or bads.max() <= goods.min():
        return float("nan")
    return fit_logistic(log_odds(p), bad, weight=weight)[1]


def calibration_intercept(is_bad: np.ndarray, probability: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Calibration in the large: the log-odds to add, at slope 1, for expected to meet observed.

    Above 0 the model expects too few bads (Steyerberg, Clinical Prediction Models, ch. 15). -60 without a
    bad and 60 without a good: none would be enough.
    """
    bad, p, weight = checked_probability(is_bad, probability, weight)
    return fit_intercept(log_odds(p), bad, weight=weight)


def expected_calibration_error(
    is_bad: np.ndarray, probability: np.ndarray, bins: int = 10, *, weight: np.ndarray | None = None
) -> float:
    """Mean distance of expected and observed bad rate over bins of about equally many rows; nan without rows.

    Naeini, Cooper and Hauskrecht, AAAI 2015, with bins of equal count (Nguyen and O'Connor, EMNLP 2015), as
    probabilities of default crowd near 0. Even right probabilities earn a little above 0 by chance.
    """
    rows, bads, expected = calibration_bins(is_bad, probability, bins, weight=weight)
    return float(np.abs(bads - expected).sum() / rows.sum()) if len(rows) else float("nan")


def figures(
    is_bad: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None
) -> dict[str, float | int | None]:
    """All figures of one set of rows with both outcomes, rounded for print; None for what has no finite value.

    Weighted, but for rows and bads: those are what the evidence is made of.
    """
    found = _both_outcomes(is_bad, probability, weight)
    area_, expected = area(found.bads, found.goods), float(found.rows @ found.values)
    named = {
        "auc": area_,
        "gini": 2 * area_ - 1,
        "ks": _distance(found),
        "brier": brier(is_bad, probability, weight=weight),
        "log_loss": log_loss(is_bad, probability, weight=weight),
        "calibration_slope": calibration_slope(is_bad, probability, weight=weight),
        "calibration_intercept": calibration_intercept(is_bad, probability, weight=weight),
        "expected_calibration_error": expected_calibration_error(is_bad, probability, weight=weight),
        "observed_to_expected": float(found.bads.sum()) / expected if expected else math.inf,
        "bad_rate": float(found.bads.sum() / found.rows.sum()),
    }
    rounded = {name: round(value, DIGITS) if math.isfinite(value) else None for name, value in named.items()}
    return {**rounded, "rows": len(is_bad), "bads": int(np.count_nonzero(is_bad))}


def auc_interval(
    is_bad: np.ndarray, risk: np.ndarray, group: np.ndarray, *, draws: int = 1000, seed: int = 1,
    weight: np.ndarray | None = None,
) -> tuple[float, float, float]:  # fmt: skip
    """(AUC, lower and upper 95 % bound), drawing whole groups with replacement; draws fall to 200 for large tables.

    Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13), of clusters where
    rows of one group hang together. Too narrow with a handful of bads; draws without a bad or a good are left
    out.
    """
    found = auc(is_bad, risk, weight)
    return found, *_middle_95([values[0] for values in _drawn_areas(is_bad, [risk], group, draws, seed, weight)])


def paired_bootstrap(
    is_bad: np.ndarray, first: np.ndarray, second: np.ndarray, group: np.ndarray, *, draws: int = 2000,
    seed: int = 1, weight: np.ndarray | None = None, on_draw: Callable[[], None] = lambda: None,
) -> tuple[float, float, float]:  # fmt: skip
    """(difference, lower and upper 95 % bound) of AUC first - second, drawn as by auc_interval, both on each draw."""
    difference, found = auc(is_bad, first, weight) - auc(is_bad, second, weight), []
    for one, other in _drawn_areas(is_bad, [first, second], group, draws, seed, weight):
        found.append(one - other)
        on_draw()
    return difference, *_middle_95(found)


@dataclass(frozen=True, slots=True)
class DeLong:
    """AUC of two models on the same rows, their difference with its 95 % interval, and a two-sided test of it."""

    first: float
    second: float
    difference: float
    lower: float
    upper: float
    z: float
    p_value: float


def delong(is_bad: np.ndarray, first: np.ndarray, second: np.ndarray) -> DeLong:
    """The difference of two AUCs on the same rows; first and second are risks. No weights, and rows independent.

    DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988, by the midranks of Sun and Xu, IEEE Signal
    Processing Letters 21, 2014. With V(bad) = the share of goods it is riskier than (ties half) and V(good)
    likewise, variance = var(V of bads) / bads + var(V of goods) / goods, here of the difference of the V.
    z = 0 and p = 1 if both rank alike; interval, z and p are nan where no variance can be had (one bad or
    one good, or a difference without variance).
    """
    (first_bad, first_good), (second_bad, second_good) = (_placements(is_bad, risk) for risk in (first, second))
    parts = first_bad - second_bad, first_good - second_good
    areas = float(first_bad.mean()), float(second_bad.mean())
    if not (parts[0].any() or parts[1].any()):
        return DeLong(*areas, 0.0, 0.0, 0.0, 0.0, 1.0)
    error = math.sqrt(sum(part.var(ddof=1) / len(part) if len(part) > 1 else math.nan for part in parts))
    difference = float(parts[0].mean())
    if not error > SMALLEST_ERROR:
        return DeLong(*areas, difference, *[math.nan] * 4)
    z, half = difference / error, NORMAL_95 * error
    return DeLong(*areas, difference, difference - half, difference + half, z, float(2 * ndtr(-abs(z))))


@dataclass(frozen=True, slots=True)
class SwapSets:
    """Rows and bads that the second score would accept and the first not (in), the other way (out), both, neither."""

    in_rows: float
    in_bads: float
    out_rows: float
    out_bads: float
    both_rows: float
    both_bads: float
    neither_rows: float
    neither_bads: float


def swap_sets(
    is_bad: np.ndarray, first_score: np.ndarray, second_score: np.ndarray, accept_share: float, *,
    weight: np.ndarray | None = None,
) -> SwapSets:  # fmt: skip
    """Who is swapped if each score (higher = safer) accepts the safest `accept_share` of rows.

    Siddiqi, Credit Risk Scorecards (swap set analysis). Rows tied at a cut-off are accepted in part, each by
    the same lot for both scores, so counts may be fractions and scores that rank alike swap nobody.
    """
    if not 0 <= accept_share <= 1:
        raise ValueError(f"A share of rows lies between 0 and 1, not at {accept_share}.")
    bad, _, times = checked(is_bad, first_score, weight)
    times = np.ones(len(bad)) if times is None else times
    first, second = (_accepted(is_bad, score, accept_share, times) for score in (first_score, second_score))
    both = np.minimum(first, second)
    sets = second - both, first - both, both, 1 - np.maximum(first, second)
    return SwapSets(*[float(part @ each) for part in sets for each in (times, times * bad)])


def weight_of_evidence(bads: np.ndarray, goods: np.ndarray) -> np.ndarray:
    """ln(share of all goods / share of all bads) of each bin: above 0 is safer than all rows together.

    Siddiqi, Credit Risk Scorecards. A bin without a bad or without a good counts half a row of each more; a
    bin without rows has 0, no evidence. nan if there is no bad or no good at all.
    """
    good_share, bad_share = two_shares(goods, bads)
    return np.log(good_share / bad_share)


def information_value(bads: np.ndarray, goods: np.ndarray) -> float:
    """Sum over bins of (share of goods - share of bads) x weight of evidence; never below 0.

    Siddiqi, Credit Risk Scorecards; Kullback's divergence, both ways added (Kullback and Leibler, 1951). Bins
    without bads or goods as in weight_of_evidence. nan if there is no bad or no good at all.
    """
    return population_stability_index(bads, goods)


def _both_outcomes(is_bad: np.ndarray, risk: np.ndarray, weight: np.ndarray | None) -> Tally:
    found = tally(is_bad, risk, weight)
    if not (found.bads.any() and found.goods.any()):
        raise TrainingError("How well a model ranks can only be told from rows with both outcomes, bad and good.")
    return found


def _distance(found: Tally) -> float:
    return float(np.abs(_shares(found.bads) - _shares(found.goods)).max())


def _shares(counts: np.ndarray) -> np.ndarray:
    """Cumulated shares, 0 first."""
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    return sums / sums[-1]


def _mean(number: np.ndarray, weight: np.ndarray | None) -> float:
    total = len(number) if weight is None else float(weight.sum())
    return float((number.sum() if weight is None else number @ weight) / total) if total else math.nan


def _drawn_areas(
    is_bad: np.ndarray, risks: list[np.ndarray], group: np.ndarray, draws: int, seed: int, weight: np.ndarray | None
) -> Iterator[list[float]]:
    """The AUC of each risk on each draw."""
    names, members = np.unique(group, return_inverse=True)
    ranked = [_ranked(*checked(is_bad, risk, weight), members) for risk in risks]
    rng = np.random.default_rng(seed)
    for _ in range(min(draws, max(LEAST_DRAWS, ROWS_DRAWN // max(len(members), 1)))):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(np.int32)
        yield [one.area(times) for one in ranked]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Rows in the order of their risk, goods before bads, so that a draw only has to add up runs.

    members: the row's group. starts, cells: first row of each run, and its place in [goods, bads] by rank.
    """

    members: np.ndarray
    weight: np.ndarray | None
    starts: np.ndarray
    cells: np.ndarray

    def area(self, times: np.ndarray) -> float:
        """times: how often each group was drawn."""
        rows = times[self.members] if self.weight is None else times[self.members] * self.weight
        counts = np.zeros(2 * (self.cells[-1] // 2 + 1))
        counts[self.cells] = np.add.reduceat(rows, self.starts, dtype=float)
        return area(counts[1::2], counts[::2])


def _ranked(bad: np.ndarray, risk: np.ndarray, weight: np.ndarray | None, members: np.ndarray) -> _Ranked:
    cell = 2 * np.unique(risk, return_inverse=True)[1] + bad
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    starts = np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))
    return _Ranked(members[order], None if weight is None else weight[order], starts, cell[starts])


def _middle_95(found: list[float]) -> tuple[float, float]:
    kept = [value for value in found if not math.isnan(value)]
    return tuple(np.percentile(kept, [2.5, 97.5]).tolist()) if kept else (math.nan, math.nan)


def _placements(is_bad: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each bad the share of goods below it, for each good the share of bads above it; ties count half."""
    bad, risk, _ = checked(is_bad, risk)
    found = _both_outcomes(bad, risk, None)
    place = np.searchsorted(found.values, risk)
    below = (np.cumsum(found.goods) - found.goods / 2) / found.goods.sum()
    above = 1 - (np.cumsum(found.bads) - found.bads / 2) / found.bads.sum()
    return below[place[bad]], above[place[~bad]]


def _accepted(is_bad: np.ndarray, score: np.ndarray, share: float, times: np.ndarray) -> np.ndarray:
    """How much of each row is accepted: 1, 0, or a part at the cut-off."""
    _, score, _ = checked(is_bad, score)
    values, place = np.unique(score, return_inverse=True)
    rows = np.bincount(place, times, len(values))
    safer = rows.sum() - np.cumsum(rows)
    room = share * rows.sum() - safer
    part = np.divide(room, rows, out=np.zeros(len(rows)), where=rows > 0)
    return np.clip(part, 0, 1)[place]
