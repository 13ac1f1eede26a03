"""Out of time, side by side in one run: the shipped card, logistic regression, LightGBM tuned by inner folds.

    python -m benchmarks.accuracy [individual] [company]

All three see the same features of the same training rows; all tuning is inside the training rows. The card
is fitted here from its recipe, without what it learns after (FICO: not known out of time), so the run does
not depend on the committed files. The data are looked for in $CREDIT_ML_DATA, else in ../shared/data.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from apps.scoring_engine.ml.learning.calibration import probability_of
from apps.scoring_engine.ml.learning.card import scores
from apps.scoring_engine.ml.learning.fitting import fit_card, known_later
from apps.scoring_engine.ml.learning.metrics import auc, figures, log_loss, paired_bootstrap
from apps.scoring_engine.ml.learning.recipe import Recipe, load_recipe
from apps.scoring_engine.ml.learning.sampling import Sample, draw_sample
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.training import features_of

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CREDIT_ML_DATA", ROOT.parent / "shared" / "data"))
SETS = {
    "individual": (
        "lending_club_2007_2011/lending_club_2007_2011.parquet",
        {"fico": "lending_club_fico_dated_joined/lending_club_2007_2010_with_fico.parquet"},
    ),
    "company": ("american_bankruptcy/american_bankruptcy_98pct.parquet", {}),
}
FOLDS = 5
TRIALS = 16
SHOWN = ("auc", "gini", "ks", "brier", "calibration_slope", "calibration_intercept", "observed_to_expected")


def main(segments: list[str]) -> int:
    for segment in segments or list(SETS):
        data, extras = SETS[segment]
        paths = [DATA / data, *(DATA / path for path in extras.values())]
        if absent := [path.name for path in paths if not path.exists()]:
            print(f"{segment}: skipped, {absent[0]} is not in $CREDIT_ML_DATA or ../shared/data")
            continue
        recipe = load_recipe(ROOT / f"apps/scoring_engine/ml/recipes/{segment}.toml")
        table = read_tables(recipe, DATA / data, {name: DATA / path for name, path in extras.items()})
        compare(recipe, draw_sample(recipe, table), f"{segment}, {recipe.time.cut} on")
        if recipe.target.last_row:
            kept = recipe.changed({"target.last_row.censored": "keep"})
            compare(kept, draw_sample(kept, table), f"{segment}, censored last rows kept as good")
    return 0


def compare(recipe: Recipe, sample: Sample, title: str) -> None:
    """Prints the table of one set."""
    recipe = replace(recipe, characteristics=recipe.stage("main"))
    features = features_of(recipe, sample)
    columns = [rule.feature for rule in recipe.characteristics]
    fit, test = ~sample.test, sample.test
    X, y, group = features[columns][fit].reset_index(drop=True), sample.is_bad[fit], sample.group[fit]
    folds = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=recipe.seed).split(X, y, group))
    card = fit_card(recipe, features[fit].reset_index(drop=True), y, group, on_bag=lambda: None)
    late = features[columns][test].reset_index(drop=True)
    found = {
        "card": probability_of(scores(card, features[test], known_later(recipe))),
        "logistic regression": logistic(X, y, folds, late),
        "logistic, ranks": logistic(X, y, folds, late, ranks=True),
        "LightGBM, tuned": boosted(X, y, folds, late, seed=recipe.seed),
    }
    show(title, sample, fit, test, found)


def show(title: str, sample: Sample, fit: np.ndarray, test: np.ndarray, found: dict[str, np.ndarray]) -> None:
    y, group = sample.is_bad[test], sample.group[test]
    print(f"\n{title}: {fit.sum()} training rows ({sample.is_bad[fit].sum()} bad), "
          f"{test.sum()} test rows ({y.sum()} bad), differences by {len(np.unique(group))} groups")  # fmt: skip
    print(f"{'':22}" + "".join(f"{name.replace('calibration_', 'cal. ')[:14]:>16}" for name in SHOWN)
          + "   card less this, 95 %")  # fmt: skip
    for name, probability in found.items():
        row = figures(y, probability)
        text = f"{name:22}" + "".join(f"{row[key]:16.4f}" for key in SHOWN)
        if name != "card":
            difference = paired_bootstrap(y, found["card"], probability, group)
            text += "   {:+.4f} ({:+.4f} .. {:+.4f})".format(*difference)
        print(text, flush=True)


def logistic(X: pd.DataFrame, y: np.ndarray, folds: list, late: pd.DataFrame, *, ranks: bool = False) -> np.ndarray:
    """Penalty chosen by the folds; missing = median and a flag; ranks: normal scores instead of values."""

    def model(strength: float):
        texts = [c for c in X if X[c].dtype == object]
        scaler = QuantileTransformer(output_distribution="normal", random_state=0) if ranks else StandardScaler()
        numeric = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), scaler)
        return make_pipeline(
            make_column_transformer(
                (numeric, [c for c in X if c not in texts]),
                (make_pipeline(SimpleImputer(strategy="most_frequent"),
                               OneHotEncoder(handle_unknown="ignore")), texts),
            ),
            LogisticRegression(C=strength, max_iter=2000),
        )  # fmt: skip

    strengths = (0.001, 0.01, 0.1, 1.0, 10.0)
    best = min(strengths, key=lambda s: np.mean([
        log_loss(y[b], model(s).fit(X.iloc[a], y[a]).predict_proba(X.iloc[b])[:, 1]) for a, b in folds
    ]))  # fmt: skip
    return model(best).fit(X, y).predict_proba(late)[:, 1]


def boosted(X: pd.DataFrame, y: np.ndarray, folds: list, late: pd.DataFrame, *, seed: int) -> np.ndarray:
    """LightGBM, free to use any interaction: TRIALS drawn settings, rounds by the folds, one final fit."""
    levels = {c: pd.CategoricalDtype(sorted(X[c].dropna().unique())) for c in X if X[c].dtype == object}
    X, late = X.astype(levels), late.astype(levels)
    best: tuple[float, dict, int] | None = None
    for settings in drawn_settings(seed):
        out_of_fold, rounds = np.zeros(len(y)), []
        for a, b in folds:
            fitted = lightgbm.Dataset(X.iloc[a], y[a])
            model = lightgbm.train(
                settings, fitted, 3000, valid_sets=[lightgbm.Dataset(X.iloc[b], y[b], reference=fitted)],
                callbacks=[lightgbm.early_stopping(50, verbose=False)],
            )  # fmt: skip
            out_of_fold[b], rounds = model.predict(X.iloc[b]), [*rounds, model.best_iteration]
        loss = log_loss(y, out_of_fold)
        if best is None or loss < best[0]:
            best = (loss, settings, int(np.mean(rounds) * FOLDS / (FOLDS - 1)))
            print(f"  LightGBM: out of fold {loss:.5f}, auc {auc(y, out_of_fold):.4f}", file=sys.stderr)
    return lightgbm.train(best[1], lightgbm.Dataset(X, y), best[2]).predict(late)


def drawn_settings(seed: int):
    rng = np.random.default_rng(seed)
    for _ in range(TRIALS):
        yield {
            "objective": "binary", "learning_rate": 0.04, "num_threads": 1, "deterministic": True,
            "force_row_wise": True, "verbose": -1, "seed": seed, "bagging_freq": 1,
            "num_leaves": int(rng.integers(3, 33)),
            "min_data_in_leaf": int(10 ** rng.uniform(1, 2.5)),
            "lambda_l2": float(10 ** rng.uniform(-1, 2)),
            "feature_fraction": float(rng.uniform(0.3, 1.0)),
            "bagging_fraction": float(rng.uniform(0.5, 1.0)),
        }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
