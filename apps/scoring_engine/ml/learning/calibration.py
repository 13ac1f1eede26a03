"""From log-odds to whole points, and what missing, unavailable and special values earn."""

from dataclasses import dataclass

import numpy as np

from ..grades import EVEN_ODDS_SCORE, POINTS_TO_DOUBLE_ODDS
from .encoding import Bins
from .merging import Merged
from .metrics import fit_intercept, fit_logistic

POINTS_OF_LOG_ODDS = POINTS_TO_DOUBLE_ODDS / np.log(2)
MISSING_PERCENTILE = 25


@dataclass(frozen=True, slots=True)
class Points:
    """Whole points of one characteristic; the rows it was set on have mean points `reference`."""

    bins: Bins
    points: tuple[int, ...]
    missing: int
    reference: int


def out_of_bag_slope(out_of_bag: np.ndarray, is_bad: np.ndarray, offset: float | np.ndarray = 0.0) -> float:
    """How much of the learnt spread holds on rows that were not learnt from (1 = all of it).

    With an offset, the slope is of what was learnt beyond it.
    """
    return max(fit_logistic(out_of_bag - offset, is_bad, offset)[1], 0.0)


def whole_points(part: Merged, slope: float, values: np.ndarray) -> Points:
    """Higher is safer, zero is the mean of the training `values`; equal neighbours become one bin."""
    codes = part.bins.codes(values)
    known = codes < part.bins.count
    exact = -POINTS_OF_LOG_ODDS * slope * part.values
    centre = exact[codes[known]].mean()
    points = np.rint(exact - centre).astype(int)
    evidence = -POINTS_OF_LOG_ODDS * slope * part.missing - centre
    missing = missing_points(points[codes[known]], evidence)
    reference = np.rint(np.append(points, missing)[np.minimum(codes, part.bins.count)].mean())
    starts = [0, *(np.flatnonzero(points[1:] != points[:-1]) + 1).tolist()]
    return Points(part.bins.merged(starts), tuple(points[starts].tolist()), missing, int(reference))


def base_points(points: np.ndarray, is_bad: np.ndarray) -> int:
    """The whole base at which the expected number of bads is nearest the observed.

    points: the sum of each training row's points without the base.
    """
    log_odds = fit_intercept(-points / POINTS_OF_LOG_ODDS, is_bad)
    return int(np.rint(EVEN_ODDS_SCORE - POINTS_OF_LOG_ODDS * log_odds))


def log_odds_of(score: np.ndarray) -> np.ndarray:
    return -(score - EVEN_ODDS_SCORE) / POINTS_OF_LOG_ODDS


def probability_of(score: np.ndarray) -> np.ndarray:
    """The probability of default that goes with each score; see grades.py."""
    return 1 / (1 + 2.0 ** ((score - EVEN_ODDS_SCORE) / POINTS_TO_DOUBLE_ODDS))


def missing_points(known: np.ndarray, evidence: float) -> int:
    """The lowest of: the evidence (NaN: none), the 25th percentile of the training points, their mean.

    The mean is there so that saying nothing never earns more than a source that is down.
    """
    found = [int(np.percentile(known, MISSING_PERCENTILE, method="lower")), int(np.rint(known.mean()))]
    return min(found if np.isnan(evidence) else [*found, int(np.floor(evidence))])
