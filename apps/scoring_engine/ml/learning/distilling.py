"""Merged tables refitted to the fine score (not to the labels), each keeping its directions."""

from collections.abc import Sequence

import numpy as np
from sklearn.isotonic import isotonic_regression

from .merging import Grid, Part
from .metrics import sigmoid

SWEEPS = 5
RIDGE = 1.0
MOST_ROWS = 300_000  # a sample of so many rows settles the tables of a large one
PROJECTIONS = 100


def distil(
    tables: Sequence[Part | Grid], fine: np.ndarray, weight: np.ndarray, seed: int, *,
    prices: tuple[float, float] = (0.0, 0.0), sweeps: int = SWEEPS,
) -> None:  # fmt: skip
    """Backfits the values, in place, to the fine log-odds with weights p(1-p), beside a constant.

    The ridge pulls each value to the one it has before. prices: what a unit of log-odds of the highest and
    of the lowest value of a table costs (weight x log-odds). Squares + prices x extremes is convex, and each
    step is the best one for its table: what one may not say, the others take up as far as they can.
    """
    rows = _sampled(len(fine), seed)
    fine = fine[rows]
    weight = weight[rows] * sigmoid(fine) * (1 - sigmoid(fine))
    places = [table.places[rows] for table in tables]
    first = [table.values.copy() for table in tables]
    total = sum((_at(table.values, place) for table, place in zip(tables, places, strict=True)), np.zeros(len(fine)))
    start = float(np.average(fine - total, weights=weight))
    for _ in range(sweeps):
        for table, place, merged in zip(tables, places, first, strict=True):
            before = _at(table.values, place)
            rest = fine - start - (total - before)
            table.values[:] = _refitted(table, place, merged, rest, weight, prices)
            total += _at(table.values, place) - before
        start = float(np.average(fine - total, weights=weight))


def _sampled(n: int, seed: int) -> np.ndarray:
    if n <= MOST_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The value of each row; nothing where it has no cell (-1)."""
    return np.append(values.ravel(), 0.0)[places]


def _refitted(
    table: Part | Grid, places: np.ndarray, merged: np.ndarray, rest: np.ndarray, weight: np.ndarray,
    prices: tuple[float, float],
) -> np.ndarray:  # fmt: skip
    inside = places >= 0
    mass = np.bincount(places[inside], weight[inside], merged.size).reshape(merged.shape) + RIDGE
    drawn = np.bincount(places[inside], (weight * rest)[inside], merged.size).reshape(merged.shape) + RIDGE * merged
    values = drawn / mass
    if isinstance(table, Grid):
        values = monotone_grid(values, mass, table.directions, (table.bins[0].count, table.bins[1].count))
    else:
        count = table.bins.count
        values[:count] = _in_order(values[:count], mass[:count], table.feature.direction)
    high = level(values.ravel(), mass.ravel(), prices[0])
    low = level(-values.ravel(), mass.ravel(), prices[1])
    return np.clip(values, -low, high)


def level(values: np.ndarray, mass: np.ndarray, price: float) -> float:
    """Where to cut the highest values, not below 0: over it the sum of mass x excess is the price."""
    if price == 0.0:
        return np.inf
    order = np.argsort(-values, kind="stable")
    values, mass = values[order], mass[order]
    reached = (np.cumsum(mass * values) - price) / np.cumsum(mass)
    enough = np.flatnonzero(reached >= np.append(values[1:], -np.inf))[0]
    return max(0.0, float(min(reached[enough], values[0])))


def _in_order(values: np.ndarray, mass: np.ndarray, direction: int) -> np.ndarray:
    """The nearest values in weighted squares that rise (1) or fall (-1) from bin to bin."""
    if direction == 0:
        return values
    return isotonic_regression(values, sample_weight=mass, increasing=direction > 0)


def monotone_grid(
    values: np.ndarray, mass: np.ndarray, directions: tuple[int, ...], bins: tuple[int, int]
) -> np.ndarray:
    """The nearest grid that keeps the direction of each axis, by Dykstra's alternating projections.

    A last row or column beyond `bins` is of special codes, which have no order among the bins.
    (Dykstra and Robertson, An algorithm for isotonic regression for two or more independent variables, 1982.)
    """
    wanted = [axis for axis in (0, 1) if directions[axis]]
    found, left_over = values, [np.zeros_like(values), np.zeros_like(values)]
    for _ in range(PROJECTIONS if len(wanted) == 2 else 1):
        before = found
        for axis in wanted:
            asked = found + left_over[axis]
            found = _along(asked, mass, directions[axis], axis, bins[axis])
            left_over[axis] = asked - found
        if np.abs(found - before).max() < 1e-9:
            break
    return _settled(found, directions, bins)


def _along(values: np.ndarray, mass: np.ndarray, direction: int, axis: int, count: int) -> np.ndarray:
    if axis == 1:
        return _along(values.T, mass.T, direction, 0, count).T
    found = values.copy()
    for column in range(values.shape[1]):
        found[:count, column] = _in_order(values[:count, column], mass[:count, column], direction)
    return found


def _settled(values: np.ndarray, directions: tuple[int, ...], bins: tuple[int, int]) -> np.ndarray:
    """What rounding of the projections left out of order by a hair, put in order."""
    found = values.copy()
    for axis, (direction, count) in enumerate(zip(directions, bins, strict=True)):
        if direction:
            part = found[:count] if axis == 0 else found[:, :count]
            part[:] = direction * np.maximum.accumulate(direction * part, axis=axis)
    return found
