"""Features of many rows at once, by the same declarations and formulas as ml/features.py."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

DAYS_OF_YEAR = 365.25


def derive(facts: pd.DataFrame, features: Sequence[dict], as_of: np.ndarray | None) -> pd.DataFrame:
    """Facts and the declared features; NaN, None or NaT where there is no value.

    features: as in a card. as_of: datetime64[D] of each row, needed by years_between only.
    """
    values = {name: facts[name].to_numpy() for name in facts.columns}
    with np.errstate(all="ignore"):
        for feature in features:
            values[feature["name"]] = _feature(feature, values, as_of)
    return pd.DataFrame(values)


def _feature(feature: dict, values: dict[str, np.ndarray], as_of: np.ndarray | None) -> np.ndarray:
    first, second = feature["of"]
    if feature["kind"] == "years_between":
        start = values[first].astype("datetime64[D]")
        elapsed = (as_of - start).astype(float)
        return np.where(np.isnat(start), np.nan, np.maximum(0.0, elapsed / DAYS_OF_YEAR))
    if feature["kind"] == "difference":
        return values[first] - values[second]
    return _ratio(values[first], values[second], feature)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, feature: dict) -> np.ndarray:
    over_zero = np.where(numerator > 0, feature["most"], np.where(numerator < 0, feature["least"], 0.0))
    value = np.where(denominator == 0, over_zero, numerator / denominator * feature.get("multiplier", 1))
    value = np.clip(value, feature["least"], feature["most"])
    return np.where(np.isnan(numerator) | np.isnan(denominator), np.nan, value)
