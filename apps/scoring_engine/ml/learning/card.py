"""The card as a dict of format 1, and its scores for many rows at once."""

import json
from typing import Any

import numpy as np
import pandas as pd

from ..vocabulary import as_input
from .calibration import Points
from .encoding import Bins, readable
from .recipe import CharacteristicRule, Recipe

OTHER_SCALE = {"other_scale": "a score of another scale than the one this card was learnt on"}


def card_inputs(recipe: Recipe) -> list[dict[str, Any]]:
    """The `inputs` of the card, with the kinds and bounds of the vocabulary."""
    entries = []
    for rule in recipe.inputs:
        codes = {**rule.special_codes, **(OTHER_SCALE if rule.scale else {})}
        entries.append(as_input(recipe.segment, rule.name, required=rule.required, special_codes=codes,
                                scale=rule.scale or None))  # fmt: skip
    return entries


def card_characteristic(recipe: Recipe, rule: CharacteristicRule, points: Points, values: np.ndarray) -> dict[str, Any]:
    """One entry of `characteristics`; a special code is neutral until there is evidence for it."""
    return {
        "feature": rule.feature,
        "label": rule.label,
        "unit": rule.unit,
        **_table(points),
        "missing_points": points.missing,
        "unavailable_points": points.reference,
        "special_points": dict.fromkeys(_codes(recipe, rule.feature), points.reference),
        "reference_points": points.reference,
        "typical": _typical(values),
        "direction": rule.direction,
        "code": rule.code,
    }


def row_points(card: dict[str, Any], features: pd.DataFrame, unavailable: frozenset[str]) -> np.ndarray:
    """Sum of points of each row, without the base. A characteristic in `unavailable` that has no value
    counts as unavailable, any other as missing."""
    return sum(_points_of(entry, features, unavailable) for entry in card["characteristics"])


def scores(card: dict[str, Any], features: pd.DataFrame, unavailable: frozenset[str]) -> np.ndarray:
    """Score of each row: exactly what Scorecard.score gives for it."""
    return card["base_points"] + row_points(card, features, unavailable)


def plain(card: dict[str, Any]) -> dict[str, Any]:
    """A copy made of nothing but JSON types, each object new: its pickle has the same bytes every time."""
    return json.loads(json.dumps(card, allow_nan=False))


def _points_of(entry: dict, features: pd.DataFrame, unavailable: frozenset[str]) -> np.ndarray:
    bins = Bins(tuple(entry["edges"])) if "edges" in entry else Bins(None, tuple(entry["groups"]))
    absent = "unavailable_points" if entry["feature"] in unavailable else "missing_points"
    table = [*entry["points"], entry[absent], entry.get("unseen_points", 0)]
    return np.asarray(table)[bins.codes(features[entry["feature"]].to_numpy())]


def _table(points: Points) -> dict[str, Any]:
    if points.bins.edges is None:
        groups = [list(group) for group in points.bins.groups]
        return {"groups": groups, "points": list(points.points), "unseen_points": points.missing}
    return {"edges": [_short(edge) for edge in points.bins.edges], "points": list(points.points)}


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _codes(recipe: Recipe, feature: str) -> list[str]:
    for rule in recipe.inputs:
        if rule.name == feature:
            return [*rule.special_codes, *(OTHER_SCALE if rule.scale else {})]
    parts = next(rule.of for rule in recipe.features if rule.name == feature)
    return [code for part in parts if part != "as_of" for code in _codes(recipe, part)]


def _typical(values: np.ndarray) -> float | int | str:
    """The median in few digits, or the most common category."""
    if values.dtype == object:
        return str(pd.Series(values).value_counts().index[0])
    low, high = np.nanpercentile(values, [49, 51], method="lower")
    return _short(readable(low, high) if low < high else high)
