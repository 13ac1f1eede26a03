"""Boosted trees whose every leaf uses one feature, or one chosen pair, in a few bags.

LightGBM runs with its deterministic settings: the same rows, seed and versions give the same bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from sklearn.model_selection import PredefinedSplit, StratifiedKFold

from .encoding import Feature
from .metrics import fit_intercept

MOST_THREADS = 2
ROWS_A_THREAD = 50_000  # threads that wait for each other cost a small table more than they bring
FOLDS = 5
LARGE_BAG = 200_000  # rows a bag learns from at most
LARGE_SCREEN = 100_000  # and one that only helps to choose
MOST_TREES = 3000
SETTINGS = {
    "objective": "binary", "feature_fraction": 0.5, "bagging_freq": 1, "max_bin": 255, "min_data_in_bin": 1,
    "deterministic": True, "force_row_wise": True, "verbose": -1,
    "feature_pre_filter": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard boosting tries: leaves of a tree, share of rows a tree sees, L2 penalty of a leaf."""

    leaves: int
    bagging: float
    penalty: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """is_bad, weight (mean 1) and log-odds already known (offset) of each row; group: rows that stay together."""

    is_bad: np.ndarray
    weight: np.ndarray
    offset: np.ndarray
    group: np.ndarray


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the trees see: one column of codes a feature (NaN = no value), and one of states where any occur.

    value, state: the column of each feature's value and state (-1 = it has no column of states).
    """

    data: np.ndarray
    value: tuple[int, ...]
    state: tuple[int, ...]
    directions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bag:
    """One boosting: the trees, the log-odds they start from, and the rows that stopped it."""

    model: lightgbm.Booster
    start: float
    stop: np.ndarray
    out_of_bag: np.ndarray  # log-odds of the rows in `stop`


def matrix_of(features: Sequence[Feature]) -> Matrix:
    columns, value, state, directions = [], [], [], []
    for feature in features:
        codes = feature.learnt_on.astype(np.float32)
        absent = codes >= feature.bins.count
        value.append(len(columns))
        columns.append(np.where(absent, np.nan, codes).astype(np.float32))
        directions.append(feature.direction)
        state.append(-1)
        # A value's order says nothing of its absence: a state of its own is exempt from the direction.
        if absent.any() and (len(feature.states) > 1 or feature.direction):
            state[-1] = len(columns)
            columns.append(np.where(absent, codes - feature.bins.count + 1, 0).astype(np.float32))
            directions.append(0)
    return Matrix(np.column_stack(columns), tuple(value), tuple(state), tuple(directions))


def bags_of(
    matrix: Matrix, rows: Outcomes, *, groups: list[list[int]] | None, effort: Effort, rate: float, patience: int,
    seed: int, folds: Sequence[tuple[np.ndarray, np.ndarray]], depth: int = -1,
) -> Iterator[Bag]:  # fmt: skip
    """One bag for each of `folds`; groups: columns that may meet in a leaf (None: any)."""
    for place, (fit, stop) in enumerate(folds):
        base = rows.offset + fit_intercept(rows.offset[fit], rows.is_bad[fit], weight=rows.weight[fit])
        settings = {
            **SETTINGS, "learning_rate": rate, "num_leaves": effort.leaves, "lambda_l2": effort.penalty,
            "bagging_fraction": effort.bagging, "max_depth": depth, "seed": seed + place,
            "num_threads": threads_for(len(fit)), "min_data_in_leaf": int(np.clip(len(fit) / 200, 5, 100)),
        }  # fmt: skip
        if groups is not None:
            settings["interaction_constraints"] = groups
        if any(matrix.directions):
            settings |= {"monotone_constraints": list(matrix.directions), "monotone_constraints_method": "advanced"}
        model = _boosted(matrix.data, rows, base, settings, fit=fit, stop=stop, patience=patience)
        log_odds = base[stop] + model.predict(matrix.data[stop], raw_score=True)
        yield Bag(model, float(base[0] - rows.offset[0]), stop, log_odds)


def threads_for(rows: int) -> int:
    return 1 + min(rows // ROWS_A_THREAD, MOST_THREADS - 1)


def folds_of(rows: Outcomes, seed: int, *, most: int = LARGE_BAG) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to stop by, for each bag; groups stay together.

    A bag learns from at most `most` rows, each from others in a large table, and is stopped by a fifth of that.
    """
    groups, place = np.unique(rows.group, return_inverse=True)
    if len(groups) < len(place):
        splitter = PredefinedSplit(_dealt(place, rows.is_bad, seed)[place])
    else:
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    rng = np.random.default_rng(seed)
    found = splitter.split(np.zeros(len(place)), rows.is_bad)
    return [(_some(fit, most, rng), _some(stop, most // FOLDS, rng)) for fit, stop in found]


def _dealt(group: np.ndarray, is_bad: np.ndarray, seed: int) -> np.ndarray:
    """The fold of each group: those of most bads first, then the largest, dealt to and fro like cards.

    scikit-learn's StratifiedGroupKFold weighs every fold for every group: seconds for 9,000 groups.
    """
    size, bads = np.bincount(group), np.bincount(group, is_bad)
    order = np.lexsort((np.random.default_rng(seed).random(len(size)), -size, -bads))
    turn = np.arange(len(size)) % (2 * FOLDS)
    fold = np.empty(len(size), dtype=int)
    fold[order] = np.minimum(turn, 2 * FOLDS - 1 - turn)
    return fold


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _boosted(
    data: np.ndarray, rows: Outcomes, base: np.ndarray, settings: dict, *, fit: np.ndarray, stop: np.ndarray,
    patience: int,
) -> lightgbm.Booster:  # fmt: skip
    fitted = lightgbm.Dataset(data[fit], rows.is_bad[fit], weight=rows.weight[fit], init_score=base[fit])
    stopped = lightgbm.Dataset(
        data[stop], rows.is_bad[stop], weight=rows.weight[stop], init_score=base[stop], reference=fitted
    )
    return lightgbm.train(
        settings, fitted, MOST_TREES, valid_sets=[stopped],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )  # fmt: skip
