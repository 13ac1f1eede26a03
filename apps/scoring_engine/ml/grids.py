"""The grid of a pair made ready to score: from two values, or the states of what is not there, to one cell."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from .cards import Card
from .characteristics import Characteristic
from .features import MISSING, SPECIAL, UNAVAILABLE, States, Values
from .pairs import Axis, Pair
from .reasons import SPECIAL_IN_PAIR, cell_labels, reasons_of_cells, reasons_of_pair_states

# What one bin contributes: points, its label, and its entry of the explanation but for the value.
Row = tuple[int, str, dict[str, Any]]


def row_of(table: Characteristic | Pair, name: str, points: int, label: str, reason: str) -> Row:
    entry = {
        "feature": name,
        "value": None,
        "points": points,
        "reference_points": table.reference_points,
        "impact": points - table.reference_points,
        "code": table.code,
        "reason": reason,
    }
    return points, label, entry


class Grid:
    """Cells stand row by row in one list; a place on an axis is a whole number."""

    def __init__(self, card: Card, pair: Pair) -> None:
        self.name = pair.name
        self._first, self._second = pair.features
        self._edges = tuple(axis.edges for axis in pair.axes)
        self._places = tuple(_places(axis) for axis in pair.axes)
        self._last = tuple(axis.bins() if axis.special else None for axis in pair.axes)
        self._width = pair.axes[1].side()
        points = [value for line in pair.points for value in line]
        texts = zip(points, cell_labels(pair), reasons_of_cells(card, pair), strict=True)
        self._cells = [row_of(pair, pair.name, *cell) for cell in texts]
        by_state = {
            MISSING: pair.missing_points,
            UNAVAILABLE: pair.unavailable_points,
            SPECIAL_IN_PAIR: pair.reference_points,
        }
        reasons = reasons_of_pair_states(card, pair)
        self._others = {
            state: row_of(pair, pair.name, points, state, reasons[state]) for state, points in by_state.items()
        }

    def look_up(self, values: Values, states: States) -> Row:
        """Points, label, and an entry of the explanation of its own."""
        first, second = values.get(self._first), values.get(self._second)
        place, other = self._place(0, first, self._first, states), self._place(1, second, self._second, states)
        if place is None or other is None:
            row = self._others[self._state(first, second, states)]
        else:
            row = self._cells[place * self._width + other]
        points, label, entry = row
        return points, label, {**entry, "value": [first, second]}

    def _place(self, axis: int, value: Any, name: str, states: States) -> int | None:
        if value is None:
            return self._last[axis] if states.get(name, MISSING).startswith(SPECIAL) else None
        edges = self._edges[axis]
        return self._places[axis].get(value) if edges is None else bisect_right(edges, value)

    def _state(self, first: object, second: object, states: States) -> str:
        """An unavailable value decides first, then a special code without a place, then a missing one."""
        sides = zip((self._first, self._second), (first, second), self._last, strict=True)
        found = [(states.get(name, MISSING), last) for name, value, last in sides if value is None]
        if any(state == UNAVAILABLE for state, _ in found):
            return UNAVAILABLE
        placeless = any(state.startswith(SPECIAL) and last is None for state, last in found)
        return SPECIAL_IN_PAIR if placeless else MISSING


def _places(axis: Axis) -> Mapping[Any, int]:
    return {value: place for place, group in enumerate(axis.groups or ()) for value in group}
