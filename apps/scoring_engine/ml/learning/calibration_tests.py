"""Whether probabilities are right: tables of expected and observed bads, and tests of them.

A low p-value speaks against the probabilities. With many rows every test finds some departure, so read the
size of it beside the p-value. weight: how often a row counts (see tallies.py); the theory of the tests knows
no weights, so they take none.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaincc, ndtr

from .tallies import checked_probability, tally

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows and bads (weighted, if weights were given), mean probability, share of bads with a 95 % interval."""

    rows: float
    bads: float
    expected: float
    observed: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A statistic that follows a chi-square distribution if the probabilities are right."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True, slots=True)
class ZTest:
    """A statistic that follows the standard normal distribution if the probabilities are right; two-sided."""

    z: float
    p_value: float


def calibration_bins(
    is_bad: np.ndarray, probability: np.ndarray, bins: int = 10, *, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, bads, expected bads) of at most `bins` bins of about equally many rows, probability ascending.

    Rows of one probability stay together, in the bin of their middle, so the order of rows changes nothing.
    """
    if bins < 1:
        raise ValueError("There must be at least one bin.")
    found = tally(*checked_probability(is_bad, probability, weight))
    middle = (np.cumsum(found.rows) - found.rows / 2) / max(found.rows.sum(), np.finfo(float).tiny)
    place = np.minimum((middle * bins).astype(int), bins - 1)
    counted = [np.bincount(place, each, bins) for each in (found.rows, found.bads, found.rows * found.values)]
    used = counted[0] > 0
    return counted[0][used], counted[1][used], counted[2][used]


def calibration_table(
    is_bad: np.ndarray, probability: np.ndarray, bins: int = 10, *, weight: np.ndarray | None = None
) -> list[CalibrationBin]:
    """Expected against observed in bins of about equally many rows; intervals by Wilson."""
    kind = int if weight is None else float
    return [
        CalibrationBin(kind(rows), kind(bads), float(expected / rows), float(bads / rows), *wilson(bads, rows))
        for rows, bads, expected in zip(*calibration_bins(is_bad, probability, bins, weight=weight), strict=True)
    ]


def wilson(bads: float, rows: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, JASA 22, 1927); never empty, never outside 0..1.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), and (nan, nan) without a row.
    """
    if rows <= 0:
        return float("nan"), float("nan")
    share, square = bads / rows, NORMAL_95**2
    middle = share + square / (2 * rows)
    half = NORMAL_95 * float(np.sqrt(share * (1 - share) / rows + square / (4 * rows**2)))
    scale = 1 + square / rows
    lower = 0.0 if bads == 0 else (middle - half) / scale
    return float(lower), 1.0 if bads == rows else float((middle + half) / scale)


def hosmer_lemeshow(
    is_bad: np.ndarray, probability: np.ndarray, groups: int = 10, *, learnt_from: bool = False
) -> ChiSquare:
    """C = sum over groups of (observed - expected)^2 / (n p (1 - p)), p the mean probability of the group.

    Hosmer and Lemeshow, Applied Logistic Regression (deciles of risk). C follows chi-square with as many
    degrees of freedom as groups on rows that the model has not seen, two fewer on those it was learnt from
    (learnt_from=True). Ties stay together, so there may be fewer groups. A group of probabilities 0 or 1
    adds nothing if they hold, else C is infinite. nan without rows or degrees of freedom. No weights.
    """
    rows, bads, expected = calibration_bins(is_bad, probability, groups)
    gap, variance = np.abs(bads - expected), expected * (1 - expected / rows)
    wrong = (variance <= 0) & (gap > 0)
    parts = np.divide(gap**2, variance, out=np.where(wrong, np.inf, 0.0), where=variance > 0)
    statistic, degrees = float(parts.sum()), len(rows) - 2 * learnt_from
    if degrees < 1:
        return ChiSquare(statistic, max(degrees, 0), float("nan"))
    return ChiSquare(statistic, degrees, float(gammaincc(degrees / 2, statistic / 2)))


def spiegelhalter(is_bad: np.ndarray, probability: np.ndarray) -> ZTest:
    """z = sum (y - p)(1 - 2p) / sqrt(sum (1 - 2p)^2 p (1 - p)): is the Brier score what right probabilities earn?

    Spiegelhalter, Statistics in Medicine 5, 1986. z above 0: a Brier score worse than they would earn.
    nan where nothing can be told (no rows, all p one half, or p of 0 and 1 that all hold); infinite where
    what had probability 0 has happened and all other p are 0, 1/2 or 1. No weights.
    """
    bad, p, _ = checked_probability(is_bad, probability)
    gap = float(((bad - p) * (1 - 2 * p)).sum())
    spread = float(np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum()))
    if spread == 0:
        return ZTest(float("nan"), float("nan")) if gap == 0 else ZTest(float(np.copysign(np.inf, gap)), 0.0)
    z = gap / spread
    return ZTest(z, float(2 * ndtr(-abs(z))))


def binomial_test(bads: int, rows: int, probability: float) -> float:
    """P(at least so many bads | probability), exact; low if there are too many bads. nan without rows.

    Basel Committee, Working Paper 14 (2005), Studies on the Validation of Internal Rating Systems. It takes
    outcomes as independent; a downturn hits many loans at once, and then it rejects too often.
    The upper tail is the regularised incomplete beta function I_p(bads, rows - bads + 1). No weights.
    """
    _check_counts(bads, rows, probability)
    if rows == 0:
        return float("nan")
    return 1.0 if bads == 0 else float(betainc(bads, rows - bads + 1, probability))


def jeffreys_test(bads: int, rows: int, probability: float) -> float:
    """P(true rate <= probability | bads, rows) under Jeffreys' prior; low if the probability is too low.

    The true rate is Beta(bads + 1/2, rows - bads + 1/2). European Central Bank, Instructions for reporting
    the validation results of internal models (2019). nan without rows. No weights.
    """
    _check_counts(bads, rows, probability)
    return float(betainc(bads + 0.5, rows - bads + 0.5, probability)) if rows else float("nan")


def traffic_light(p_value: float) -> str:
    """green from 0.05, amber from 0.01, red below; amber too if there is no p-value (nan): look for yourself."""
    if np.isnan(p_value):
        return "amber"
    return "green" if p_value >= 0.05 else "amber" if p_value >= 0.01 else "red"


def _check_counts(bads: int, rows: int, probability: float) -> None:
    if not 0 <= bads <= rows:
        raise ValueError(f"{bads} bads among {rows} rows cannot be.")
    if not 0 <= probability <= 1:
        raise ValueError(f"{probability} is no probability.")
