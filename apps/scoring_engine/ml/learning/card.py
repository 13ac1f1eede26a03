"""A card's tables over many rows: which bin each row falls into, and the points it earns there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..reasons import bin_labels
from .rows import MISSING, SPECIAL, UNAVAILABLE, Rows

MISSING_LABEL, UNAVAILABLE_LABEL, UNSEEN_LABEL, SPECIAL_LABEL = "missing", "unavailable", "unseen", "special:"


@dataclass(frozen=True, slots=True)
class Axis:
    """Bins of one feature: by ascending `edges` (bin i: edges[i-1] <= value < edges[i]) or by `groups`."""

    feature: str
    edges: tuple[float, ...] | None
    groups: tuple[tuple[Any, ...], ...] | None
    special: bool = False  # of a pair: one more place, the last, for special codes

    @property
    def count(self) -> int:
        return len(self.edges) + 1 if self.groups is None else len(self.groups)

    def labels(self) -> tuple[str, ...]:
        return (*bin_labels(self), *["special"] * self.special)

    def places(self, rows: Rows) -> np.ndarray:
        """The bin of each row; -1 where it has no value, -2 for a category that no group holds."""
        known = rows.known(self.feature)
        found = np.full(len(rows), -1)
        values = rows.values[self.feature][known]
        if self.groups is None:
            found[known] = np.searchsorted(np.asarray(self.edges), values, side="right")
        else:
            place = {value: code for code, group in enumerate(self.groups) for value in group}
            found[known] = pd.Series(values, dtype=object).map(place).fillna(-2).to_numpy(dtype=int)
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """A characteristic or a pair: a row in place i earns points[i].

    labels: of the bins (or cells, row by row), then missing, unavailable, special codes and unseen.
    """

    name: str
    title: str
    kind: str  # characteristic | pair
    axes: tuple[Axis, ...]
    labels: tuple[str, ...]
    points: np.ndarray
    reference: int
    entry: dict[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(axis.feature for axis in self.axes)

    def known(self, rows: Rows) -> np.ndarray:
        """Where all its features have a value."""
        return np.all([rows.known(name) for name in self.features], axis=0)

    def index(self, rows: Rows) -> np.ndarray:
        """The place of each row."""
        return _pair_index(self, rows) if self.kind == "pair" else _characteristic_index(self, rows)


def tables_of(card: dict[str, Any]) -> tuple[Table, ...]:
    """The tables of a card of format 1, characteristics first."""
    return (*map(_characteristic, card["characteristics"]), *map(_pair, card["pairs"]))


def row_points(card: dict[str, Any], rows: Rows) -> np.ndarray:
    """The sum of points of each row, without the base."""
    total = np.zeros(len(rows), dtype=np.int64)
    for table in tables_of(card):
        total += table.points[table.index(rows)]
    return total


def scores(card: dict[str, Any], rows: Rows) -> np.ndarray:
    """The score of each row: exactly what Scorecard.score gives for it."""
    return card["base_points"] + row_points(card, rows)


def _characteristic(entry: dict[str, Any]) -> Table:
    axis = _axis(entry["feature"], entry)
    special = entry.get("special_points", {})
    labels = [*axis.labels(), MISSING_LABEL, UNAVAILABLE_LABEL, *(SPECIAL_LABEL + code for code in special)]
    points = [*entry["points"], entry["missing_points"], entry["unavailable_points"], *special.values()]
    if axis.groups is not None:
        labels.append(UNSEEN_LABEL)
        points.append(entry["unseen_points"])
    return Table(entry["feature"], entry["label"], "characteristic", (axis,), tuple(labels), np.asarray(points),
                 entry["reference_points"], entry)  # fmt: skip


def _pair(entry: dict[str, Any]) -> Table:
    axes = tuple(_axis(feature, axis) for feature, axis in zip(entry["features"], entry["axes"], strict=True))
    cells = [f"{first} x {second}" for first in axes[0].labels() for second in axes[1].labels()]
    reference = entry["reference_points"]
    points = [*(p for line in entry["points"] for p in line), entry["missing_points"], entry["unavailable_points"]]
    return Table(" x ".join(entry["features"]), entry["label"], "pair", axes,
                 (*cells, MISSING_LABEL, UNAVAILABLE_LABEL, SPECIAL_LABEL.rstrip(":")),
                 np.asarray([*points, reference]), reference, entry)  # fmt: skip


def _axis(feature: str, entry: dict[str, Any]) -> Axis:
    special = entry.get("special", False)
    if "edges" in entry:
        return Axis(feature, tuple(entry["edges"]), None, special)
    return Axis(feature, None, tuple(tuple(group) for group in entry["groups"]), special)


def _characteristic_index(table: Table, rows: Rows) -> np.ndarray:
    axis = table.axes[0]
    found, state = axis.places(rows), rows.states[axis.feature]
    found[state == MISSING] = axis.count
    found[state == UNAVAILABLE] = axis.count + 1
    for k, code in enumerate(rows.codes[axis.feature]):
        found[state == SPECIAL + k] = table.labels.index(SPECIAL_LABEL + code)
    return np.where(found == -2, len(table.labels) - 1, found)


def _pair_index(table: Table, rows: Rows) -> np.ndarray:
    """Of the two an unavailable value decides first, then a special code, then a missing or unseen one.

    A special code has a row (column) of its own where the axis says so; otherwise the pair is neutral.
    """
    first, second = (_pair_places(axis, rows) for axis in table.axes)
    sides = [axis.count + axis.special for axis in table.axes]
    cells = sides[0] * sides[1]
    found = np.where((first < 0) | (second < 0), cells, first * sides[1] + second)
    neutral = np.zeros(len(rows), dtype=bool)
    for axis in table.axes:
        if not axis.special:
            neutral |= rows.states[axis.feature] >= SPECIAL
    found[neutral] = cells + 2
    states = np.stack([rows.states[axis.feature] for axis in table.axes])
    found[(states == UNAVAILABLE).any(axis=0)] = cells + 1
    return found


def _pair_places(axis: Axis, rows: Rows) -> np.ndarray:
    places = axis.places(rows)
    if axis.special:
        places[rows.states[axis.feature] >= SPECIAL] = axis.count
    return places
