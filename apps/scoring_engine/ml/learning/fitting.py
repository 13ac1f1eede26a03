"""Fitting a card to training rows: boost, merge, distil, calibrate, round; then what is fitted after it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .boosting import Coded, learn_shapes
from .calibration import base_points, log_odds_of, out_of_bag_slope, whole_points
from .card import card_characteristic, card_inputs, plain, row_points, scores
from .encoding import Bins, fine_bins
from .errors import TableError
from .merging import Merged, merge
from .recipe import CharacteristicRule, Recipe

SIGNS = {"higher_is_riskier": 1, "higher_is_safer": -1, "free": 0}
OnBag = Callable[[], None]


def known_later(recipe: Recipe) -> frozenset[str]:
    """Characteristics whose absence in the table is no act of the applicant: unavailable, not missing."""
    return frozenset(rule.feature for rule in recipe.stage("after"))


def fit_card(
    recipe: Recipe, features: pd.DataFrame, is_bad: np.ndarray, group: np.ndarray, *, on_bag: OnBag
) -> dict[str, Any]:
    """A card of format 1 (provenance empty) from the training rows, which are all the rows given."""
    card = _empty_card(recipe)
    main = recipe.stage("main")
    values = [features[rule.feature].to_numpy() for rule in main]
    parts, slope = _learn(recipe, main, values, is_bad, group, on_bag=on_bag)
    for rule, part, column in zip(main, parts, values, strict=True):
        points = whole_points(part, slope, column)
        if points.bins.count > 1:
            card["characteristics"].append(card_characteristic(recipe, rule, points, column))
    if not card["characteristics"]:
        raise TableError("Nothing was learnt: no characteristic separates bad rows from good ones.")
    card["base_points"] = base_points(row_points(card, features, frozenset()), is_bad)
    for rule in recipe.stage("after"):
        if entry := _fit_after(recipe, rule, card, features, is_bad, group, on_bag=on_bag):
            card["characteristics"].append(entry)
    return plain(_without_unused(card))


def _empty_card(recipe: Recipe) -> dict[str, Any]:
    return {
        "format": 1,
        "segment": recipe.segment,
        "version": recipe.version,
        "purpose": recipe.purpose,
        "definition_of_bad": recipe.definition_of_bad,
        "horizon": recipe.horizon,
        "points_to_double_odds": 50,
        "base_points": 0,
        "reference": "all_applicants",
        "inputs": card_inputs(recipe),
        "features": [rule.as_declared() for rule in recipe.features],
        "characteristics": [],
        "pairs": [],
        "provenance": {},
    }


def _fit_after(
    recipe: Recipe, rule: CharacteristicRule, card: dict[str, Any], features: pd.DataFrame,
    is_bad: np.ndarray, group: np.ndarray, *, on_bag: OnBag,
) -> dict[str, Any] | None:  # fmt: skip
    """A characteristic from the rows where it is known, beside the finished rest of the card.

    Its points have mean zero over those rows, so that a row without it keeps its score. None: it adds nothing.
    """
    rows = features[rule.feature].notna().to_numpy()
    values = features[rule.feature].to_numpy()[rows]
    offset = log_odds_of(scores(card, features[rows], known_later(recipe)).astype(float))
    parts, slope = _learn(recipe, (rule,), [values], is_bad[rows], group[rows], offset=offset, on_bag=on_bag)
    points = whole_points(parts[0], slope, values)
    return card_characteristic(recipe, rule, points, values) if points.bins.count > 1 else None


def _without_unused(card: dict[str, Any]) -> dict[str, Any]:
    """The card without derived features that no characteristic uses, nor optional inputs behind them only."""
    used = {entry["feature"] for entry in card["characteristics"]}
    features = []
    for feature in reversed(card["features"]):
        if feature["name"] in used:
            features.insert(0, feature)
            used |= set(feature["of"])
    inputs = [entry for entry in card["inputs"] if entry["required"] or entry["name"] in used]
    return {**card, "features": features, "inputs": inputs}


def _learn(
    recipe: Recipe, rules: tuple[CharacteristicRule, ...], values: list[np.ndarray], is_bad: np.ndarray,
    group: np.ndarray, *, on_bag: OnBag, offset: np.ndarray | None = None,
) -> tuple[tuple[Merged, ...], float]:  # fmt: skip
    """Merged bins of each feature and the out-of-bag slope."""
    bins: tuple[Bins, ...] = tuple(fine_bins(column, is_bad) for column in values)
    codes = np.column_stack([b.codes(column) for b, column in zip(bins, values, strict=True)])
    coded = Coded(codes, tuple(b.count for b in bins), tuple(SIGNS[rule.direction] for rule in rules))
    shapes = learn_shapes(coded, is_bad, group, seed=recipe.seed, offset=offset, on_bag=on_bag)
    slope = out_of_bag_slope(shapes.out_of_bag, is_bad, 0.0 if offset is None else offset)
    parts = merge(bins, shapes, coded, most_bins=recipe.most_bins, smallest_share=recipe.smallest_bin_share)
    return parts, slope
