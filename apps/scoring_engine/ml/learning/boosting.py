"""Shapes of features, learnt by boosted trees that use one feature each, averaged over a few bags.

A sum of such trees is a sum of step functions, one of each feature, so it is read off exactly by asking
the trees at every bin. LightGBM runs on one thread with its deterministic settings: the same rows, seed
and versions give the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from .metrics import fit_intercept

THREADS = 1
BAGS = 5
MOST_TREES = 3000
PATIENCE = 50
LEAST_MISSING = 200  # rows without a value from which missing has evidence of its own
SETTINGS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 4, "lambda_l2": 5.0,
    "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "max_bin": 255,
    "min_data_in_bin": 1, "num_threads": THREADS, "deterministic": True, "force_row_wise": True,
    "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coded:
    """Bins of each row, one column a feature; `counts` bins, and one more code for missing."""

    codes: np.ndarray
    counts: tuple[int, ...]
    directions: tuple[int, ...]  # 1 = the risk rises with the bin, -1 = falls, 0 = free


@dataclass(frozen=True, slots=True)
class Shapes:
    """Additive log-odds of bad: start + the sum of tables[j][bin], the last place for missing.

    evidence: whether missing was seen often enough to count; out_of_bag: log-odds of each row by the one
    bag that did not learn from it.
    """

    start: float
    tables: tuple[np.ndarray, ...]
    evidence: tuple[bool, ...]
    out_of_bag: np.ndarray

    def total(self, codes: np.ndarray) -> np.ndarray:
        return self.start + sum(table[codes[:, j]] for j, table in enumerate(self.tables))


def learn_shapes(
    coded: Coded, is_bad: np.ndarray, group: np.ndarray, *, seed: int, offset: np.ndarray | None = None,
    on_bag: Callable[[], None] = lambda: None,
) -> Shapes:  # fmt: skip
    """Averages BAGS boostings, each stopped by the fold it does not see; groups stay together.

    offset: log-odds already known of each row, to which the shapes are added.
    """
    matrix = _matrix(coded)
    offset = np.zeros(len(is_bad)) if offset is None else offset
    start, tables = 0.0, [np.zeros(count + 1) for count in coded.counts]
    out_of_bag = np.zeros(len(is_bad))
    for bag, (fit, stop) in enumerate(_folds(is_bad, group, seed)):
        base = offset + fit_intercept(offset[fit], is_bad[fit])
        model = _boost(matrix, is_bad, base, coded, fit=fit, stop=stop, seed=seed + bag)
        out_of_bag[stop] = base[stop] + model.predict(matrix[stop], raw_score=True)
        first, shapes = _collapsed(model, coded)
        start += (first + base[0] - offset[0]) / BAGS
        for j, values in enumerate(shapes):
            tables[j] += values / BAGS
        on_bag()
    missing = (coded.codes >= np.asarray(coded.counts)).sum(axis=0)
    return Shapes(start, tuple(tables), tuple((missing >= LEAST_MISSING).tolist()), out_of_bag)


def _folds(is_bad: np.ndarray, group: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to stop by, for each bag."""
    splitter = StratifiedGroupKFold(BAGS, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(is_bad)), is_bad, group))


def _matrix(coded: Coded) -> np.ndarray:
    missing = coded.codes >= np.asarray(coded.counts)
    return np.where(missing, np.nan, coded.codes.astype(float))


def _boost(
    matrix: np.ndarray, is_bad: np.ndarray, offset: np.ndarray, coded: Coded, *, fit: np.ndarray,
    stop: np.ndarray, seed: int,
) -> lightgbm.Booster:  # fmt: skip
    settings = {
        **SETTINGS,
        "seed": seed,
        "min_data_in_leaf": int(np.clip(len(fit) / 200, 5, 100)),
        "interaction_constraints": [[j] for j in range(matrix.shape[1])],
        "monotone_constraints": list(coded.directions),
        "monotone_constraints_method": "advanced",
    }
    fitted = lightgbm.Dataset(matrix[fit], is_bad[fit], init_score=offset[fit], free_raw_data=False)
    stopped = lightgbm.Dataset(matrix[stop], is_bad[stop], init_score=offset[stop], reference=fitted)
    return lightgbm.train(
        settings, fitted, MOST_TREES, valid_sets=[stopped],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip


def _collapsed(model: lightgbm.Booster, coded: Coded) -> tuple[float, list[np.ndarray]]:
    """The trees as a constant and one table of each feature: exact, since no tree uses two features."""
    start = float(model.predict(np.zeros((1, len(coded.counts))), raw_score=True)[0])
    tables = []
    for j, count in enumerate(coded.counts):
        rows = np.zeros((count + 1, len(coded.counts)))
        rows[:, j] = [*range(count), np.nan]
        tables.append(model.predict(rows, raw_score=True) - start)
    return start, tables
