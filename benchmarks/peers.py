"""The peers of the training benchmark. Each learns from the rows it is given and says a probability for others.

All see the same features. What has to be tuned is tuned by folds inside the rows to learn from, by the same
rule for every set. Seeds are fixed, two threads at most.
"""

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from interpret.glassbox import ExplainableBoostingClassifier
from optbinning import BinningProcess
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from apps.scoring_engine.ml.learning.boosting import threads_for
from apps.scoring_engine.ml.learning.encoding import Feature, encode
from apps.scoring_engine.ml.learning.metrics import log_loss, log_odds, sigmoid
from apps.scoring_engine.ml.learning.recipe import Recipe
from apps.scoring_engine.ml.learning.rows import KNOWN, Rows

from .sets import Fold, folds_of

SEED = 1
THREADS = 2
INNER_FOLDS = 5
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
EMPTY = "(empty)"
RARE_LEVEL = 0.01
MOST_TREES = 3000
PATIENCE = 50
LIGHTGBM = {
    "objective": "binary", "learning_rate": 0.05, "bagging_freq": 1, "seed": SEED,
    "deterministic": True, "force_row_wise": True, "verbose": -1, "feature_pre_filter": False,
}  # fmt: skip
SINGLE_SETTINGS = (
    {"num_leaves": 4, "bagging_fraction": 0.8, "feature_fraction": 0.5, "lambda_l2": 1.0, "min_data_in_leaf": 20},
    {"num_leaves": 8, "bagging_fraction": 0.8, "feature_fraction": 0.5, "lambda_l2": 5.0, "min_data_in_leaf": 20},
    {"num_leaves": 16, "bagging_fraction": 0.8, "feature_fraction": 0.5, "lambda_l2": 5.0, "min_data_in_leaf": 50},
    {"num_leaves": 31, "bagging_fraction": 0.8, "feature_fraction": 0.8, "lambda_l2": 1.0, "min_data_in_leaf": 20},
)
BAG_SETTINGS = (
    {"num_leaves": 5, "bagging_fraction": 0.5, "feature_fraction": 0.5, "lambda_l2": 5.0},
    {"num_leaves": 8, "bagging_fraction": 0.8, "feature_fraction": 0.5, "lambda_l2": 5.0},
    {"num_leaves": 16, "bagging_fraction": 0.9, "feature_fraction": 0.5, "lambda_l2": 1.0},
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Probabilities of the tested rows; seconds of the one last fit, tuning and preparation aside."""

    probability: np.ndarray
    fit_seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Rows to learn from and to test as tables: floats (NaN = no value) and texts (None = no value)."""

    recipe: Recipe
    learn: Rows
    test: Rows
    X: pd.DataFrame
    late: pd.DataFrame
    y: np.ndarray
    texts: list[str]
    inner: list[Fold]


def task_of(recipe: Recipe, rows: Rows, fold: Fold) -> Task:
    learn, test = rows.at(fold[0]), rows.at(fold[1])
    names = [rule.feature for rule in recipe.stage("main")]
    kinds = [name for name in names if len(set(np.unique(learn.states[name]).tolist()) - {KNOWN}) > 1]
    texts = [name for name in names if learn.values[name].dtype == object]
    return Task(
        recipe=recipe, learn=learn, test=test, X=_table(learn, names, kinds), late=_table(test, names, kinds),
        y=learn.is_bad.astype(int), texts=texts,
        inner=folds_of(learn, np.arange(len(learn)), INNER_FOLDS, SEED),
    )  # fmt: skip


def _table(rows: Rows, names: Sequence[str], kinds: Sequence[str]) -> pd.DataFrame:
    """kinds: names with several reasons for having no value, which get a column that tells them apart."""
    columns: dict[str, Any] = {}
    for name in names:
        given = rows.values[name]
        columns[name] = [None if v is None else str(v) for v in given] if given.dtype == object else given
    columns |= {f"{name}: why empty": rows.states[name].astype(float) for name in kinds}
    table = pd.DataFrame(columns)
    return table.astype({name: object for name in names if rows.values[name].dtype == object})


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return fit(), time.perf_counter() - start


# Readable peers


def logistic(task: Task) -> Answer:
    """Scaled values, medians and flags for what is empty, a flag for each level; the penalty by inner folds."""
    return _penalised(task, lambda: _LogisticTable(task.texts))


def optbinning_scorecard(task: Task) -> Answer:
    """optbinning's BinningProcess as it comes and a logistic regression on its weights of evidence.

    Two settings serve it better than its defaults, so it has them: empty cells get their observed weight of
    evidence, and levels of a category with less than RARE_LEVEL of the rows are pooled.
    """
    return _penalised(task, lambda: _WeightsOfEvidence(task.texts))


def _penalised(task: Task, preparing: Callable[[], Any]) -> Answer:
    """A logistic regression on a prepared table, prepared anew in each inner fold."""
    losses = np.zeros(len(STRENGTHS))
    for a, b in task.inner:
        prepared = preparing()
        fitted, held = prepared.fit(task.X.iloc[a], task.y[a]), prepared.at(task.X.iloc[b])
        for place, strength in enumerate(STRENGTHS):
            model = _regression(strength).fit(fitted, task.y[a])
            losses[place] += log_loss(task.y[b], model.predict_proba(held)[:, 1])
    best = STRENGTHS[int(np.argmin(losses))]
    prepared = preparing()
    model, seconds = timed(lambda: _regression(best).fit(prepared.fit(task.X, task.y), task.y))
    return Answer(model.predict_proba(prepared.at(task.late))[:, 1], seconds, f"C={best}")


def _regression(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=2000)


class _LogisticTable:
    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Any:
        numbers = [name for name in X if name not in self._texts]
        self._prepared = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), self._texts),
        )
        return self._prepared.fit_transform(X.fillna(dict.fromkeys(self._texts, EMPTY)))

    def at(self, X: pd.DataFrame) -> Any:
        return self._prepared.transform(X.fillna(dict.fromkeys(self._texts, EMPTY)))


