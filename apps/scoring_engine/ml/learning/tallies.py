"""Rows counted by distinct value, on which figures of ranking and of calibration rest.

weight: how often a row counts, 0 or more, whole or not; None: once each. A whole weight is the same as the
row repeated so many times.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Tally:
    """Weighted bads and goods at each distinct value, values ascending; values that nobody has are left out."""

    values: np.ndarray
    bads: np.ndarray
    goods: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        return self.bads + self.goods


def tally(is_bad: np.ndarray, number: np.ndarray, weight: np.ndarray | None = None) -> Tally:
    bad, number, weight = checked(is_bad, number, weight)
    values, place = np.unique(number, return_inverse=True)
    goods, bads = np.bincount(2 * place + bad, weight, 2 * len(values)).astype(float).reshape(-1, 2).T
    used = bads + goods > 0
    return Tally(values[used], bads[used], goods[used])


def checked(
    is_bad: np.ndarray, number: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Outcomes as booleans, numbers, and weights as floats, all of one length; ValueError if they are not that."""
    outcome, number = np.asarray(is_bad), np.asarray(number)
    if outcome.ndim != 1 or outcome.shape != number.shape:
        raise ValueError(f"There are outcomes of shape {outcome.shape} and figures of shape {number.shape}.")
    if outcome.dtype != bool and not np.isin(outcome, (0, 1)).all():
        raise ValueError("An outcome is neither 0 nor 1.")
    if number.dtype.kind not in "biuf":
        number = number.astype(float)
    if np.isnan(number).any():
        raise ValueError(f"Row {int(np.isnan(number).argmax())} has no figure (NaN).")
    return outcome.astype(bool), number, None if weight is None else checked_weight(weight, len(outcome))


def checked_weight(weight: np.ndarray, rows: int) -> np.ndarray:
    weight = np.asarray(weight, dtype=float)
    if weight.shape != (rows,):
        raise ValueError(f"There are weights of shape {weight.shape} for {rows} rows.")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("A weight is below zero or not finite.")
    return weight


def checked_probability(
    is_bad: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    bad, probability, weight = checked(is_bad, probability, weight)
    if ((probability < 0) | (probability > 1)).any():
        raise ValueError("A probability lies outside 0 to 1.")
    return bad, probability.astype(float, copy=False), weight
