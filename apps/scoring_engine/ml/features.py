"""Derived features: what a card declares over its inputs, computed the same wherever it scores.

A value that is not there has a state instead: "missing" (the applicant did not give it), "unavailable"
(its source was down) or "special:<code>". Of the parts of a derived feature an unavailable one decides
first, then a special code, then a missing one.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from .card_inputs import OTHER_SCALE, Input
from .cards import AS_OF, Feature
from .vocabulary import SCALE_OF

MISSING = "missing"
UNAVAILABLE = "unavailable"
SPECIAL = "special:"
DAYS_OF_YEAR = 365.25

Values = dict[str, int | float | str | bool | dt.date | None]
States = dict[str, str]


class Derivations:
    """The derivations of one card, laid out once for many applicants."""

    def __init__(self, inputs: Sequence[Input], features: Sequence[Feature]) -> None:
        self._scaled = [(i.name, SCALE_OF[i.name], i.scale) for i in inputs if i.scale is not None]
        self._coded = [(i.name, codes) for i in inputs if (codes := i.code_values())]
        self._plan = [(f.name, f.kind, *f.of, float(f.multiplier), float(f.least), float(f.most)) for f in features]

    def derive(self, facts: Mapping[str, object], as_of: dt.date, unavailable: frozenset[str]) -> tuple[Values, States]:
        """Values of inputs and derived features by name, and a state for those without a value.

        An input without value and state is missing. A name in `unavailable` counts only where no value
        is given: a stale record that is still used is a value.
        """
        values: Values = dict(facts)
        states: States = {name: UNAVAILABLE for name in unavailable if values.get(name) is None} if unavailable else {}
        for name, scale_fact, scale in self._scaled:
            if values.get(scale_fact) != scale and values.get(name) is not None:
                values[name], states[name] = None, SPECIAL + OTHER_SCALE
        for name, codes in self._coded:
            if values.get(name) in codes:
                states[name] = SPECIAL + codes[values[name]]
                values[name] = None
        for name, kind, first, last, multiplier, least, most in self._plan:
            start, end = values.get(first), as_of if last == AS_OF else values.get(last)
            if start is None or end is None:
                values[name], states[name] = None, _state_of_parts((first, last), values, states)
            elif kind == "ratio":
                value = start / end * multiplier if end else over_zero(start, least, most)
                values[name] = least if value < least else most if value > most else value
            elif kind == "difference":
                values[name] = start - end
            else:
                days = end.toordinal() - start.toordinal()
                values[name] = days / DAYS_OF_YEAR if days > 0 else 0.0
        return values, states


def over_zero(numerator: float, least: float, most: float) -> float:
    """A ratio whose denominator is zero is as far out as the card allows; nothing over nothing is zero."""
    if not numerator:
        return 0.0
    return most if numerator > 0 else least


def _state_of_parts(of: Sequence[str], values: Values, states: States) -> str:
    found = [states.get(part, MISSING) for part in of if part != AS_OF and values.get(part) is None]
    for state in found:
        if state == UNAVAILABLE:
            return state
    return next((state for state in found if state.startswith(SPECIAL)), MISSING)
