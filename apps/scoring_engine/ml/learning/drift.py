"""Whether a population has moved: shares of rows by bin, then and now."""

import numpy as np

from .metrics import information_value

AMBER, RED = 0.1, 0.25


def population_stability_index(expected_counts: np.ndarray, actual_counts: np.ndarray) -> float:
    """PSI = sum over bins of (a - e) ln(a / e), a and e the shares of actual and expected counts; 0 = alike.

    Siddiqi, Credit Risk Scorecards. Counts (weighted ones too) of the same bins. A bin that one side lacks
    counts half a row more on both; a bin that both lack adds nothing. nan if a side has no rows. By chance
    alone it is about (bins - 1)(1/n + 1/m) for n and m rows, so a small side looks unstable.
    Example, by hand: 50, 30, 20 of 100 against 40, 30, 30 of 100 give 0.1 ln 1.25 + 0.1 ln 1.5 = 0.0629.
    """
    return information_value(expected_counts, actual_counts)


def stability_light(psi: float) -> str:
    """green below 0.1, amber below 0.25, red from there (Siddiqi's rule); amber if there is no PSI (nan)."""
    if np.isnan(psi):
        return "amber"
    return "green" if psi < AMBER else "amber" if psi < RED else "red"
