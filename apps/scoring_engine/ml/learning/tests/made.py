"""Recipes and rows made in memory, so that a card can be fitted without a file."""

from typing import Any

import numpy as np

from apps.scoring_engine.ml.learning.encoding import Bins, Feature
from apps.scoring_engine.ml.learning.naming import completed_feature, completed_input
from apps.scoring_engine.ml.learning.recipe import FeatureRule, InputRule, Recipe, Target
from apps.scoring_engine.ml.learning.rows import KNOWN, MISSING, Rows


def own(name: str, direction: str = "free", kind: str = "number", **rest: Any) -> InputRule:
    """A fact of the lender's own; with a direction it is a characteristic."""
    return completed_input(InputRule(column=name, kind=kind, direction=direction, **rest), "individual", "made")


def ratio(name: str, of: tuple[str, str], direction: str = "", **rest: Any) -> FeatureRule:
    return completed_feature(FeatureRule(name, "ratio", of, direction=direction, **{"least": -1, "most": 10} | rest))


def recipe(*inputs: InputRule, **settings: Any) -> Recipe:
    plain = {
        "format": 1, "segment": "individual", "version": "made-1.0.0", "title": "Made rows", "purpose": "own",
        "definition_of_bad": "bad", "origin": "numbers drawn for a test", "population": "nobody", "seed": 5,
        "horizon": {"kind": "fixed", "months": 12}, "target": Target("bad", equals=(1,)), "pairs": 0,
        "smallest_bin_share": 0.02,
    }  # fmt: skip
    return Recipe(inputs=inputs, **plain | settings)


def rows(values: dict[str, Any], is_bad: np.ndarray, **rest: Any) -> Rows:
    """NaN or None is missing, unless `states` says otherwise by name."""
    columns = {name: np.asarray(column) for name, column in values.items()}
    states = {name: np.where(_empty(column), MISSING, KNOWN).astype(np.int16) for name, column in columns.items()}
    states |= rest.get("states", {})
    codes = dict.fromkeys(columns, ()) | rest.get("codes", {})
    count = len(is_bad)
    weight = np.asarray(rest.get("weight", np.ones(count)), dtype=float)
    return Rows(columns, states, codes, np.asarray(is_bad, dtype=bool), weight, rest.get("group", np.arange(count)))


def drawn(rng: np.random.Generator, log_odds: np.ndarray) -> np.ndarray:
    """Outcomes drawn with these log-odds of bad."""
    return rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))


def feature(name: str, codes: np.ndarray, bins: int, *, states: tuple[int, ...] = (), direction: int = 0) -> Feature:
    """A numeric feature by its codes: 0..bins-1, then one for each state."""
    codes = np.asarray(codes, dtype=np.int32)
    return Feature(name, Bins(tuple(float(k) for k in range(1, bins))), states, direction, codes, codes)


def entry_of(card: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in card["characteristics"] if entry["feature"] == name)


def _empty(column: np.ndarray) -> np.ndarray:
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=bool)
    return np.isnat(column) if column.dtype.kind == "M" else np.isnan(column)
