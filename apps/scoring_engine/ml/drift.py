"""Whether a population has moved: shares of rows by bin, then and now."""

import math

import numpy as np

AMBER, RED = 0.1, 0.25


def population_stability_index(expected_counts: np.ndarray, actual_counts: np.ndarray) -> float:
    """PSI = sum over bins of (a - e) ln(a / e), a and e the shares of actual and expected counts; 0 = alike.

    Siddiqi, Credit Risk Scorecards. Counts (weighted ones too) of the same bins. A bin that one side lacks
    counts half a row more on both; a bin that both lack adds nothing. nan if a side has no rows. By chance
    alone it is about (bins - 1)(1/n + 1/m) for n and m rows, so a small side looks unstable.
    Example, by hand: 50, 30, 20 of 100 against 40, 30, 30 of 100 give 0.1 ln 1.25 + 0.1 ln 1.5 = 0.0629.
    """
    actual, expected = two_shares(actual_counts, expected_counts)
    return float((actual - expected) @ np.log(actual / expected)) if len(actual) else math.nan


def stability_light(psi: float) -> str:
    """green below 0.1, amber below 0.25, red from there (Siddiqi's rule); amber if there is no PSI (nan)."""
    if np.isnan(psi):
        return "amber"
    return "green" if psi < AMBER else "amber" if psi < RED else "red"


def two_shares(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of two counts by bin, neither 0; both 1 in a bin that neither has; nan if a side has no rows."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"There are counts of {first.shape} and of {second.shape} bins.")
    if not (np.isfinite(first) & np.isfinite(second) & (first >= 0) & (second >= 0)).all():
        raise ValueError("A count is below zero or not finite.")
    if not (first.any() and second.any()):
        return np.full(len(first), math.nan), np.full(len(first), math.nan)
    more = np.where((first == 0) ^ (second == 0), 0.5, 0.0)
    empty = (first == 0) & (second == 0)
    return tuple(np.where(empty, 1.0, (each + more) / each.sum()) for each in (first, second))
