"""The loops of batch scoring, compiled: over rows, one column or table at a time, without Python and without the GIL.

A value that is not there is nan, and `states` says why: HERE, MISSING, UNAVAILABLE, or SPECIAL and above, one number a
special code. `unsure` marks rows that a quick check would not let through.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

HERE, MISSING, UNAVAILABLE, SPECIAL = 0, 1, 2, 3
UNSURE = -np.inf  # in a table of values: a text that is none of them
Array = np.ndarray
SMALL_BLOCK = 512
BLOCK = 2048  # rows of one column that stay in the nearest cache
NO_PLACE, NO_CELL = -1, -2


def compiled(function: Callable) -> Callable:
    """Compiled at the first call; kept on disk where a folder for it can be written, else compiled by each process."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)


@compiled
def load_numbers(
    given: Array,
    present: Array,
    least: float,
    most: float,
    whole: bool,
    codes: Array,
    code_states: Array,
    values: Array,
    states: Array,
    unsure: Array,
) -> None:
    """Numbers into values and states; `present` is empty where every row has one."""
    for i in range(len(given)):
        value, state = given[i], HERE
        if len(present) and not present[i]:
            value, state = np.nan, MISSING
        else:
            for k in range(len(codes)):
                if value == codes[k]:
                    state = code_states[k]
            if state != HERE:
                value = np.nan
            elif not least <= value <= most or (whole and value != np.floor(value)):
                unsure[i] = True
        values[i] = value
        states[i] = state


@compiled
def load_looked_up(indices: Array, table: Array, values: Array, states: Array, unsure: Array) -> None:
    """Values of a dictionary's entries: `table` has nan for a missing one, UNSURE for one that is not allowed."""
    for i in range(len(indices)):
        value = table[indices[i]]
        values[i] = value
        states[i] = MISSING if np.isnan(value) else HERE
        if value == UNSURE:
            unsure[i] = True


@compiled
def apply_scale(
    values: Array, states: Array, scales: Array, bounds: Array, own_scale: int, other_scale: int, unsure: Array
) -> None:
    """A score outside the bounds of its scale is unsure, one of another scale than `own_scale` (-1: none) special."""
    for i in range(len(values)):
        scale = -1 if np.isnan(scales[i]) or scales[i] < 0 else int(scales[i])
        if states[i] == HERE and scale >= 0 and not bounds[scale, 0] <= values[i] <= bounds[scale, 1]:
            unsure[i] = True
        if own_scale >= 0 and scale != own_scale and states[i] != MISSING and states[i] != UNAVAILABLE:
            values[i] = np.nan
            states[i] = other_scale


@compiled
def _state_of_parts(first: int, second: int) -> int:
    """An unavailable part decides first, then a special code, then a missing part."""
    if first == UNAVAILABLE or second == UNAVAILABLE:
        return UNAVAILABLE
    if first >= SPECIAL:
        return first
    return second if second >= SPECIAL else MISSING


@compiled
def derive_ratio(
    start: Array,
    end: Array,
    start_states: Array,
    end_states: Array,
    multiplier: float,
    least: float,
    most: float,
    values: Array,
    states: Array,
) -> None:
    for i in range(len(start)):
        if start_states[i] or end_states[i]:
            values[i] = np.nan
            states[i] = _state_of_parts(start_states[i], end_states[i])
            continue
        if end[i] != 0:
            value = start[i] / end[i] * multiplier
        elif start[i] == 0:
            value = 0.0
        else:
            value = most if start[i] > 0 else least
        values[i] = least if value < least else most if value > most else value
        states[i] = HERE


@compiled
def derive_difference(
    start: Array, end: Array, start_states: Array, end_states: Array, values: Array, states: Array
) -> None:
    for i in range(len(start)):
        if start_states[i] or end_states[i]:
            values[i] = np.nan
            states[i] = _state_of_parts(start_states[i], end_states[i])
        else:
            values[i] = start[i] - end[i]
            states[i] = HERE


@compiled
def derive_years(
    start: Array, start_states: Array, as_of: int, days_of_year: float, values: Array, states: Array
) -> None:
    """`start` and `as_of` are numbers of days."""
    for i in range(len(start)):
        days = as_of - start[i]
        values[i] = np.nan if start_states[i] else days / days_of_year if days > 0 else 0.0
        states[i] = start_states[i]


