"""Features of many rows at once, by the same declarations and formulas as ml/features.py."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE, Rows

DAYS_OF_YEAR = 365.25
AS_OF = "as_of"


def derive(facts: Rows, features: Sequence[dict], as_of: np.ndarray | None) -> Rows:
    """The rows with the declared features added.

    features: as in a card. as_of: datetime64[D] of each row, needed by years_between only.
    """
    values, states, codes = dict(facts.values), dict(facts.states), dict(facts.codes)
    for feature in features:
        name, parts = feature["name"], [part for part in feature["of"] if part != AS_OF]
        codes[name] = tuple(dict.fromkeys(code for part in parts for code in codes[part]))
        states[name] = _state(parts, states, codes, codes[name])
        with np.errstate(all="ignore"):
            value = _value(feature, values, as_of)
        values[name] = np.where(states[name] == KNOWN, value, np.nan)
    return replace(facts, values=values, states=states, codes=codes)


def _state(parts: list[str], states: dict, codes: dict, of_feature: tuple[str, ...]) -> np.ndarray:
    """Of the parts an unavailable one decides first, then a special code, then a missing one."""
    state = np.zeros(len(states[parts[0]]), dtype=np.int16)
    for part in reversed(parts):
        state[states[part] == MISSING] = MISSING
    for part in reversed(parts):
        for k, code in enumerate(codes[part]):
            state[states[part] == SPECIAL + k] = SPECIAL + of_feature.index(code)
    for part in parts:
        state[states[part] == UNAVAILABLE] = UNAVAILABLE
    return state


def _value(feature: dict, values: dict[str, np.ndarray], as_of: np.ndarray | None) -> np.ndarray:
    first, second = feature["of"]
    if feature["kind"] == "years_between":
        elapsed = (as_of - values[first].astype("datetime64[D]")).astype(float)
        return np.maximum(0.0, elapsed / DAYS_OF_YEAR)
    if feature["kind"] == "difference":
        return values[first] - values[second]
    return _ratio(values[first], values[second], feature)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, feature: dict) -> np.ndarray:
    over_zero = np.where(numerator > 0, feature["most"], np.where(numerator < 0, feature["least"], 0.0))
    value = np.where(denominator == 0, over_zero, numerator / denominator * feature.get("multiplier", 1))
    return np.clip(value, feature["least"], feature["most"])
