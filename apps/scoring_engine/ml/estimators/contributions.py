"""How much each feature adds to the log-odds of bad, exactly: they add up to those of the applicant less a reference.

lightgbm      LightGBM's own (TreeSHAP, pred_contrib); the reference is the mean prediction in training
coefficients  of a linear model, coefficient x (encoded value - that of the reference applicant), by feature
shapley       Shapley values of setting features from the reference applicant's to the applicant's, over all subsets
in_order      the features set one after the other, in the order of the columns; exact in sum, but of this order
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TOLD = {
    "lightgbm": "impacts are LightGBM's own contributions (TreeSHAP), against its mean prediction in training",
    "coefficients": "impacts are coefficients times the difference from the reference applicant",
    "shapley": "impacts are exact Shapley values over all subsets of features, against the reference applicant",
    "in_order": "impacts are of features changed one after the other, in the order of the columns, from the reference"
    " applicant: they add up exactly, but another order would divide them otherwise",
}
# Which of the features are the applicant's, one bool each, for several mixtures with the reference: their log-odds.
Mixture = Sequence[Sequence[bool]]
LogOdds = Callable[[Mixture], "np.ndarray"]


def by_coefficients(count: int, log_odds: LogOdds) -> list[float]:
    """Exact where features add up: each alone, set against the reference."""
    own = log_odds([[place == number for place in range(count)] for number in range(count)] + [[False] * count])
    return [float(value - own[-1]) for value in own[:-1]]


def in_order(count: int, log_odds: LogOdds) -> list[float]:
    steps = log_odds([[place < number for place in range(count)] for number in range(count + 1)])
    return [float(after - before) for before, after in pairwise(steps)]


def by_shapley(count: int, log_odds: LogOdds) -> list[float]:
    """sum over subsets S without i of |S|! (n - |S| - 1)! / n! * (v(S + i) - v(S)); 2^count predictions."""
    subsets = range(2**count)
    values = log_odds([[bool(subset >> place & 1) for place in range(count)] for subset in subsets])
    weights = [1 / (count * math.comb(count - 1, size)) for size in range(count)]
    return [
        math.fsum(
            weights[subset.bit_count()] * float(values[subset | 1 << place] - values[subset])
            for subset in subsets
            if not subset >> place & 1
        )
        for place in range(count)
    ]


def whole_impacts(parts: Sequence[float], names: Sequence[str], total: int) -> list[int]:
    """`parts` as whole numbers that add up to `total`: rounded down, what is left to the largest remainders.

    Equal remainders go by name. Parts that add up to something else (a score kept within the scale) are first made
    smaller or larger in proportion.
    """
    added = math.fsum(parts)
    if abs(added - total) >= 1 and added:
        parts = [part * (total / added) for part in parts]
    floors = [math.floor(part) for part in parts]
    each, left = divmod(total - sum(floors), len(parts))
    order = sorted(range(len(parts)), key=lambda place: (floors[place] - parts[place], names[place]))
    extra = set(order[:left])
    return [floor + each + (place in extra) for place, floor in enumerate(floors)]
