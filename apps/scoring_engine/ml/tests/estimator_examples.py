"""Classifiers fitted on the same small table, as a lender would save them, and what their manifest says."""

import datetime as dt
import io
import warnings
from typing import Any

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

AS_OF = dt.date(2026, 3, 2)
NUMBERS = ["yearly_income", "employment_years", "amount_to_income"]
PURPOSES = ["car", "education", "medical"]
REFERENCE = {"yearly_income": 50_000, "employment_years": 5, "amount_to_income": 0.4}
APPLICANT = {"yearly_income": 30_000, "employment_years": 1.5, "requested_amount": 24_000}
ROW = [30_000.0, 1.5, 0.8]


def table(rows: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(7)
    income = rng.integers(10_000, 120_000, rows).astype(float)
    years = rng.integers(0, 30, rows).astype(float)
    ratio = rng.uniform(0.05, 2, rows)
    bad = rng.uniform(size=rows) < 1 / (1 + np.exp(income / 30_000 + years / 10 - 2 * ratio - 0.5))
    facts = pd.DataFrame({"yearly_income": income, "employment_years": years, "amount_to_income": ratio})
    facts["purpose"] = rng.choice(PURPOSES, rows)
    return facts, bad.astype(int)


def linear_pipeline() -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = [("numbers", numbers, NUMBERS), ("purpose", OneHotEncoder(handle_unknown="ignore"), ["purpose"])]
    return make_pipeline(ColumnTransformer(columns), LogisticRegression())


KINDS = {
    "logistic": lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    "forest": lambda: RandomForestClassifier(20, max_depth=4, random_state=1, n_jobs=2),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=20, random_state=1),
    "boosting": lambda: make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=20, random_state=1)),
    "lightgbm": lambda: LGBMClassifier(n_estimators=20, verbose=-1, random_state=1),
    "calibrated": lambda: CalibratedClassifierCV(
        LGBMClassifier(n_estimators=10, verbose=-1, random_state=1), method="isotonic", cv=2
    ),
}
METHODS = {
    "logistic": "coefficients", "forest": "shapley", "histograms": "shapley", "boosting": "shapley",
    "lightgbm": "lightgbm", "calibrated": "shapley", "with_categories": "coefficients",
}  # fmt: skip


def fitted(kind: str) -> Any:
    facts, bad = table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "with_categories":
            return linear_pipeline().fit(facts, bad)
        return KINDS[kind]().fit(facts[NUMBERS] if kind != "forest" else facts[NUMBERS].to_numpy(), bad)


def saved(model: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file, **options)
    return file.getvalue()


def manifest(kind: str = "logistic", **changes: Any) -> dict[str, Any]:
    stated = {
        "version": f"lender/{kind}-1.0.0",
        "segment": "individual",
        "purpose": "own",
        "definition_of_bad": "90 days past due within 12 months",
        "horizon": {"kind": "fixed", "months": 12},
        "inputs": ["yearly_income", "employment_years", "requested_amount"],
        "features": [
            {
                "name": "amount_to_income",
                "kind": "ratio",
                "of": ["requested_amount", "yearly_income"],
                "least": 0,
                "most": 20,
            }
        ],
        "columns": list(NUMBERS),
        "reference": dict(REFERENCE),
    }
    if kind == "with_categories":
        stated["inputs"].append("purpose")
        stated["columns"].append("purpose")
        stated["reference"]["purpose"] = "car"
    return stated | changes
