"""Training: from a recipe and a table to a card of whole points and the figures it earns.

Everything is settled inside the training rows; the test rows are only ever scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import rejects
from .calibration import probability_of
from .card import scores, tables_of
from .derive import derive
from .errors import TableError
from .fitting import fit_card
from .gates import check_gates, rows_by_score, score_edges
from .metrics import auc_interval, figures, paired_bootstrap
from .recipe import CharacteristicRule, Recipe
from .rows import Rows
from .sampling import Sample, draw_sample
from .table import RawTable, read_tables

Progress = Callable[[str, float], None]
STEPS_OF_A_FIT = 8  # pairs, effort, five bags, merging


@dataclass(frozen=True, slots=True)
class Trained:
    """The card, the rows it was made and tested on, and all figures that go into the manifest."""

    card: dict[str, Any]
    recipe: Recipe
    sample: Sample
    rows: Rows
    table: RawTable
    report: dict[str, Any]

    def headline(self) -> dict[str, Any]:
        """The figures of the test rows in one flat dict, `out_of_time` or `holdout` saying which they are."""
        kind = _test_name(self.recipe)
        which = str(self.recipe.time.cut) if self.recipe.time else self.recipe.holdout
        training = self.report["training"]
        return {
            "model": self.card["version"], **self.report[kind], kind: which,
            "training_rows": training["rows"], "training_bads": training["bads"], **sizes(self.card),
        }  # fmt: skip


def train(
    recipe: Recipe, data: Path, extras: Mapping[str, Path], *, progress: Progress = lambda step, done: None
) -> Trained:
    """Raises TrainingError with one sentence; writes nothing. `progress` gets a step and a share 0..1."""
    progress("reading", 0.0)
    table = read_tables(recipe, data, extras)
    sample = draw_sample(recipe, table)
    rows = rows_of(recipe, sample)
    steps = _Steps(progress, recipe)
    training, test = rows.at(~sample.test), rows.at(sample.test)
    card, inferred = _fitted(recipe, sample, training, steps)
    report = {
        _test_name(recipe): figures_on(card, test),
        "training": figures_on(card, training),
        "auc_interval": _interval(card, test, recipe.seed),
        "size": sizes(card),
        "training_bins": bins_on(card, training),
        "training_scores": scores_on(card, training),
        "excluded": list(sample.excluded),
        "warnings": list(sample.warnings),
        "flat": _flat(recipe, card),
        "reject_inference": inferred,
        "after": [
            _dated_check(recipe, rule, sample, rows, steps.named(f"validating {rule.feature}"))
            for rule in recipe.stage("after") if rule.validate_from
        ],
        "sensitivities": [
            {"name": one.name, **_sensitivity(recipe.changed(one.changes), table, steps.named(one.name))}
            for one in recipe.sensitivities
        ],
    }  # fmt: skip
    report["gates"] = check_gates(recipe, card, training, test, report[_test_name(recipe)])
    progress("done", 1.0)
    return Trained(card, recipe, sample, rows, table, report)


def rows_of(recipe: Recipe, sample: Sample) -> Rows:
    """Facts and derived features of all rows of the sample."""
    return _derived(recipe, sample.rows, sample.when)


def figures_on(card: dict[str, Any], rows: Rows) -> dict[str, float | int]:
    """The figures of a card on some rows."""
    return figures(rows.is_bad, probability_of(scores(card, rows)), weight=rows.weight)


def sizes(card: dict[str, Any]) -> dict[str, int]:
    """How much there is to read on a card."""
    return {
        "characteristics": len(card["characteristics"]),
        "bins": sum(len(entry["points"]) for entry in card["characteristics"]),
        "pairs": len(card["pairs"]),
        "cells": sum(len(line) for entry in card["pairs"] for line in entry["points"]),
    }


def bins_on(card: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """Weight of rows and bads in every place of every table: what stability is measured against later."""
    found = {}
    for table in tables_of(card):
        place, count = table.index(rows), len(table.points)
        found[table.name] = {
            "labels": list(table.labels),
            "rows": _counts(place, rows.weight, count),
            "bads": _counts(place, rows.weight * rows.is_bad, count),
        }
    return found


def scores_on(card: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """Weight of rows in each band between scores that part them into tenths, for the stability of the score."""
    score = scores(card, rows)
    edges = score_edges(score)
    return {"edges": edges.tolist(), "rows": [round(n, 6) for n in rows_by_score(edges, score, rows.weight).tolist()]}


def _counts(place: np.ndarray, weight: np.ndarray, count: int) -> list[float]:
    return [round(value, 6) for value in np.bincount(place, weight, count).tolist()]


def _derived(recipe: Recipe, facts: Rows, when: np.ndarray | None) -> Rows:
    if when is None and any(rule.kind == "years_between" for rule in recipe.features):
        raise TableError("A feature needs the date of each row: give [time] in the recipe.")
    return derive(facts, [rule.as_declared() for rule in recipe.features], when)


def _fitted(
    recipe: Recipe, sample: Sample, training: Rows, steps: "_Steps"
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The card, and what an assumption about rejected applicants did to it."""
    card = fit_card(recipe, training, on_step=steps.named("learning"))
    rule = recipe.reject_inference
    if rule is None or sample.rejected is None:
        return card, None
    refused = _derived(recipe, sample.rejected, sample.rejected_when)
    all_rows = rejects.with_rejected(card, training, refused, rule)
    final = fit_card(recipe, all_rows, on_step=steps.named("learning with rejected applicants"))
    final = rejects.capped(final, training)
    test = rows_of(recipe, sample).at(sample.test)
    aucs = {"auc_without": figures_on(card, test)["auc"], "auc_with": figures_on(final, test)["auc"]}
    return final, {**rejects.effect(card, final, refused, rule), **aucs}


