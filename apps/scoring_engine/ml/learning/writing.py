"""The card as a dict of format 1, from whole points."""

import json
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from ..vocabulary import FACTS, as_input
from .calibration import Points
from .card import scores, tables_of
from .encoding import Bins, readable
from .recipe import InputRule, Recipe
from .rows import SPECIAL, Rows

OTHER_SCALE = {"other_scale": "a score of another scale than the one this card was learnt on"}
NEAR = 25  # points on either side of the cut-off that count as near it
LONGEST_CODE = 60


def empty_card(recipe: Recipe, rows: Rows) -> dict[str, Any]:
    return {
        "format": 1,
        "segment": recipe.segment,
        "version": recipe.version,
        "purpose": recipe.purpose,
        "definition_of_bad": recipe.definition_of_bad,
        "horizon": recipe.horizon,
        "points_to_double_odds": 50,
        "base_points": 0,
        "reference": recipe.reference,
        "inputs": [_input(recipe, rule, rows) for rule in recipe.inputs],
        "features": [rule.as_declared() for rule in recipe.features],
        "characteristics": [],
        "pairs": [],
        "provenance": {},
    }


def table_entry(recipe: Recipe, rows: Rows, table: Points, *, neutral: int) -> dict[str, Any]:
    """One entry of `characteristics` or `pairs`."""
    rules = {rule.feature: rule for rule in recipe.characteristics}
    parts = [rules[name] for name in table.features]
    if len(parts) == 2:
        return _pair_entry(parts, table, neutral)
    rule, bins = parts[0], table.bins[0]
    by_groups = {"unseen_points": table.missing} if bins.edges is None else {}
    return {
        "feature": rule.feature, "label": rule.label, "unit": rule.unit, **_axis(bins),
        "points": table.points.tolist(), **by_groups, "missing_points": table.missing,
        "unavailable_points": neutral, "special_points": _special_points(rows, table, neutral),
        "reference_points": neutral, "typical": None, "direction": rule.direction, "code": rule.code,
    }  # fmt: skip


def finished(recipe: Recipe, card: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """The card with reference points and typical values set, and without what no table uses."""
    at = _reference_rows(recipe, scores(card, rows), rows.is_bad)
    reference, weight = rows.at(at), rows.weight[at]
    for table in tables_of(card):
        index = table.index(reference)
        given = ~np.isin(index, [place for place, label in enumerate(table.labels) if label == "unavailable"])
        points = table.points[index[given]]
        neutral = int(np.rint(np.average(points, weights=weight[given]))) if given.any() else 0
        _set_neutral(table.entry, neutral)
        if table.kind == "characteristic":
            table.entry["typical"] = _typical(reference, table.name)
    return plain(_without_unused(card))


def plain(card: dict[str, Any]) -> dict[str, Any]:
    """A copy made of nothing but JSON types, each object new: its pickle has the same bytes every time."""
    return json.loads(json.dumps(card, allow_nan=False))


def _input(recipe: Recipe, rule: InputRule, rows: Rows) -> dict[str, Any]:
    codes = {**rule.special_codes, **(OTHER_SCALE if rule.scale else {})}
    if rule.name in FACTS[recipe.segment]:
        return as_input(recipe.segment, rule.name, required=rule.required, special_codes=codes,
                        scale=rule.scale or None)  # fmt: skip
    entry = {
        "name": rule.name, "kind": rule.kind, "unit": rule.unit, "required": rule.required,
        "least": rule.least, "most": rule.most, "special_codes": codes,
    }  # fmt: skip
    if rule.kind == "category":
        entry["values"] = sorted(set(rows.values[rule.name][rows.known(rule.name)]))
    return entry


def _pair_entry(parts: list, table: Points, neutral: int) -> dict[str, Any]:
    return {
        "features": list(table.features),
        "label": f"{parts[0].label} with {parts[1].label}",
        "code": _pair_code(parts[0].code, parts[1].code),
        "axes": [
            {**_axis(bins), **({"special": True} if side > bins.count else {})}
            for bins, side in zip(table.bins, table.points.shape, strict=True)
        ],
        "points": table.points.tolist(),
        "missing_points": table.missing,
        "unavailable_points": neutral,
        "reference_points": neutral,
        "directions": [part.direction for part in parts],
    }


def _pair_code(first: str, second: str) -> str:
    """Both codes in one; where that is too long the end tells apart what cutting made equal."""
    code = f"{first}_X_{second}"
    return code if len(code) <= LONGEST_CODE else f"{code[: LONGEST_CODE - 9]}_{crc32(code.encode()):08X}"


def _axis(bins: Bins) -> dict[str, Any]:
    if bins.edges is None:
        return {"groups": [list(group) for group in bins.groups]}
    return {"edges": [_short(edge) for edge in bins.edges]}


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _special_points(rows: Rows, table: Points, neutral: int) -> dict[str, int]:
    """A code never seen in training earns what missing does, but another scale, which is nobody's act."""
    found = {
        code: table.by_state.get(SPECIAL + k, table.missing) for k, code in enumerate(rows.codes[table.features[0]])
    }
    return found | ({"other_scale": neutral} if "other_scale" in found else {})


def _reference_rows(recipe: Recipe, score: np.ndarray, is_bad: np.ndarray) -> np.ndarray:
    """The rows whose mean points are the reference of the reasons; all of them where nobody fits."""
    if recipe.reference == "near_cut_off":
        found = np.abs(score - recipe.cut_off) <= NEAR
    elif recipe.reference == "accepted_good":
        found = ~is_bad & (score >= (recipe.cut_off if recipe.cut_off is not None else -np.inf))
    else:
        found = np.ones(len(score), dtype=bool)
    return found if found.any() else np.ones(len(score), dtype=bool)


def _set_neutral(entry: dict[str, Any], neutral: int) -> None:
    entry["reference_points"] = entry["unavailable_points"] = neutral
    # Saying nothing never earns more than a source that is down.
    entry["missing_points"] = min(entry["missing_points"], neutral)
    if "unseen_points" in entry:
        entry["unseen_points"] = entry["missing_points"]
    if "other_scale" in entry.get("special_points", {}):
        entry["special_points"]["other_scale"] = neutral


def _typical(rows: Rows, feature: str) -> float | int | str | bool | None:
    """The median in few digits, or the most common category."""
    values = rows.values[feature][rows.known(feature)]
    if not len(values):
        return None
    if values.dtype == object:
        return pd.Series(values).value_counts().index[0]
    low, high = np.percentile(values, [49, 51], method="lower")
    return _short(readable(low, high) if low < high else high)


def _without_unused(card: dict[str, Any]) -> dict[str, Any]:
    """The card without derived features that no table uses, nor optional inputs behind them only."""
    used = {name for table in tables_of(card) for name in table.features}
    features = []
    for feature in reversed(card["features"]):
        if feature["name"] in used:
            features.insert(0, feature)
            used |= set(feature["of"])
    inputs = [entry for entry in card["inputs"] if entry["required"] or entry["name"] in used]
    return {**card, "features": features, "inputs": inputs}
