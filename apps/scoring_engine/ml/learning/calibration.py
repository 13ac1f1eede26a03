"""From log-odds to whole points, and what missing and special values earn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..grades import EVEN_ODDS_SCORE, POINTS_TO_DOUBLE_ODDS
from .boosting import Outcomes
from .encoding import Bins
from .merging import Grid, Part
from .metrics import fit_intercept, fit_logistic
from .rows import MISSING, UNAVAILABLE

POINTS_OF_LOG_ODDS = POINTS_TO_DOUBLE_ODDS / np.log(2)
MISSING_PERCENTILE = 25
STEEPEST = 2.0  # what bags that stopped early may be stretched by; beyond it they have learnt next to nothing
LEAST_EVIDENCE = 30  # rows without a value from which they have evidence of their own


@dataclass(slots=True)
class Points:
    """Whole points of a characteristic or pair, with mean zero over the training rows that have a value.

    points: by bin, or by row and column of bins, with one more for special codes where they occur.
    by_state: points of each state that occurs, but MISSING and UNAVAILABLE.
    places: the place of each training row in the flat points, -1 - state where it has no value.
    """

    features: tuple[str, ...]
    bins: tuple[Bins, ...]
    points: np.ndarray
    missing: int
    by_state: dict[int, int]
    places: np.ndarray

    def of_rows(self, neutral: int) -> np.ndarray:
        """Points of each training row; `neutral` where a source had nothing."""
        flat = self.points.ravel()
        states = {MISSING: self.missing, **self.by_state, UNAVAILABLE: neutral}
        found = np.where(self.places >= 0, flat[np.maximum(self.places, 0)], neutral)
        for state, points in states.items():
            found[self.places == -1 - state] = points
        return found

    @property
    def is_flat(self) -> bool:
        return len({*self.points.ravel().tolist(), *self.by_state.values()}) <= 1


def out_of_bag_slope(out_of_bag: np.ndarray, rows: Outcomes) -> float:
    """How much of the learnt spread holds on rows that were not learnt from (1 = all of it).

    out_of_bag: log-odds, NaN for rows that no bag left out. With an offset, the slope is of what was learnt
    beyond it.
    """
    seen = ~np.isnan(out_of_bag)
    learnt, offset = (out_of_bag - rows.offset)[seen], rows.offset[seen]
    slope = fit_logistic(learnt, rows.is_bad[seen], offset, weight=rows.weight[seen])[1]
    return float(np.clip(slope, 0.0, STEEPEST))


def points_of_part(part: Part, slope: float, weight: np.ndarray) -> Points:
    """Higher is safer; equal neighbours become one bin."""
    count = part.bins.count
    exact = -POINTS_OF_LOG_ODDS * slope * part.values
    known = part.places < count
    exact -= np.average(exact[part.places[known]], weights=weight[known]) if known.any() else 0.0
    points = np.rint(exact[:count]).astype(int)
    rows = {state: (part.places == count + k).sum() for k, state in enumerate(part.feature.states)}
    evidence = {state: exact[count + k] for k, state in enumerate(part.feature.states) if rows[state] >= LEAST_EVIDENCE}
    missing = missing_points(points[part.places[known]], weight[known], evidence.get(MISSING, np.nan))
    others = [state for state in part.feature.states if state not in (MISSING, UNAVAILABLE)]
    by_state = {state: int(np.rint(evidence[state])) if state in evidence else missing for state in others}
    starts = [0, *(np.flatnonzero(points[1:] != points[:-1]) + 1).tolist()]
    if len(starts) == 1 and count > 1 and by_state:
        starts = [0, 1]  # only the states differ: a table of points needs an edge all the same
    joined = np.searchsorted(starts, np.arange(count), side="right") - 1
    states = -1 - np.asarray([0, *part.feature.states])
    places = np.where(known, joined[np.minimum(part.places, count - 1)], states[np.maximum(part.places - count + 1, 0)])
    return Points((part.feature.name,), (part.bins.merged(starts),), points[starts], missing, by_state, places)


def points_of_grid(grid: Grid, slope: float, weight: np.ndarray) -> Points:
    """As points_of_part; the last row or column of special codes stays by itself."""
    exact = -POINTS_OF_LOG_ODDS * slope * grid.values
    there = grid.places >= 0
    exact -= np.average(exact.ravel()[grid.places[there]], weights=weight[there]) if there.any() else 0.0
    points = np.rint(exact).astype(int)
    missing = missing_points(points.ravel()[grid.places[there]], weight[there], np.nan)
    starts = [_starts(each, bins.count) for each, bins in zip((points, points.T), grid.bins, strict=True)]
    row, column = np.divmod(np.maximum(grid.places, 0), points.shape[1])
    kept = [
        [*start, *range(bins.count, side)] for start, bins, side in zip(starts, grid.bins, points.shape, strict=True)
    ]
    joined = _joined(kept[0], points.shape[0])[row] * len(kept[1]) + _joined(kept[1], points.shape[1])[column]
    places = np.where(there, joined, np.where(_is_unavailable(grid), -1 - UNAVAILABLE, -1 - MISSING))
    bins = (grid.bins[0].merged(starts[0]), grid.bins[1].merged(starts[1]))
    return Points(tuple(f.name for f in grid.features), bins, points[np.ix_(*kept)], missing, {}, places)


def missing_points(points: np.ndarray, weight: np.ndarray, evidence: float) -> int:
    """The lowest of: the evidence (NaN: none), the 25th percentile of the training points, their mean.

    The mean is there so that saying nothing never earns more than a source that is down.
    """
    if not len(points):
        return 0
    order = np.argsort(points, kind="stable")
    reached = np.cumsum(weight[order]) >= weight.sum() * MISSING_PERCENTILE / 100
    found = [int(points[order][np.argmax(reached)]), int(np.rint(np.average(points, weights=weight)))]
    return min(found if np.isnan(evidence) else [*found, int(np.floor(evidence))])


def base_points(points: np.ndarray, rows: Outcomes) -> int:
    """The whole base at which the expected number of bads is nearest the observed.

    points: the sum of each training row's points without the base.
    """
    log_odds = fit_intercept(-points / POINTS_OF_LOG_ODDS, rows.is_bad, weight=rows.weight)
    return int(np.rint(EVEN_ODDS_SCORE - POINTS_OF_LOG_ODDS * log_odds))


def log_odds_of(score: np.ndarray) -> np.ndarray:
    return -(score - EVEN_ODDS_SCORE) / POINTS_OF_LOG_ODDS


def probability_of(score: np.ndarray) -> np.ndarray:
    """The probability of default that goes with each score; see grades.py."""
    return 1 / (1 + 2.0 ** ((score - EVEN_ODDS_SCORE) / POINTS_TO_DOUBLE_ODDS))


def _starts(points: np.ndarray, count: int) -> list[int]:
    """Starts of runs of equal rows among the first `count`; two at least, since an axis needs an edge."""
    found = [0, *(np.flatnonzero((points[1:count] != points[: count - 1]).any(axis=1)) + 1).tolist()]
    return found if len(found) > 1 else [0, 1]


def _joined(starts: Sequence[int], count: int) -> np.ndarray:
    return np.searchsorted(starts, np.arange(count), side="right") - 1


def _is_unavailable(grid: Grid) -> np.ndarray:
    found = np.zeros(len(grid.places), dtype=bool)
    for feature in grid.features:
        if UNAVAILABLE in feature.states:
            found |= feature.codes == feature.bins.count + feature.states.index(UNAVAILABLE)
    return found
