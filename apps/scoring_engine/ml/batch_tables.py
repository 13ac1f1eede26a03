"""A card laid out in flat arrays, once, for the loops of batch scoring."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from .batch_kernels import SPECIAL as FIRST_SPECIAL
from .card_inputs import OTHER_SCALE, Input
from .cards import AS_OF, Card, read_card
from .characteristics import NUMERIC_KINDS, Characteristic
from .features import MISSING, SPECIAL, UNAVAILABLE
from .pairs import Axis, Pair
from .reasons import SPECIAL_IN_PAIR, UNSEEN, bin_labels, cell_labels
from .scorecard import Scorecard
from .vocabulary import SCALES, Fact, Rule, known_with

EPOCH = dt.date(1970, 1, 1)
EXACT = 2.0**53  # up to here every whole number is a double
NO_NUMBERS = np.empty(0)


class BatchError(ValueError):
    """Why a table cannot be scored at all, as one sentence."""


@dataclass(frozen=True, slots=True)
class FactPlan:
    """How a column of facts is read. line: of the values, by fact; known: the categories that tables tell apart."""

    fact: Fact
    rule: Rule
    line: int
    codes: np.ndarray
    code_states: np.ndarray
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    kind: str
    line: int
    parts: tuple[int, ...]
    multiplier: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class AxisPlan:
    """Edges, or places by known value with that of an unseen one last; places by state, special_place of a grid."""

    line: int
    edges: np.ndarray
    groups: np.ndarray
    state_places: np.ndarray
    special_place: int


@dataclass(frozen=True, slots=True)
class TablePlan:
    """labels and points by place: bins (or cells), then states."""

    name: str
    code: str
    labels: tuple[str, ...]
    points: tuple[int, ...]
    reference_points: int
    axes: tuple[AxisPlan, ...]
    width: int
    cells: int
    places: dict[str, int] = field(repr=False)


class Layout:
    """facts: every one that may be sent, those of the card first; tables in the order of their names.

    keys: impact and table as one number, by table and place.
    """

    def __init__(self, scorer: Scorecard) -> None:
        card = read_card(scorer.to_dict())
        self.scorer = scorer
        self._states = _states_by_code(card)
        known = scorer.own or known_with(card.segment, (), {})
        inputs = {entry.name: entry for entry in card.inputs}
        names = [*inputs, *(name for name in known.facts if name not in inputs)]
        self.facts = {
            name: self._fact(known.facts[name], known.rules[name], line, card, inputs.get(name))
            for line, name in enumerate(names)
        }
        self._lines = {name: line for line, name in enumerate([*names, *(f.name for f in card.features)])}
        self.lines = len(self._lines)
        self.derived = [self._derived(feature) for feature in card.features]
        plans = [self._characteristic(c) for c in card.characteristics] + [self._pair(pair) for pair in card.pairs]
        self.tables = sorted(plans, key=lambda plan: plan.name)
        self.own_scale = next((SCALES.index(entry.scale) for entry in card.inputs if entry.scale), -1)
        self.other_scale = self._states.get(OTHER_SCALE, 0)
        self.points = _padded([table.points for table in self.tables])
        self.keys = _keys(self.points, self.tables)
        _check_exact(card)

    def _fact(self, fact: Fact, rule: Rule, line: int, card: Card, entry: Input | None) -> FactPlan:
        # A code too large to be told from its neighbours is left to the check of single rows.
        codes = {value: code for value, code in (entry.code_values() if entry else {}).items() if abs(value) < EXACT}
        states = np.array([self._states[code] for code in codes.values()], np.uint8)
        known = SCALES if fact.values == SCALES else _values_of(card, fact.name)
        return FactPlan(fact, rule, line, np.array([*codes], np.float64), states, known)

    def _derived(self, feature: object) -> Derived:
        parts = tuple(self._lines[part] for part in feature.of if part != AS_OF)
        numbers = float(feature.multiplier), float(feature.least), float(feature.most)
        return Derived(feature.kind, self._lines[feature.name], parts, *numbers)

    def _characteristic(self, c: Characteristic) -> TablePlan:
        by_state = {MISSING: c.missing_points, UNAVAILABLE: c.unavailable_points}
        by_state |= {SPECIAL + code: points for code, points in c.special_points.items()}
        if c.unseen_points is not None:
            by_state[UNSEEN] = c.unseen_points
        labels, points = (*bin_labels(c), *by_state), (*c.points, *by_state.values())
        places = {label: place for place, label in enumerate(labels)}
        axis = self._axis(c, places, places.get(UNSEEN, 0), -1)
        return TablePlan(c.feature, c.code, labels, points, c.reference_points, (axis,), 0, 0, places)

    def _pair(self, pair: Pair) -> TablePlan:
        by_state = {MISSING: pair.missing_points, UNAVAILABLE: pair.unavailable_points}
        by_state[SPECIAL_IN_PAIR] = pair.reference_points
        labels = (*cell_labels(pair), *by_state)
        points = (*(value for line in pair.points for value in line), *by_state.values())
        axes = tuple(self._axis(axis, {}, -1, axis.bins() if axis.special else -1) for axis in pair.axes)
        places = {label: place for place, label in enumerate(labels)}
        width, cells = pair.axes[1].side(), len(labels) - len(by_state)
        return TablePlan(pair.name, pair.code, labels, points, pair.reference_points, axes, width, cells, places)

    def _axis(self, table: Characteristic | Axis, places: dict[str, int], unseen: int, special: int) -> AxisPlan:
        state_places = np.zeros(FIRST_SPECIAL + len(self._states), np.uint16)
        state_places[1:3] = places.get(MISSING, 0), places.get(UNAVAILABLE, 0)
        for code, state in self._states.items():
            state_places[state] = places.get(SPECIAL + code, 0)
        groups, line = np.empty(0, np.int64), self._lines[table.feature]
        edges = NO_NUMBERS if table.edges is None else np.array(table.edges, np.float64)
        if table.groups is not None:
            at = {value: place for place, group in enumerate(table.groups) for value in group}
            groups = np.array([*(at.get(value, unseen) for value in self._known(table.feature)), unseen], np.int64)
        return AxisPlan(line, edges, groups, state_places, special)

    def _known(self, name: str) -> tuple[str | bool, ...]:
        plan = self.facts[name]
        return (False, True) if plan.fact.kind == "flag" else plan.known


def _states_by_code(card: Card) -> dict[str, int]:
    codes = sorted({code for entry in card.inputs for code in entry.special_codes})
    return {code: FIRST_SPECIAL + place for place, code in enumerate(codes)}


def _values_of(card: Card, name: str) -> tuple[str, ...]:
    """The texts that the tables of a category tell apart."""
    tables = (*card.characteristics, *(axis for pair in card.pairs for axis in pair.axes))
    groups = [group for table in tables if table.feature == name and table.groups for group in table.groups]
    return tuple(sorted({value for group in groups for value in group if type(value) is str}))


def _padded(rows: list[tuple[int, ...]]) -> np.ndarray:
    found = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for line, row in zip(found, rows, strict=True):
        line[: len(row)] = row
    return found


def _keys(points: np.ndarray, tables: list[TablePlan]) -> np.ndarray:
    """Impact and table as one number, to be sorted by; 0 where the impact is not negative."""
    impacts = points - np.array([[table.reference_points] for table in tables], np.int64)
    keys = np.where(impacts < 0, impacts * len(tables) + np.arange(len(tables))[:, None], 0)
    if keys.min() < np.iinfo(np.int32).min:
        raise BatchError("The impacts of this card are too large to be sorted in batches.")
    return keys.astype(np.int32)


def _check_exact(card: Card) -> None:
    """Differences of differences of money could outgrow what a double tells apart: such a card is scored row by row."""
    most = {entry.name: max(abs(entry.least), abs(entry.most)) for entry in card.inputs if entry.kind in NUMERIC_KINDS}
    for feature in card.features:
        if feature.kind == "difference":
            most[feature.name] = sum(most[part] for part in feature.of)
        else:
            most[feature.name] = max(abs(feature.least), abs(feature.most))
        if feature.kind == "difference" and most[feature.name] > EXACT:
            raise BatchError(f"{card.version} cannot be scored in batches: {feature.name} can be too large a number.")
