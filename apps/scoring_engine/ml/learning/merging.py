"""From fine shapes to few readable bins: best segmentation, then distilling to the fine score."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from .boosting import Coded, Shapes
from .encoding import Bins
from .metrics import sigmoid

TOLERANCE = 0.02  # log-odds, root mean square: fewer bins are taken when they cost no more than this
SWEEPS = 5
RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Merged:
    """Few bins and the log-odds of bad in each; `missing` is NaN where there is no evidence of its own."""

    bins: Bins
    values: np.ndarray
    missing: float


def segments(values: np.ndarray, weight: np.ndarray, most: int, least_weight: float) -> list[int]:
    """Starts of the runs that fit `values` best in weighted squares, by dynamic programming.

    At most `most` runs, each of at least `least_weight`; the fewest that are within TOLERANCE.
    """
    n = len(values)
    cost = _costs(values, weight, least_weight)
    best = np.full((most + 1, n + 1), np.inf)
    came = np.zeros((most + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for runs in range(1, most + 1):
        for end in range(1, n + 1):
            through = best[runs - 1, :end] + cost[:end, end]
            came[runs, end] = int(np.argmin(through))
            best[runs, end] = through[came[runs, end]]
    enough = np.flatnonzero(best[:, n] <= TOLERANCE**2 * weight.sum())
    possible = np.flatnonzero(np.isfinite(best[:, n]))
    if not len(possible):
        return [0]
    return _starts(came, int(enough[0]) if len(enough) else int(possible[np.argmin(best[possible, n])]), n)


def merge(
    bins: tuple[Bins, ...], shapes: Shapes, coded: Coded, *, most_bins: int, smallest_share: float
) -> tuple[Merged, ...]:
    """Merges each feature's fine bins, then distils the result to the fine score (not to the labels).

    The constant beside them is left out: base points are set on the outcomes, in whole points.
    """
    parts, codes = [], []
    for j, (fine, table) in enumerate(zip(bins, shapes.tables, strict=True)):
        rows = np.bincount(coded.codes[:, j], minlength=fine.count + 1)[: fine.count].astype(float)
        merged, place = _merged(fine, table, rows, most_bins, smallest_share)
        codes.append(place[coded.codes[:, j]])
        parts.append(merged)
    tables = [np.append(part.values, part.missing) for part in parts]
    _distil(tables, np.column_stack(codes), shapes.total(coded.codes), coded.directions)
    found = zip(parts, tables, shapes.evidence, strict=True)
    return tuple(Merged(p.bins, t[:-1], float(t[-1]) if e else np.nan) for p, t, e in found)


def _merged(
    fine: Bins, table: np.ndarray, rows: np.ndarray, most_bins: int, smallest_share: float
) -> tuple[Merged, np.ndarray]:
    """The merged bins, and the merged bin of each fine one (missing comes last in both)."""
    order = np.arange(fine.count)
    if fine.groups is not None:
        order = np.argsort(table[:-1], kind="stable")
        fine = fine.reordered(order.tolist())
    values, rows = table[order], np.maximum(rows[order], 1e-9)
    starts = segments(values, rows, most_bins, smallest_share * rows.sum())
    means = np.add.reduceat(values * rows, starts) / np.add.reduceat(rows, starts)
    place = np.zeros(fine.count + 1, dtype=int)
    place[order] = np.searchsorted(starts, np.arange(fine.count), side="right") - 1
    place[-1] = len(starts)
    return Merged(fine.merged(starts), means, float(table[-1])), place


def _distil(tables: list[np.ndarray], codes: np.ndarray, fine: np.ndarray, directions: tuple[int, ...]) -> None:
    """Backfits the tables, in place, to the fine log-odds with weights p(1-p), beside a constant.

    The ridge pulls each bin to the mean it was merged from; directions are kept by isotonic regression.
    """
    first = [table.copy() for table in tables]
    weight = sigmoid(fine) * (1 - sigmoid(fine))
    total = sum(table[codes[:, j]] for j, table in enumerate(tables))
    start = float(np.average(fine - total, weights=weight))
    for _ in range(SWEEPS):
        for j, table in enumerate(tables):
            rest = fine - start - (total - table[codes[:, j]])
            mass = np.bincount(codes[:, j], weights=weight, minlength=len(table)) + RIDGE
            drawn = np.bincount(codes[:, j], weights=weight * rest, minlength=len(table)) + RIDGE * first[j]
            updated = _in_order(drawn / mass, mass, directions[j])
            total += updated[codes[:, j]] - table[codes[:, j]]
            table[:] = updated
        start = float(np.average(fine - total, weights=weight))


def _in_order(values: np.ndarray, mass: np.ndarray, direction: int) -> np.ndarray:
    """The nearest values that rise (1) or fall (-1) from bin to bin; missing, the last, is exempt."""
    if direction == 0:
        return values
    ordered = isotonic_regression(values[:-1], sample_weight=mass[:-1], increasing=direction > 0)
    return np.append(ordered, values[-1])


def _costs(values: np.ndarray, weight: np.ndarray, least_weight: float) -> np.ndarray:
    """cost[a, b]: weighted squares of values[a:b] about their mean; infinite for runs that are too light."""
    w, wx, wxx = (np.concatenate([[0.0], np.cumsum(weight * values**k)]) for k in (0, 1, 2))
    mass = w[None, :] - w[:, None]
    with np.errstate(all="ignore"):
        cost = (wxx[None, :] - wxx[:, None]) - (wx[None, :] - wx[:, None]) ** 2 / mass
    return np.where(mass >= max(least_weight, 1e-12), np.maximum(cost, 0.0), np.inf)


def _starts(came: np.ndarray, runs: int, end: int) -> list[int]:
    starts = []
    for left in range(runs, 0, -1):
        end = int(came[left, end])
        starts.append(end)
    return starts[::-1]
