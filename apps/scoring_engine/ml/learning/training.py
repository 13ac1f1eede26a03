"""Training: from a recipe and a table to a card of whole points and the figures it earns.

Everything is settled inside the training rows; the test rows are only ever scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .boosting import BAGS
from .calibration import probability_of
from .card import scores
from .derive import derive
from .errors import TableError
from .fitting import fit_card, known_later
from .metrics import figures, paired_bootstrap
from .recipe import CharacteristicRule, Recipe
from .sampling import Sample, draw_sample
from .table import RawTable, read_tables

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """The card, the rows it was made and tested on, and all figures that go into the manifest."""

    card: dict[str, Any]
    recipe: Recipe
    sample: Sample
    features: pd.DataFrame
    table: RawTable
    report: dict[str, Any]

    def headline(self) -> dict[str, Any]:
        """The figures of the test rows in one flat dict, `out_of_time` or `holdout` saying which they are."""
        kind = _test_name(self.recipe)
        which = str(self.recipe.time.cut) if self.recipe.time else self.recipe.holdout
        training = self.report["training"]
        return {
            "model": self.card["version"], **self.report[kind], kind: which,
            "training_rows": training["rows"], "training_bads": training["bads"],
        }  # fmt: skip


def train(
    recipe: Recipe, data: Path, extras: Mapping[str, Path], *, progress: Progress = lambda step, done: None
) -> Trained:
    """Raises TrainingError with one sentence; writes nothing. `progress` gets a step and a share 0..1."""
    progress("reading", 0.0)
    table = read_tables(recipe, data, extras)
    sample = draw_sample(recipe, table)
    features = features_of(recipe, sample)
    steps = _Steps(progress, recipe)
    card = _fitted(recipe, sample, features, ~sample.test, steps.named("learning"))
    report = {
        _test_name(recipe): figures_on(card, recipe, sample, features, sample.test),
        "training": figures_on(card, recipe, sample, features, ~sample.test),
        "excluded": list(sample.excluded),
        "flat": _flat(recipe, card),
        "after": [
            _dated_check(recipe, rule, sample, features, steps.named(f"validating {rule.feature}"))
            for rule in recipe.stage("after") if rule.validate_from
        ],
        "sensitivities": [
            {"name": one.name, **_sensitivity(recipe.changed(one.changes), table, steps.named(one.name))}
            for one in recipe.sensitivities
        ],
    }  # fmt: skip
    progress("done", 1.0)
    return Trained(card, recipe, sample, features, table, report)


def features_of(recipe: Recipe, sample: Sample) -> pd.DataFrame:
    """Facts and derived features of all rows of the sample."""
    declared = [rule.as_declared() for rule in recipe.features]
    if any(rule.kind == "years_between" for rule in recipe.features) and sample.when is None:
        raise TableError("A feature needs the date of each row: give [time] in the recipe.")
    return derive(sample.facts, declared, sample.when)


def figures_on(
    card: dict[str, Any], recipe: Recipe, sample: Sample, features: pd.DataFrame, rows: np.ndarray
) -> dict[str, float | int]:
    """The figures of a card on some rows of a sample."""
    score = scores(card, features[rows], known_later(recipe))
    return figures(sample.is_bad[rows], probability_of(score))


def _flat(recipe: Recipe, card: dict[str, Any]) -> list[str]:
    """Characteristics of the recipe that are not on the card, since all their bins earned the same points."""
    kept = {entry["feature"] for entry in card["characteristics"]}
    return [rule.feature for rule in recipe.characteristics if rule.feature not in kept]


def _test_name(recipe: Recipe) -> str:
    return "out_of_time" if recipe.time else "holdout"


def _fitted(
    recipe: Recipe, sample: Sample, features: pd.DataFrame, rows: np.ndarray, on_bag: Callable[[], None]
) -> dict[str, Any]:
    return fit_card(
        recipe, features[rows].reset_index(drop=True), sample.is_bad[rows], sample.group[rows], on_bag=on_bag
    )


def _dated_check(
    recipe: Recipe, rule: CharacteristicRule, sample: Sample, features: pd.DataFrame,
    on_bag: Callable[[], None],
) -> dict[str, Any]:  # fmt: skip
    """What a characteristic of the after stage adds, where it is known, on training rows from a day on.

    The whole card is fitted again to the rows before that day, so nothing of the later rows is in it.
    """
    later = sample.when >= np.datetime64(rule.validate_from)
    card = _fitted(recipe, sample, features, ~sample.test & ~later, on_bag)
    rows = ~sample.test & later & features[rule.feature].notna().to_numpy()
    without = {**card, "characteristics": [c for c in card["characteristics"] if c["feature"] != rule.feature]}
    is_bad, risks = sample.is_bad[rows], [-scores(c, features[rows], frozenset()) for c in (card, without)]
    difference = paired_bootstrap(is_bad, *risks, sample.group[rows], seed=recipe.seed)
    return {
        "feature": rule.feature,
        "validated_from": str(rule.validate_from),
        "with_it": figures_on(card, recipe, sample, features, rows),
        "without_it": figures_on(without, recipe, sample, features, rows),
        "auc_difference": [round(value, 6) for value in difference],
    }


def _sensitivity(recipe: Recipe, table: RawTable, on_bag: Callable[[], None]) -> dict[str, Any]:
    sample = draw_sample(recipe, table)
    features = features_of(recipe, sample)
    card = _fitted(recipe, sample, features, ~sample.test, on_bag)
    return {_test_name(recipe): figures_on(card, recipe, sample, features, sample.test)}


class _Steps:
    """Counts bags over everything that a recipe has to fit."""

    def __init__(self, progress: Progress, recipe: Recipe) -> None:
        after = len(recipe.stage("after"))
        fits = 1 + len(recipe.sensitivities) + sum(1 for r in recipe.stage("after") if r.validate_from)
        self._progress, self._total, self._done = progress, fits * BAGS * (1 + after), 0

    def named(self, name: str) -> Callable[[], None]:
        def on_bag() -> None:
            self._done += 1
            self._progress(name, self._done / self._total)

        return on_bag