class _WeightsOfEvidence:
    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Any:
        pooled = {name: {"cat_cutoff": RARE_LEVEL} for name in self._texts}
        names = list(X.columns)
        self._prepared = BinningProcess(names, categorical_variables=self._texts, binning_fit_params=pooled)
        self._prepared.fit(X, y)
        return self.at(X)

    def at(self, X: pd.DataFrame) -> Any:
        return self._prepared.transform(X, metric="woe", metric_missing="empirical").to_numpy()


def ebm_main(task: Task) -> Answer:
    """InterpretML's explainable boosting machine as it comes, without interactions."""
    return _ebm(task, interactions=0)


# The others


def ebm_pairs(task: Task) -> Answer:
    """InterpretML's explainable boosting machine as it comes."""
    return _ebm(task)


def _ebm(task: Task, **settings: Any) -> Answer:
    model = ExplainableBoostingClassifier(n_jobs=THREADS, random_state=SEED, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, seconds = timed(lambda: model.fit(task.X, task.y))
        terms = len(model.term_names_)
        return Answer(model.predict_proba(task.late)[:, 1], seconds, f"{terms} terms")


def catboost(task: Task) -> Answer:
    """CatBoost as it comes: 1,000 trees, its own rate, its own treatment of categories."""
    model = CatBoostClassifier(
        thread_count=THREADS, random_seed=SEED, verbose=False, allow_writing_files=False, cat_features=task.texts
    )
    filled = dict.fromkeys(task.texts, EMPTY)
    _, seconds = timed(lambda: model.fit(task.X.fillna(filled), task.y))
    return Answer(model.predict_proba(task.late.fillna(filled))[:, 1], seconds)


def lightgbm_single(task: Task) -> Answer:
    """One LightGBM with its own categories: the best of SINGLE_SETTINGS and its rounds by inner folds."""
    X, late = _with_categories(task)
    best: tuple[float, dict, int] | None = None
    for settings in SINGLE_SETTINGS:
        out_of_fold, rounds = np.zeros(len(task.y)), []
        for a, b in task.inner:
            model = _stopped(X.iloc[a], task.y[a], X.iloc[b], task.y[b], settings)
            out_of_fold[b] = model.predict(X.iloc[b])
            rounds.append(model.best_iteration)
        loss = log_loss(task.y, out_of_fold)
        if best is None or loss < best[0]:
            best = (loss, settings, int(np.mean(rounds) * INNER_FOLDS / (INNER_FOLDS - 1)) + 1)
    _, settings, rounds = best
    model, seconds = timed(lambda: lightgbm.train(_set(settings, X), lightgbm.Dataset(X, task.y), rounds))
    return Answer(model.predict(late), seconds, f"{rounds} trees of {settings['num_leaves']} leaves")


def _with_categories(task: Task) -> tuple[pd.DataFrame, pd.DataFrame]:
    levels = {name: pd.CategoricalDtype(sorted(task.X[name].dropna().unique())) for name in task.texts}
    return task.X.astype(levels), task.late.astype(levels)


def _set(settings: dict, X: Any) -> dict:
    """As many threads as the card takes for so many rows."""
    return {**LIGHTGBM, "num_threads": threads_for(len(X)), **settings}


def _stopped(X: Any, y: np.ndarray, X_stop: Any, y_stop: np.ndarray, settings: dict) -> lightgbm.Booster:
    fitted = lightgbm.Dataset(X, y)
    return lightgbm.train(
        _set(settings, X), fitted, MOST_TREES,
        valid_sets=[lightgbm.Dataset(X_stop, y_stop, reference=fitted)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip


def lightgbm_bag(task: Task) -> Answer:
    """The ceiling: the mean log-odds of five free LightGBM, each stopped by a fold of its own, on the card's codes."""
    features = encode(task.learn, _freed(task.recipe), SEED)
    X = _codes(features, [feature.learnt_on for feature in features])
    late = _codes(features, [_codes_at(feature, task.test) for feature in features])
    least = {"min_data_in_leaf": int(np.clip(len(X) / 200, 5, 100))}
    best: tuple[float, np.ndarray, float] | None = None
    for settings in BAG_SETTINGS:
        out_of_bag, found, seconds = np.zeros(len(task.y)), np.zeros(len(late)), 0.0
        for a, b in task.inner:
            model, took = timed(lambda a=a, b=b, s=settings: _stopped(X[a], task.y[a], X[b], task.y[b], s | least))
            out_of_bag[b], seconds = model.predict(X[b]), seconds + took
            found += log_odds(model.predict(late)) / INNER_FOLDS
        loss = log_loss(task.y, out_of_bag)
        if best is None or loss < best[0]:
            best = (loss, sigmoid(found), seconds)
    return Answer(best[1], best[2])


def _freed(recipe: Recipe) -> list[SimpleNamespace]:
    return [SimpleNamespace(feature=rule.feature, direction="free") for rule in recipe.stage("main")]


def _codes(features: Sequence[Feature], codes: Sequence[np.ndarray]) -> np.ndarray:
    """A column of codes a feature, NaN where there is no value, and one of states where there are several."""
    columns = []
    for feature, found in zip(features, codes, strict=True):
        absent = found >= feature.bins.count
        columns.append(np.where(absent, np.nan, found))
        if len(feature.states) > 1:
            columns.append(np.where(absent, found - feature.bins.count + 1, 0))
    return np.column_stack(columns).astype(np.float32)


def _codes_at(feature: Feature, rows: Rows) -> np.ndarray:
    """The codes of other rows. A level never seen gets the mean code, a state never seen the first state's."""
    values, known = rows.values[feature.name], rows.known(feature.name)
    found = np.full(len(rows), feature.bins.count)
    if feature.bins.edges is not None:
        found[known] = np.searchsorted(np.asarray(feature.bins.edges), values[known], side="right")
    else:
        place = {level: code for code, group in enumerate(feature.bins.groups) for level in group}
        seen = feature.codes[feature.codes < feature.bins.count]
        mean = int(np.rint(seen.mean())) if len(seen) else 0
        found[known] = [place.get(value, mean) for value in values[known]]
    for code, state in enumerate(feature.states):
        found[rows.states[feature.name] == state] = feature.bins.count + code
    return found


READABLE = {"logistic": logistic, "optbinning": optbinning_scorecard, "ebm_main": ebm_main}
STRONG = {"lightgbm": lightgbm_single, "catboost": catboost, "ebm_pairs": ebm_pairs}
CEILING = {"lightgbm_bag": lightgbm_bag}
PEERS: dict[str, Callable[[Task], Answer]] = {**READABLE, **STRONG, **CEILING}

# EBM starts worker processes; without this they warn that they cannot count the cores of some machines.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(THREADS))
