"""Log-odds, and the two small fits of outcomes to them that calibration needs.

weight: how often a row counts (see tallies.py). Both fits take a few passes over the rows.
"""

import numpy as np
from scipy.special import expit

SMALLEST_PROBABILITY = 1e-15
NO_FINITE_INTERCEPT = 60.0
MOST_STEPS = 100


def log_odds(probability: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)), p kept 1e-15 away from 0 and 1."""
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(p) - np.log1p(-p)


def sigmoid(value: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-value))."""
    return expit(value)


def fit_intercept(offset: np.ndarray, is_bad: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """The constant a with sum sigmoid(offset + a) = number of bads, to 1e-10.

    It is the intercept of greatest likelihood. -60 without a bad and 60 without a good, where none is finite.
    Newton's method inside a bracket (Press et al., Numerical Recipes, section 9.4, "rtsafe"): with all
    offsets at their largest or at their least, a would be logit(bad rate) less that offset.
    """
    target, total = _bads_and_rows(is_bad, weight)
    if not 0 < target < total:
        return NO_FINITE_INTERCEPT if target > 0 else -NO_FINITE_INTERCEPT
    level = float(np.log(target) - np.log(total - target))
    low, high = level - float(np.max(offset)), level - float(np.min(offset))
    found = level - float(np.mean(offset))
    for _ in range(MOST_STEPS):
        p = expit(offset + found)
        gap, steepness = target - _sum(p, weight), _sum(p * (1 - p), weight)
        low, high = (found, high) if gap > 0 else (low, found)
        nearer = found + gap / steepness if steepness > 0 else np.inf
        nearer = nearer if low <= nearer <= high else (low + high) / 2
        found, step = nearer, abs(nearer - found)
        if step < 1e-7:  # Newton squares the error: what is left is below 1e-13
            break
    return found


def fit_logistic(
    x: np.ndarray, is_bad: np.ndarray, offset: float | np.ndarray = 0.0, *, weight: np.ndarray | None = None
) -> tuple[float, float]:
    """(intercept, slope) of greatest likelihood of outcome on x beside a fixed offset, by Newton's method.

    (McCullagh and Nelder, Generalized Linear Models, section 4.4.) With x the same in all rows the slope is 0.
    If x splits bads from goods without overlap there is no greatest likelihood: the slope is then large and
    means only that; the fit stops once hardly anything is left to gain.
    """
    y, x = np.asarray(is_bad, dtype=float), np.asarray(x, dtype=float)
    offset = np.broadcast_to(np.asarray(offset, dtype=float), y.shape)
    start = fit_intercept(offset, is_bad, weight=weight)
    _, total = _bads_and_rows(is_bad, weight)
    centre = _sum(x, weight) / total if total else 0.0
    spread = float(np.sqrt(_sum((x - centre) ** 2, weight) / total)) if total else 0.0
    if spread <= 1e-12 * max(abs(centre), 1e-300) or abs(start) == NO_FINITE_INTERCEPT:
        return start, 0.0
    found = _climbed((x - centre) / spread, y, offset, weight, np.array([start, 0.0]), 1e-15 * total)
    return float(found[0] - found[1] * centre / spread), float(found[1] / spread)


def _climbed(
    z: np.ndarray, y: np.ndarray, offset: np.ndarray, weight: np.ndarray | None, found: np.ndarray, nothing: float
) -> np.ndarray:
    """Newton's steps on standardised z until one gains nothing; one that overshoots by half is halved."""
    step, rise = np.zeros(2), 0.0
    for _ in range(MOST_STEPS):
        gradient, hessian = _derivatives(found, z, y, offset, weight)
        if gradient @ step < -rise / 2:
            step, rise = step / 2, rise / 2
            found = found - step
            continue
        if np.linalg.det(hessian) <= 1e-14 * hessian[0, 0] * hessian[1, 1]:
            break
        step = np.linalg.solve(hessian, gradient)
        rise = float(gradient @ step)
        found = found + step
        if rise < nothing:
            break
    return found


def _derivatives(
    found: np.ndarray, z: np.ndarray, y: np.ndarray, offset: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the log-likelihood, and its second derivatives with the sign turned."""
    p = expit(offset + found[0] + found[1] * z)
    rest, spread = y - p, p * (1 - p)
    if weight is not None:
        rest, spread = rest * weight, spread * weight
    cross = spread @ z
    return np.array([rest.sum(), rest @ z]), np.array([[spread.sum(), cross], [cross, spread @ (z * z)]])


def _bads_and_rows(is_bad: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    bad = np.asarray(is_bad, dtype=bool)
    if weight is None:
        return float(np.count_nonzero(bad)), float(len(bad))
    return float(np.sum(weight, where=bad)), float(np.sum(weight))


def _sum(number: np.ndarray, weight: np.ndarray | None) -> float:
    return float(number.sum() if weight is None else number @ weight)
