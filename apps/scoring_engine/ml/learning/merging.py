"""From fine shapes to few readable bins, by the best segmentation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .encoding import Bins, Feature
from .rows import SPECIAL
from .shapes import Shapes, cell_weights

TOLERANCE = 0.005  # log-odds, root mean square: fewer bins are taken when they cost no more than this
GRID_TOLERANCE = 0.01
DOUBT = 0.25  # of the standard error of log-odds that all rows together leave: less than that is not worth a bin
MOST_GRID_BINS = 8
LEAST_ROWS = 20  # in a bin, however many or few a share of the rows would be
ROUNDS = 2  # of merging rows and columns of a grid in turn


@dataclass(slots=True)
class Part:
    """A feature in few bins: `values` of log-odds by place, the states in the last places; place of each row."""

    feature: Feature
    bins: Bins
    values: np.ndarray
    places: np.ndarray

    @property
    def directions(self) -> tuple[int, ...]:
        return (self.feature.direction,)


@dataclass(slots=True)
class Grid:
    """A pair in few cells: values[row, column] of log-odds; the cell of each row, -1 where it has none.

    Special codes of a feature share one more row (column), the last; a row without any value has no cell.
    """

    features: tuple[Feature, Feature]
    bins: tuple[Bins, Bins]
    values: np.ndarray
    places: np.ndarray

    @property
    def directions(self) -> tuple[int, ...]:
        return tuple(feature.direction for feature in self.features)


def merge(
    features: Sequence[Feature], shapes: Shapes, weight: np.ndarray, *, most_bins: int, smallest_share: float,
    information: float,
) -> tuple[list[Part], list[Grid]]:  # fmt: skip
    """Each feature in at most most_bins bins, each pair in at most MOST_GRID_BINS x MOST_GRID_BINS cells.

    information: the sum of p(1-p) over the rows, whose root is one over the standard error of their log-odds.
    The less there is, the more a bin must bring.
    """
    allot_to_pairs(features, shapes)
    doubt = DOUBT / np.sqrt(information)
    parts = [
        _part(feature, table, weight, most_bins, smallest_share, max(TOLERANCE, doubt))
        for feature, table in zip(features, shapes.mains, strict=True)
    ]
    grids = [
        _grid((features[j], features[k]), table, weight, smallest_share, max(GRID_TOLERANCE, doubt))
        for (j, k), table in shapes.pairs.items()
    ]
    return parts, [grid for grid in grids if min(bins.count for bins in grid.bins) > 1]


def allot_to_pairs(features: Sequence[Feature], shapes: Shapes) -> None:
    """Moves, in place, from each directed feature to its pairs as much as makes every pair keep the direction.

    The trees keep it in total. So each step of the feature's own table is at least as large as the sum of
    the worst steps of its pairs, and what remains keeps it too: the direction can then be read from each
    table by itself.
    """
    for (j, k), table in shapes.pairs.items():
        for axis, place in ((0, j), (1, k)):
            if direction := features[place].direction:
                inner = table[:-1] if axis == 0 else table[:, :-1].T
                worst = (direction * np.diff(inner, axis=0)).min(axis=1)
                lift = direction * np.concatenate([[0.0], np.cumsum(np.maximum(-worst, 0.0))])
                inner += lift[:, None]
                shapes.mains[place][: len(lift)] -= lift


def segments(
    values: np.ndarray, weight: np.ndarray, most: int, least_weight: float, tolerance: float, *, fewest: int = 1
) -> list[int]:
    """Starts of the runs that fit `values` best in weighted squares, by dynamic programming.

    values, weight: (n, m), a run being constant in each of the m columns. At most `most` runs, and `fewest` if that can
    be, each of at least `least_weight`; the fewest of those that are within `tolerance` (root mean square).
    """
    n = len(values)
    cost = _costs(values, weight, least_weight)
    best = np.full((most + 1, n + 1), np.inf)
    came = np.zeros((most + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for runs in range(1, most + 1):
        through = best[runs - 1][:, None] + cost
        came[runs] = np.argmin(through, axis=0)
        best[runs] = through[came[runs], np.arange(n + 1)]
    enough = np.flatnonzero(best[:, n] <= tolerance**2 * weight.sum())
    possible = np.flatnonzero(np.isfinite(best[:, n]))
    if len(wide := possible[possible >= fewest]):
        enough, possible = enough[enough >= fewest], wide
    if not len(possible):
        return [0]
    return _starts(came, int(enough[0]) if len(enough) else int(possible[np.argmin(best[possible, n])]), n)


def _costs(values: np.ndarray, weight: np.ndarray, least_weight: float) -> np.ndarray:
    """cost[a, b]: weighted squares of values[a:b] about their means; infinite for runs that are empty or light."""
    zero = np.zeros((1, values.shape[1]))
    w, wx, wxx = (np.concatenate([zero, np.cumsum(weight * values**k, axis=0)]) for k in (0, 1, 2))
    mass = w[None] - w[:, None]
    with np.errstate(all="ignore"):
        about = np.where(mass > 0, (wx[None] - wx[:, None]) ** 2 / mass, 0.0)
    cost = np.maximum((wxx[None] - wxx[:, None] - about).sum(axis=2), 0.0)
    ahead = np.tri(len(w), k=0, dtype=bool)
    return np.where(ahead | (mass.sum(axis=2) < max(least_weight, 1e-12)), np.inf, cost)


def _starts(came: np.ndarray, runs: int, end: int) -> list[int]:
    starts = []
    for left in range(runs, 0, -1):
        end = int(came[left, end])
        starts.append(end)
    return starts[::-1]


def _part(
    feature: Feature, table: np.ndarray, weight: np.ndarray, most_bins: int, smallest_share: float, tolerance: float
) -> Part:
    fine = feature.bins
    mass = np.bincount(feature.codes, weight, feature.places)[: fine.count] + 1e-9
    order = np.argsort(table[: fine.count], kind="stable") if fine.groups is not None else np.arange(fine.count)
    ordered = fine.reordered(order.tolist()) if fine.groups is not None else fine
    values, rows = table[order], mass[order]
    starts = segments(values[:, None], rows[:, None], most_bins, _least(rows, smallest_share), tolerance)
    means = np.add.reduceat(values * rows, starts) / np.add.reduceat(rows, starts)
    place = np.empty(feature.places, dtype=int)
    place[order] = np.searchsorted(starts, np.arange(fine.count), side="right") - 1
    place[fine.count :] = len(starts) + np.arange(len(feature.states))
    return Part(feature, ordered.merged(starts), np.append(means, table[fine.count :]), place[feature.codes])


def _grid(
    pair: tuple[Feature, Feature], table: np.ndarray, weight: np.ndarray, smallest_share: float, tolerance: float
) -> Grid:
    """Rows and columns merged in turn. Means keep the directions, since their weights are a product."""
    mass, values = cell_weights(*pair, weight) + 1e-9, table
    if any(feature.direction for feature in pair):
        mass = np.outer(mass.sum(axis=1), mass.sum(axis=0)) / mass.sum()
    inner = values[:-1, :-1], mass[:-1, :-1]
    orders = [_order(pair[0], *inner), _order(pair[1], *(each.T for each in inner))]
    with_absent = [np.append(order, len(order)) for order in orders]
    values, mass = values[np.ix_(*with_absent)], mass[np.ix_(*with_absent)]
    starts = _best_starts(values[:-1, :-1], mass[:-1, :-1], smallest_share, tolerance)
    ends = [[*start, len(order)] for start, order in zip(starts, orders, strict=True)]
    means, _ = _pooled(*_pooled(values, mass, ends[0], 0), ends[1], 1)
    special = [feature.has_special for feature in pair]
    means = means[: len(starts[0]) + special[0], : len(starts[1]) + special[1]]
    places = [_places(feature, order, start) for feature, order, start in zip(pair, orders, starts, strict=True)]
    cell = np.where((places[0] < 0) | (places[1] < 0), -1, places[0] * means.shape[1] + places[1])
    bins = [
        (feature.bins.reordered(order.tolist()) if feature.bins.groups is not None else feature.bins).merged(start)
        for feature, order, start in zip(pair, orders, starts, strict=True)
    ]
    return Grid(pair, (bins[0], bins[1]), means, cell)


def _best_starts(values: np.ndarray, mass: np.ndarray, smallest_share: float, tolerance: float) -> list[list[int]]:
    starts = [list(range(side)) for side in values.shape]
    for _ in range(ROUNDS):
        for axis in (0, 1):
            means, sums = _pooled(values, mass, starts[1 - axis], 1 - axis)
            means, sums = (means, sums) if axis == 0 else (means.T, sums.T)
            starts[axis] = segments(means, sums, MOST_GRID_BINS, _least(sums, smallest_share), tolerance, fewest=2)
    return starts


def _least(mass: np.ndarray, smallest_share: float) -> float:
    """The least weight of a bin, where weights have mean 1."""
    return max(smallest_share * float(mass.sum()), LEAST_ROWS)


def _order(feature: Feature, values: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Bins as they stand; levels of a category by how they go with the strongest pattern of the grid."""
    if feature.bins.groups is None:
        return np.arange(len(values))
    weighted = values * np.sqrt(mass.sum(axis=0) / mass.sum())
    pattern = np.linalg.svd(weighted, full_matrices=False)[2][0]
    return np.argsort(weighted @ pattern, kind="stable")


def _pooled(values: np.ndarray, mass: np.ndarray, starts: list[int], axis: int) -> tuple[np.ndarray, np.ndarray]:
    sums = np.add.reduceat(mass, starts, axis=axis)
    return np.add.reduceat(values * mass, starts, axis=axis) / sums, sums


def _places(feature: Feature, order: np.ndarray, starts: list[int]) -> np.ndarray:
    """The merged bin of each row, one more for a special code, -1 where there is no value at all."""
    place = np.full(feature.places, -1)
    place[order] = np.searchsorted(starts, np.arange(len(order)), side="right") - 1
    place[feature.bins.count :] = [len(starts) if state >= SPECIAL else -1 for state in feature.states]
    return place[feature.codes]
