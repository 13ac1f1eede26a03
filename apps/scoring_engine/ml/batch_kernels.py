"""The loops of batch scoring, compiled: over rows, one column or table at a time, without Python and without the GIL.

A value that is not there is nan, and `states` says why: HERE, MISSING, UNAVAILABLE, or SPECIAL and above, one number a
special code. `unsure` marks rows that a quick check would not let through.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

HERE, MISSING, UNAVAILABLE, SPECIAL = 0, 1, 2, 3
UNSURE = -np.inf  # in a table of values: a text that is none of them
BLOCK = 2048  # rows of one column that stay in the nearest cache
NO_PLACE, NO_CELL = -1, -2


def compiled(function: Callable) -> Callable:
    """Compiled at the first call; kept on disk where a folder for it can be written, else compiled by each process."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)


@compiled
def load_numbers(given, present, least, most, whole, codes, code_states, values, states, unsure):
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
def load_looked_up(indices, table, values, states, unsure):
    """Values of a dictionary's entries: `table` has nan for a missing one, UNSURE for one that is not allowed."""
    for i in range(len(indices)):
        value = table[indices[i]]
        values[i] = value
        states[i] = MISSING if np.isnan(value) else HERE
        if value == UNSURE:
            unsure[i] = True


@compiled
def apply_scale(values, states, scales, bounds, own_scale, other_scale, unsure):
    """A score outside the bounds of its scale is unsure, one of another scale than `own_scale` (-1: none) special."""
    for i in range(len(values)):
        scale = -1 if np.isnan(scales[i]) or scales[i] < 0 else int(scales[i])
        if states[i] == HERE and scale >= 0 and not bounds[scale, 0] <= values[i] <= bounds[scale, 1]:
            unsure[i] = True
        if own_scale >= 0 and scale != own_scale and states[i] != MISSING and states[i] != UNAVAILABLE:
            values[i] = np.nan
            states[i] = other_scale


@compiled
def _state_of_parts(first, second):
    """An unavailable part decides first, then a special code, then a missing part."""
    if first == UNAVAILABLE or second == UNAVAILABLE:
        return UNAVAILABLE
    if first >= SPECIAL:
        return first
    return second if second >= SPECIAL else MISSING


@compiled
def derive_ratio(start, end, start_states, end_states, multiplier, least, most, values, states):
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
def derive_difference(start, end, start_states, end_states, values, states):
    for i in range(len(start)):
        if start_states[i] or end_states[i]:
            values[i] = np.nan
            states[i] = _state_of_parts(start_states[i], end_states[i])
        else:
            values[i] = start[i] - end[i]
            states[i] = HERE


@compiled
def derive_years(start, start_states, as_of, days_of_year, values, states):
    """`start` and `as_of` are numbers of days."""
    for i in range(len(start)):
        days = as_of - start[i]
        values[i] = np.nan if start_states[i] else days / days_of_year if days > 0 else 0.0
        states[i] = start_states[i]


@compiled
def place_numbers(values, states, edges, state_places, places):
    """The bin of every row: how many edges lie at or below its value."""
    for start in range(0, len(values), BLOCK):
        end = min(start + BLOCK, len(values))
        places[start:end] = 0
        for k in range(len(edges)):
            edge = edges[k]
            for i in range(start, end):
                places[i] += values[i] >= edge
        for i in range(start, end):
            if states[i]:
                places[i] = state_places[states[i]]


@compiled
def place_groups(values, states, groups, state_places, places):
    """`groups`: the place of each known value; the last one is that of an unseen category, which has the value -1."""
    for i in range(len(values)):
        if states[i]:
            places[i] = state_places[states[i]]
        else:
            places[i] = groups[max(int(values[i]), -1)]


@compiled
def place_on_axis(values, states, edges, groups, special_place, places):
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
def place_pairs(first, second, first_states, second_states, width, cells, places):
    """After the cells: missing, unavailable, special. Which of them comes first is told in pairs.py."""
    for i in range(len(first)):
        if first[i] >= 0 and second[i] >= 0:
            places[i] = first[i] * width + second[i]
        elif first_states[i] == UNAVAILABLE or second_states[i] == UNAVAILABLE:
            places[i] = cells + 1
        else:
            places[i] = cells + 2 * (first[i] == NO_CELL or second[i] == NO_CELL)


@compiled
def sum_points(places, points, base_points, scores):
    scores[:] = base_points
    for j in range(len(places)):
        table = points[j]
        for i in range(len(scores)):
            scores[i] += table[places[j, i]]


@compiled
def worst_tables(places, impacts, reasons):
    """Of each row the tables of the lowest negative impacts, lowest first, those of one impact in their order; then -1.

    An impact and its table are compared as one number.
    """
    most, tables = len(reasons), len(places)
    worst = np.empty(most, np.int64)
    for i in range(places.shape[1]):
        worst[:] = 0
        for j in range(tables):
            key = np.int64(impacts[j, places[j, i]]) * tables + j
            if key - j < 0 and key < worst[most - 1]:
                k = most - 1
                while k > 0 and worst[k - 1] > key:
                    worst[k] = worst[k - 1]
                    k -= 1
                worst[k] = key
        for k in range(most):
            reasons[k, i] = worst[k] % tables if worst[k] < 0 else -1


@compiled
def count_places(places, counted, counts):
    """Adds to counts[table, place] the rows that are `counted`."""
    for j in range(len(places)):
        for i in range(len(counted)):
            counts[j, places[j, i]] += counted[i]
