"""Challengers learnt from the same training rows and features, and who would be accepted instead of whom.

Logistic regression: medians for what is missing, an indicator for each state that occurs, a column for each
category level of at least 1 % of rows, standardised, L2 with C = 1. LightGBM: no directions, up to 1,000 trees
of 31 leaves at rate 0.05, stopped after 50 rounds without gain on a fifth of the training groups. The
settings are fixed before any figure is seen and the same for every table; one thread, so that a second run
gives the same numbers.
"""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from .metrics import delong, swap_sets
from .rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE, Rows
from .subject import Subject

MOST_ROWS = 250_000  # training rows a challenger learns from; more are drawn down, and the report says so
MOST_TREES, PATIENCE, INNER_SHARE = 1000, 50, 0.2
SMALLEST_LEVEL = 0.01
LIGHTGBM = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "feature_fraction": 0.8, "bagging_fraction": 0.8,
    "bagging_freq": 1, "lambda_l2": 1.0, "num_threads": 1, "deterministic": True, "force_row_wise": True,
    "verbosity": -1,
}  # fmt: skip
Challenger = Callable[[Rows, Rows, list[str], int], np.ndarray]


def compare(subject: Subject, accept_share: float, *, seed: int, on_step: Callable[[str], None]) -> dict[str, Any]:
    """The card beside each challenger on the test rows; the figures that a report needs."""
    features = [rule.feature for rule in subject.recipe.characteristics if rule.feature in subject.rows.values]
    training, test = subject.rows.at(_drawn(subject, seed)), subject.rows.at(subject.test)
    score = subject.score[subject.test].astype(float)
    found = []
    for name, challenger in (("logistic regression", logistic_regression), ("LightGBM", unconstrained_lightgbm)):
        on_step(name)
        risk = challenger(training, test, features, seed)
        found.append({"name": name, **_beside(test, score, risk, accept_share)})
    return {
        "training_rows": len(training), "all_training_rows": int((~subject.test).sum()), "features": len(features),
        "accept_share": accept_share, "seed": seed, "challengers": found,
    }  # fmt: skip


def logistic_regression(training: Rows, test: Rows, features: list[str], seed: int) -> np.ndarray:
    """Log-odds of bad of each test row."""
    columns = [_numbers(training, test, name) for name in features]
    learnt, asked = (np.column_stack([side[k] for side in columns]) for k in (0, 1))
    mean, spread = learnt.mean(axis=0), learnt.std(axis=0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(C=1.0, max_iter=1000, random_state=seed)
    model.fit((learnt - mean) / spread, training.is_bad, sample_weight=training.weight)
    return model.decision_function((asked - mean) / spread)


def unconstrained_lightgbm(training: Rows, test: Rows, features: list[str], seed: int) -> np.ndarray:
    """Log-odds of bad of each test row."""
    columns = [column for name in features for column in _tree_columns(training, test, name)]
    learnt, asked = (np.column_stack([column[k] for column in columns]) for k in (0, 1))
    categories = [place for place, column in enumerate(columns) if column[2]]
    inner, labels = _inner(training, seed), training.is_bad.astype(int)
    main = lightgbm.Dataset(learnt[~inner], labels[~inner], weight=training.weight[~inner],
                            categorical_feature=categories)  # fmt: skip
    least = int(np.clip(len(training) / 200, 5, 100))
    booster = lightgbm.train(
        {**LIGHTGBM, "min_data_in_leaf": least, "seed": seed}, main, MOST_TREES,
        valid_sets=[main.create_valid(learnt[inner], labels[inner], weight=training.weight[inner])],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    return booster.predict(asked, raw_score=True)


def _drawn(subject: Subject, seed: int) -> np.ndarray:
    places = np.flatnonzero(~subject.test)
    if len(places) <= MOST_ROWS:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, MOST_ROWS, replace=False))


def _beside(test: Rows, score: np.ndarray, risk: np.ndarray, accept_share: float) -> dict[str, Any]:
    paired = delong(test.is_bad, -score, risk)
    swapped = swap_sets(test.is_bad, score, -risk, accept_share)
    return {
        "auc": paired.second, "card_auc": paired.first, "difference": paired.difference, "lower": paired.lower,
        "upper": paired.upper, "p_value": paired.p_value,
        "swap": {"in_rows": swapped.in_rows, "in_bads": swapped.in_bads,
                 "out_rows": swapped.out_rows, "out_bads": swapped.out_bads},
    }  # fmt: skip


def _inner(training: Rows, seed: int) -> np.ndarray:
    """About a fifth of the groups; at least one bad and one good on either side, or the rows in turn."""
    groups, members = np.unique(training.group, return_inverse=True)
    inner = (np.random.default_rng(seed).random(len(groups)) < INNER_SHARE)[members]
    both = all(0 < training.is_bad[side].sum() < side.sum() for side in (inner, ~inner))
    return inner if both else np.arange(len(training)) % 5 == 0


def _numbers(training: Rows, test: Rows, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns of a feature for a linear model, on both sides."""
    states = sorted({KNOWN, *np.unique(training.states[name]).tolist()} - {KNOWN})
    marks = [[side.states[name] == state for state in states] for side in (training, test)]
    if training.values[name].dtype == object:
        levels = _levels(training, name)
        values = [[side.values[name] == level for level in levels] for side in (training, test)]
    else:
        known = training.known(name)
        middle = float(np.median(training.values[name][known])) if known.any() else 0.0
        values = [[np.where(side.known(name), side.values[name], middle)] for side in (training, test)]
    return tuple(_stacked([*value, *mark], len(side))
                 for value, mark, side in zip(values, marks, (training, test), strict=True))  # fmt: skip


def _stacked(columns: list[np.ndarray], rows: int) -> np.ndarray:
    return np.column_stack([column.astype(float) for column in columns]) if columns else np.zeros((rows, 0))


def _levels(training: Rows, name: str) -> list[Any]:
    found = pd.Series(training.values[name][training.known(name)], dtype=object).value_counts(normalize=True)
    return sorted((level for level, share in found.items() if share >= SMALLEST_LEVEL), key=str)


def _tree_columns(training: Rows, test: Rows, name: str) -> list[tuple[np.ndarray, np.ndarray, bool]]:
    """(training, test, is a category): the value, and marks where there is more than one way to have none."""
    states = set(np.unique(training.states[name]).tolist())
    marked = [state for state in sorted(states) if state >= SPECIAL]
    marked += [MISSING] if {MISSING, UNAVAILABLE} <= states else []
    marks = [tuple((side.states[name] == state).astype(float) for side in (training, test)) for state in marked]
    is_category = training.values[name].dtype == object
    values = [side.values[name] for side in (training, test)]
    if is_category:
        code = {level: k for k, level in enumerate(sorted(set(values[0][training.known(name)]), key=str))}
        values = [pd.Series(side, dtype=object).map(code).to_numpy(dtype=float) for side in values]
    return [(*values, is_category), *((*mark, False) for mark in marks)]