def _interval(card: dict[str, Any], rows: Rows, seed: int) -> list[float]:
    found = auc_interval(rows.is_bad, -scores(card, rows), rows.group, seed=seed, weight=rows.weight)
    return [round(value, 6) for value in found[1:]]


def _flat(recipe: Recipe, card: dict[str, Any]) -> list[str]:
    """Characteristics of the recipe that are not on the card, since all their bins earned the same points."""
    kept = {name for table in tables_of(card) for name in table.features}
    return [rule.feature for rule in recipe.characteristics if rule.feature not in kept]


def _test_name(recipe: Recipe) -> str:
    return "out_of_time" if recipe.time else "holdout"


def _dated_check(
    recipe: Recipe, rule: CharacteristicRule, sample: Sample, rows: Rows, on_step: Callable[[str], None]
) -> dict[str, Any]:
    """What a characteristic of the after stage adds, where it is known, on training rows from a day on.

    The whole card is fitted again to the rows before that day, so nothing of the later rows is in it.
    """
    later = sample.when >= np.datetime64(rule.validate_from)
    card = fit_card(recipe, rows.at(~sample.test & ~later), on_step=on_step)
    known = rows.at(~sample.test & later & rows.known(rule.feature))
    without = {**card, "characteristics": [c for c in card["characteristics"] if c["feature"] != rule.feature]}
    risks = [-scores(c, known) for c in (card, without)]
    difference = paired_bootstrap(known.is_bad, *risks, known.group, seed=recipe.seed)
    return {
        "feature": rule.feature,
        "validated_from": str(rule.validate_from),
        "with_it": figures_on(card, known),
        "without_it": figures_on(without, known),
        "auc_difference": [round(value, 6) for value in difference],
    }


def _sensitivity(recipe: Recipe, table: RawTable, on_step: Callable[[str], None]) -> dict[str, Any]:
    sample = draw_sample(recipe, table)
    rows = rows_of(recipe, sample)
    card = fit_card(recipe, rows.at(~sample.test), on_step=on_step)
    return {_test_name(recipe): figures_on(card, rows.at(sample.test))}


class _Steps:
    """Counts steps over everything that a recipe has to fit."""

    def __init__(self, progress: Progress, recipe: Recipe) -> None:
        fits = 1 + len(recipe.sensitivities) + sum(1 for r in recipe.stage("after") if r.validate_from)
        fits += recipe.reject_inference is not None
        self._progress, self._total, self._done = progress, fits * STEPS_OF_A_FIT, 0

    def named(self, name: str) -> Callable[[str], None]:
        def on_step(step: str) -> None:
            self._done += 1
            self._progress(f"{name}: {step}", min(1.0, self._done / self._total))

        return on_step