@compiled
def all_within(given: Array, least: float, most: float) -> bool:
    """False for nan too."""
    outside = 0
    for i in range(len(given)):
        outside += not (given[i] >= least and given[i] <= most)
    return outside == 0


@compiled
def place_numbers(values: Array, states: Array, edges: Array, state_places: Array, places: Array) -> None:
    """The bin of every row: how many edges lie at or below its value. `states` is empty where all values are there."""
    for start in range(0, len(values), BLOCK):
        some, counts = values[start : start + BLOCK], places[start : start + BLOCK]
        for i in range(len(counts)):
            counts[i] = 0
        for k in range(len(edges)):
            edge = edges[k]
            for i in range(len(counts)):
                counts[i] += np.uint16(some[i] >= edge)
    for i in range(len(states)):
        if states[i]:
            places[i] = state_places[states[i]]


@compiled
def place_groups(values: Array, states: Array, groups: Array, state_places: Array, places: Array) -> None:
    """`groups`: the place of each known value; the last one is that of an unseen category, which has the value -1."""
    for i in range(len(values)):
        if states[i]:
            places[i] = state_places[states[i]]
        else:
            places[i] = groups[max(int(values[i]), -1)]


@compiled
def place_on_axis(values: Array, states: Array, edges: Array, groups: Array, special_place: int, places: Array) -> None:
    """The line of a grid, NO_PLACE, or NO_CELL where a special code has no line."""
    for i in range(len(values)):
        if states[i] >= SPECIAL:
            places[i] = special_place if special_place >= 0 else NO_CELL
        elif states[i]:
            places[i] = NO_PLACE
        elif len(groups):
            places[i] = groups[max(int(values[i]), -1)]
        else:
            places[i] = np.searchsorted(edges, values[i], side="right")


@compiled
def place_pairs(
    first: Array, second: Array, first_states: Array, second_states: Array, width: int, cells: int, places: Array
) -> None:
    """After the cells: missing, unavailable, special. Which of them comes first is told in pairs.py."""
    for i in range(len(first)):
        if first[i] >= 0 and second[i] >= 0:
            places[i] = first[i] * width + second[i]
        elif first_states[i] == UNAVAILABLE or second_states[i] == UNAVAILABLE:
            places[i] = cells + 1
        else:
            places[i] = cells + 2 * (first[i] == NO_CELL or second[i] == NO_CELL)


@compiled
def sum_points(places: Array, points: Array, base_points: int, scores: Array, contributions: Array) -> None:
    """`contributions` may have no lines, where only the sum is asked for."""
    scores[:] = base_points
    kept = len(contributions) > 0
    for j in range(len(places)):
        table, line = points[j], places[j]
        out = contributions[j] if kept else scores
        for i in range(len(scores)):
            found = table[line[i]]
            if kept:
                out[i] = found
            scores[i] += found


@compiled
def worst_tables(places: Array, keys: Array, reasons: Array) -> None:
    """Of each row the tables of the lowest negative impacts, lowest first, those of one impact in their order; then -1.

    keys: impact * tables + table as one number, 0 where the impact is not negative. Each table's key sinks through the
    places of the reasons, for a block of rows at once.
    """
    most, tables, rows = len(reasons), len(places), places.shape[1]
    worst, sinking = np.empty((most, SMALL_BLOCK), np.int32), np.empty(SMALL_BLOCK, np.int32)
    for start in range(0, rows, SMALL_BLOCK):
        count = min(SMALL_BLOCK, rows - start)
        worst[:] = 0
        for j in range(tables):
            table, line = keys[j], places[j, start : start + count]
            for i in range(len(line)):
                sinking[i] = table[line[i]]
            for k in range(most):
                held = worst[k]
                for i in range(len(sinking)):
                    key, other = sinking[i], held[i]
                    held[i] = min(key, other)
                    sinking[i] = max(key, other)
        for k in range(most):
            out, held = reasons[k, start : start + count], worst[k]
            for i in range(len(out)):
                out[i] = held[i] % tables if held[i] < 0 else -1


@compiled
def count_places(places: Array, counts: Array) -> None:
    """Adds the rows to counts[table, place]."""
    for j in range(len(places)):
        line, table = places[j], counts[j]
        for i in range(len(line)):
            table[line[i]] += 1
