"""Figures of a model on labelled rows: pure functions of probabilities or scores and outcomes.

is_bad: booleans or 0/1, 1 = bad. risk: any number that is higher for riskier rows. weight: how often a row
counts (bootstrap multiplicities); one each if left out.
"""

from collections.abc import Callable

import numpy as np

SMALLEST_PROBABILITY = 1e-15


def auc(is_bad: np.ndarray, risk: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve: P(risk of a bad > risk of a good), ties count half (Mann-Whitney)."""
    return area(*_ranked(is_bad, risk), weight)


def area(bad: np.ndarray, ends: np.ndarray, order: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The AUC from what _ranked gives, so that a bootstrap sorts only once."""
    weight = np.ones(len(order)) if weight is None else weight[order]
    bads = np.diff(np.concatenate([[0.0], np.cumsum(weight * bad)[ends]]))
    goods = np.diff(np.concatenate([[0.0], np.cumsum(weight * ~bad)[ends]]))
    below = np.cumsum(goods) - goods
    return float((bads * (below + goods / 2)).sum() / (bads.sum() * goods.sum()))


def _ranked(is_bad: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bad in ascending risk, last place of each run of equal risks, the order itself)."""
    order = np.argsort(risk, kind="stable")
    ascending = np.asarray(risk)[order]
    ends = np.flatnonzero(np.append(ascending[1:] != ascending[:-1], True))
    return np.asarray(is_bad, dtype=bool)[order], ends, order


def ks(is_bad: np.ndarray, risk: np.ndarray) -> float:
    """Kolmogorov-Smirnov: the largest distance of the score distributions of bads and goods."""
    bad, ends, _ = _ranked(is_bad, risk)
    bads, goods = np.cumsum(bad)[ends], np.cumsum(~bad)[ends]
    return float(np.abs(bads / bads[-1] - goods / goods[-1]).max())


def brier(is_bad: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared distance of probability and outcome (Brier, 1950)."""
    return float(np.mean((np.asarray(probability) - np.asarray(is_bad, dtype=float)) ** 2))


def log_loss(is_bad: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative log-likelihood of the outcomes."""
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return float(-np.mean(np.where(np.asarray(is_bad, dtype=bool), np.log(p), np.log1p(-p))))


def log_odds(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(p) - np.log1p(-p)


def sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -500, 500)))


def calibration_slope(is_bad: np.ndarray, probability: np.ndarray) -> float:
    """Slope of outcome on log-odds (Cox, 1958): 1 is right, below 1 the model is too sure of itself."""
    return fit_logistic(log_odds(probability), is_bad)[1]


def calibration_intercept(is_bad: np.ndarray, probability: np.ndarray) -> float:
    """Calibration in the large: the log-odds to add, at slope 1, for expected to meet observed.

    Above 0 the model expects too few bads. (Steyerberg, Clinical Prediction Models, ch. 15.)
    """
    return fit_intercept(log_odds(probability), is_bad)


def fit_logistic(x: np.ndarray, is_bad: np.ndarray, offset: float | np.ndarray = 0.0) -> tuple[float, float]:
    """(intercept, slope) of greatest likelihood of outcome on x beside a fixed offset, by Newton's method."""
    y = np.asarray(is_bad, dtype=float)
    design = np.column_stack([np.ones(len(y)), x])
    beta = np.array([_logit_of_mean(y), 0.0])
    for _ in range(100):
        p = sigmoid(design @ beta + offset)
        hessian = design.T @ (design * (p * (1 - p))[:, None])
        step = np.linalg.lstsq(hessian, design.T @ (y - p), rcond=None)[0]
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1])


def fit_intercept(offset: np.ndarray, is_bad: np.ndarray) -> float:
    """The constant to add to the log-odds `offset` for the expected number of bads to be the observed."""
    target = float(np.sum(np.asarray(is_bad, dtype=float)))
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(offset + middle).sum() < target else (low, middle)
    return (low + high) / 2


def _logit_of_mean(y: np.ndarray) -> float:
    return float(log_odds(np.array([(y.sum() + 0.5) / (len(y) + 1)]))[0])


def figures(is_bad: np.ndarray, probability: np.ndarray) -> dict[str, float | int]:
    """All figures of one set of rows, rounded for print."""
    is_bad = np.asarray(is_bad, dtype=bool)
    area_ = auc(is_bad, probability)
    found = {
        "auc": area_,
        "gini": 2 * area_ - 1,
        "ks": ks(is_bad, probability),
        "brier": brier(is_bad, probability),
        "calibration_slope": calibration_slope(is_bad, probability),
        "calibration_intercept": calibration_intercept(is_bad, probability),
        "observed_to_expected": float(is_bad.sum() / np.sum(probability)),
        "bad_rate": float(is_bad.mean()),
    }
    return {**{name: round(value, 6) for name, value in found.items()},
            "rows": len(is_bad), "bads": int(is_bad.sum())}  # fmt: skip


def paired_bootstrap(
    is_bad: np.ndarray, first: np.ndarray, second: np.ndarray, group: np.ndarray, *, draws: int = 2000,
    seed: int = 1, on_draw: Callable[[], None] = lambda: None,
) -> tuple[float, float, float]:  # fmt: skip
    """(difference, lower and upper 95 % bound) of AUC first - second, drawing whole groups (percentile)."""
    ranked = [_ranked(is_bad, first), _ranked(is_bad, second)]
    _, members = np.unique(group, return_inverse=True)
    rng = np.random.default_rng(seed)
    count = int(members.max()) + 1
    found = []
    for _ in range(draws):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)[members].astype(float)
        found.append(area(*ranked[0], weight) - area(*ranked[1], weight))
        on_draw()
    lower, upper = np.nanpercentile(found, [2.5, 97.5])
    return area(*ranked[0]) - area(*ranked[1]), float(lower), float(upper)
