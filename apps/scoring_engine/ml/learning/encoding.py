"""Fine bins of each feature: where a card may cut, decided before anything is learnt.

Cuts are readable numbers to begin with: of all numbers near a quantile (or between two neighbouring
values) the one with the fewest digits is taken, so nothing has to be rounded after learning.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .recipe import CharacteristicRule
from .rows import KNOWN, SPECIAL, Rows

MOST_FINE_BINS = 64
MOST_LEVELS = 30  # a category with more levels is wide: its levels are ordered by out-of-fold bad rates
FEW_LEVELS = 12  # and so is one with more than this many where a level has fewer than ROWS_A_LEVEL rows
ROWS_A_LEVEL = 2000
FOLDS = 8
SLACK = 0.25  # how far, in fine bins, a cut may lie from its quantile
SHRINKAGE = 20.0  # rows of the base rate added to each level when levels are ordered
DIRECTIONS = {"higher_is_riskier": 1, "higher_is_safer": -1, "free": 0}


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of a feature: by ascending `edges` (bin i: edges[i-1] <= value < edges[i]) or by `groups`."""

    edges: tuple[float, ...] | None
    groups: tuple[tuple[str | bool, ...], ...] | None = None

    @property
    def count(self) -> int:
        return len(self.groups) if self.edges is None else len(self.edges) + 1

    def merged(self, starts: Sequence[int]) -> "Bins":
        """Wider bins: each begins at one of `starts` (the first is 0)."""
        if self.edges is not None:
            return Bins(tuple(self.edges[start - 1] for start in starts[1:]))
        ends = [*starts[1:], self.count]
        spans = zip(starts, ends, strict=True)
        return Bins(None, tuple(tuple(sorted(sum(self.groups[a:b], ()))) for a, b in spans))

    def reordered(self, order: Sequence[int]) -> "Bins":
        """Groups in another order; edges cannot be."""
        return Bins(None, tuple(self.groups[place] for place in order))


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature as it is learnt on.

    codes: 0..bins.count-1 for a value, then one code for each of `states` (those that occur, ascending).
    learnt_on: the codes that boosting sees, which differ from `codes` for a wide category (out of fold).
    direction: 1 = the risk rises with the bin, -1 = falls, 0 = free.
    """

    name: str
    bins: Bins
    states: tuple[int, ...]
    direction: int
    codes: np.ndarray
    learnt_on: np.ndarray

    @property
    def places(self) -> int:
        """Number of codes, states included."""
        return self.bins.count + len(self.states)

    @property
    def has_special(self) -> bool:
        return any(state >= SPECIAL for state in self.states)


def encode(rows: Rows, rules: Sequence[CharacteristicRule], seed: int) -> tuple[Feature, ...]:
    """The features of all rules, from the training rows."""
    rows = replace(rows, weight=rows.weight / rows.weight.mean())
    fold = _folds(rows.group, seed)
    return tuple(_encoded(rows, rule, fold) for rule in rules)


def _folds(group: np.ndarray, seed: int) -> np.ndarray:
    """The fold of each row; rows of one group share it, or they would tell of each other."""
    groups, place = np.unique(group, return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(groups)) % FOLDS)[place]


def _encoded(rows: Rows, rule: CharacteristicRule, fold: np.ndarray) -> Feature:
    name, state = rule.feature, rows.states[rule.feature]
    states = tuple(int(s) for s in np.unique(state[state != KNOWN]))
    known, values = rows.known(name), rows.values[name]
    codes = np.zeros(len(rows), dtype=np.int32)
    if values.dtype == object:
        bins, codes[known], out_of_fold = _levels(values[known], rows.is_bad[known], rows.weight[known], fold[known])
    else:
        bins = fine_bins(values[known])
        codes[known] = np.searchsorted(np.asarray(bins.edges), values[known], side="right")
        out_of_fold = codes[known]
    learnt_on = codes.copy()
    learnt_on[known] = out_of_fold
    for place, each in enumerate(states):
        codes[state == each] = learnt_on[state == each] = bins.count + place
    return Feature(name, bins, states, DIRECTIONS[rule.direction], codes, learnt_on)


def fine_bins(values: np.ndarray) -> Bins:
    """The finest bins of a numeric feature, from its known training values."""
    known = np.sort(values)
    return Bins(tuple(sorted({readable(low, high) for low, high in _windows(known)})))


def readable(low: float, high: float) -> float:
    """The number in (low, high] with the fewest digits: readable(0.3371, 0.3624) is 0.35."""
    if low < 0 <= high:
        return 0.0
    power = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    while True:
        for multiple in (5, 2, 1):
            step = multiple * 10.0**power
            candidate = round((math.floor(low / step) + 1) * step, max(0, -power))
            if low < candidate <= high:
                return candidate
        power -= 1
        if power < -15:
            return high


def _windows(known: np.ndarray) -> list[tuple[float, float]]:
    """Pairs (low, high] of values, from the sorted known ones; any cut inside a pair would serve."""
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) <= MOST_FINE_BINS:
        return list(zip(distinct[:-1].tolist(), distinct[1:].tolist(), strict=True))
    steps = np.arange(1, MOST_FINE_BINS)
    lows = np.quantile(known, (steps - SLACK) / MOST_FINE_BINS, method="lower")
    highs = np.quantile(known, (steps + SLACK) / MOST_FINE_BINS, method="lower")
    windows = [(float(a), float(b)) for a, b in zip(lows, highs, strict=True) if a < b]
    return windows + _around(known, distinct[counts >= len(known) / MOST_FINE_BINS])


def _around(known: np.ndarray, heavy: np.ndarray) -> list[tuple[float, float]]:
    """Pairs on both sides of each value that is a fine bin by itself, so that it can stand alone."""
    slack = int(SLACK * len(known) / MOST_FINE_BINS)
    first, past = np.searchsorted(known, heavy, "left"), np.searchsorted(known, heavy, "right")
    pairs = []
    for place, value in enumerate(heavy.tolist()):
        if first[place] > 0:
            least = heavy[place - 1] if place else -np.inf
            pairs.append((max(float(known[max(first[place] - 1 - slack, 0)]), float(least)), value))
        if past[place] < len(known):
            most = heavy[place + 1] if place + 1 < len(heavy) else np.inf
            pairs.append((value, min(float(known[min(past[place] + slack, len(known) - 1)]), float(most))))
    return pairs


# Categories


def _levels(
    values: np.ndarray, is_bad: np.ndarray, weight: np.ndarray, fold: np.ndarray
) -> tuple[Bins, np.ndarray, np.ndarray]:
    """Bins of levels, the code of each row, and its code out of fold.

    Few levels: a bin each, by ascending bad rate shrunk to the base rate by SHRINKAGE rows. A wide category:
    levels of nearly the same shrunk rate share a bin, and boosting sees each row's level at the rate that
    the other folds give it, so that a rare level cannot be learnt by heart.
    """
    number, levels = pd.factorize(values, sort=True)
    count = len(levels)
    mass, bads = _sums(number, is_bad, weight, count)
    if not _is_wide(mass):
        order = np.argsort(_rate(mass, bads, SHRINKAGE), kind="stable")
        codes = np.argsort(order)[number]
        return Bins(None, tuple((levels[k],) for k in order)), codes, codes
    strength = _strength(mass, bads)
    rate = _rate(mass, bads, strength)
    cuts = _rate_cuts(rate[number])
    code_of_level = np.searchsorted(cuts, rate, side="right")
    order = np.unique(code_of_level)  # bins without a level are left out
    code_of_level = np.searchsorted(order, code_of_level)
    groups = tuple(tuple(levels[code_of_level == place]) for place in range(len(order)))
    out = np.zeros(len(number), dtype=int)
    for k in range(FOLDS):
        rest = fold != k
        other = _rate(*_sums(number[rest], is_bad[rest], weight[rest], count), strength)
        out[fold == k] = np.searchsorted(cuts, other[number[fold == k]], side="right")
    return Bins(None, groups), code_of_level[number], np.minimum(np.searchsorted(order, out), len(order) - 1)


def _is_wide(mass: np.ndarray) -> bool:
    return len(mass) > MOST_LEVELS or (len(mass) > FEW_LEVELS and mass.sum() / len(mass) < ROWS_A_LEVEL)


def _sums(number: np.ndarray, is_bad: np.ndarray, weight: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.bincount(number, weight, count), np.bincount(number, weight * is_bad, count)


def _rate(mass: np.ndarray, bads: np.ndarray, strength: float) -> np.ndarray:
    base = bads.sum() / mass.sum()
    return (bads + strength * base) / (mass + strength)


def _strength(mass: np.ndarray, bads: np.ndarray) -> float:
    """Rows of the base rate to add to a level: base variance over the variance between levels (moments).

    Empirical Bayes for a beta-binomial, by the method of moments (Kleinman, 1973), kept within 5..1000.
    """
    base = bads.sum() / mass.sum()
    spread = (mass * (bads / np.maximum(mass, 1e-9) - base) ** 2).sum()
    expected = (len(mass) - 1) * base * (1 - base)
    between = (spread - expected) / max(mass.sum() - (mass**2).sum() / mass.sum(), 1e-9)
    return float(np.clip(base * (1 - base) / max(between, 1e-9), 5.0, 1000.0))


def _rate_cuts(rates: np.ndarray) -> np.ndarray:
    """Cuts between shrunk rates into at most MOST_FINE_BINS bins of nearly equal numbers of rows."""
    distinct = np.unique(rates)
    if len(distinct) <= MOST_FINE_BINS:
        return (distinct[1:] + distinct[:-1]) / 2
    return np.unique(np.quantile(rates, np.arange(1, MOST_FINE_BINS) / MOST_FINE_BINS))
