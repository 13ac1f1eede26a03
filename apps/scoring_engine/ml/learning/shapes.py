"""Trees read as tables: a sum of trees whose every leaf uses one feature or one pair is a sum of tables, exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, inf

import lightgbm
import numpy as np

from .boosting import Matrix
from .encoding import Feature

SWEEPS = 50
EXPECTED_SHARE = 0.2  # how much of what independence expects is added to the rows of a cell
Pair = tuple[int, int]
Span = tuple[float, float, bool]  # above, up to, whether no value goes here too
ALL: Span = (-inf, inf, True)


@dataclass(slots=True)
class Shapes:
    """log-odds of bad = start + mains[j][code of j] + the sum of pairs[j, k][value of j, value of k].

    mains[j] has a place for every code of the feature, states included; pairs have one more row and column
    than bins, for no value.
    """

    start: float
    mains: list[np.ndarray]
    pairs: dict[Pair, np.ndarray] = field(default_factory=dict)

    def total(self, features: Sequence[Feature]) -> np.ndarray:
        """The log-odds of each row, by its true codes."""
        found = self.start + sum(table[feature.codes] for table, feature in zip(self.mains, features, strict=True))
        for (j, k), table in self.pairs.items():
            found = found + table[cell_of(features[j]), cell_of(features[k])]
        return found


def empty_shapes(features: Sequence[Feature]) -> Shapes:
    return Shapes(0.0, [np.zeros(feature.places) for feature in features])


def cell_of(feature: Feature) -> np.ndarray:
    """The row or column of a pair's table: the bin, or the last place where there is no value."""
    return np.minimum(feature.codes, feature.bins.count)


def add_trees(
    shapes: Shapes, model: lightgbm.Booster, matrix: Matrix, features: Sequence[Feature], share: float
) -> None:
    """Adds `share` of what the trees say to the shapes, leaf by leaf."""
    owner = {column: j for columns in (matrix.value, matrix.state) for j, column in enumerate(columns) if column >= 0}
    for value, path in _leaves(model):
        used = sorted({owner[column] for column in path})
        if not used:
            shapes.start += share * value
        elif len(used) == 1:
            j = used[0]
            _add_to_main(shapes.mains[j], features[j], path.get(matrix.value[j], ALL), path.get(matrix.state[j], ALL),
                         share * value)  # fmt: skip
        else:
            j, k = used
            table = shapes.pairs.setdefault((j, k), np.zeros((features[j].bins.count + 1, features[k].bins.count + 1)))
            sides = (_side(path.get(matrix.value[i], ALL), path.get(matrix.state[i], ALL)) for i in used)
            _add_to_pair(table, *sides, share * value)


def purify(shapes: Shapes, features: Sequence[Feature], weight: np.ndarray) -> None:
    """Moves from every pair to its features what depends on one of them only, in place.

    Afterwards each row and column of a pair has a weighted mean of zero (Lengerich et al., 2020), with the
    weights of cell_weights.
    """
    for (j, k), table in shapes.pairs.items():
        mass = cell_weights(features[j], features[k], weight)
        for _ in range(SWEEPS):
            by_row = _means(table, mass, axis=1)
            table -= by_row[:, None]
            by_column = _means(table, mass, axis=0)
            table -= by_column[None, :]
            shapes.mains[j] += by_row[_as_cells(features[j])]
            shapes.mains[k] += by_column[_as_cells(features[k])]
            if max(np.abs(by_row).max(), np.abs(by_column).max()) < 1e-9:
                break
    for table, feature in zip(shapes.mains, features, strict=True):
        mean = np.average(table[feature.codes], weights=weight)
        table -= mean
        shapes.start += mean


def cell_weights(first: Feature, second: Feature, weight: np.ndarray) -> np.ndarray:
    """Weight of the rows in each cell, and a share of what it would be were the two independent."""
    shape = (first.bins.count + 1, second.bins.count + 1)
    flat = cell_of(first) * shape[1] + cell_of(second)
    mass = np.bincount(flat, weight, shape[0] * shape[1]).reshape(shape)
    expected = mass.sum(axis=1, keepdims=True) * mass.sum(axis=0, keepdims=True) / mass.sum()
    return mass + EXPECTED_SHARE * expected


def strength(table: np.ndarray, mass: np.ndarray) -> float:
    """Weighted standard deviation of a purified pair."""
    return float(np.sqrt((mass * table**2).sum() / mass.sum()))


def _means(table: np.ndarray, mass: np.ndarray, axis: int) -> np.ndarray:
    total = mass.sum(axis=axis)
    return np.where(total > 0, (table * mass).sum(axis=axis) / np.maximum(total, 1e-300), 0.0)


def _as_cells(feature: Feature) -> np.ndarray:
    return np.minimum(np.arange(feature.places), feature.bins.count)


def _leaves(model: lightgbm.Booster) -> Iterator[tuple[float, dict[int, Span]]]:
    """(value, {column: span}) of every leaf."""
    for tree in model.dump_model()["tree_info"]:
        waiting = [(tree["tree_structure"], {})]
        while waiting:
            node, path = waiting.pop()
            if "split_feature" not in node:
                yield node["leaf_value"], path
                continue
            column, cut = node["split_feature"], node["threshold"]
            low, high, absent = path.get(column, (-inf, inf, True))
            # Without empty values in training LightGBM sends one where 0 goes; nothing is read from that place.
            left = node["default_left"] if node["missing_type"] == "NaN" else cut >= 0
            waiting.append((node["left_child"], {**path, column: (low, min(high, cut), absent and left)}))
            waiting.append((node["right_child"], {**path, column: (max(low, cut), high, absent and not left)}))


def _add_to_main(table: np.ndarray, feature: Feature, value: Span, state: Span, amount: float) -> None:
    count = feature.bins.count
    first, past = _places(value, count)
    if state[0] < 0:
        table[first:past] += amount
    if value[2]:
        for place in range(count, feature.places):
            if state[0] < place - count + 1 <= state[1]:
                table[place] += amount


def _side(value: Span, state: Span) -> Span:
    """The bins of a pair that a leaf covers, and whether it covers the place for no value.

    Splits by state meet another feature in screening only; that place then stands for the first state.
    """
    low, high, absent = value
    return low, high if state[0] < 0 else -1.0, absent and state[0] < 1 <= state[1]


def _add_to_pair(table: np.ndarray, one: Span, other: Span, amount: float) -> None:
    rows, columns = (slice(*_places(span, side - 1)) for span, side in zip((one, other), table.shape, strict=True))
    table[rows, columns] += amount
    if one[2]:
        table[-1, columns] += amount
    if other[2]:
        table[rows, -1] += amount
    if one[2] and other[2]:
        table[-1, -1] += amount


def _places(span: Span, count: int) -> tuple[int, int]:
    """First bin above the span's lower end, and the one after the last that is not above its upper end."""
    first = 0 if span[0] == -inf else floor(span[0]) + 1
    return first, count if span[1] >= count else floor(span[1]) + 1
