"""Fine bins of each feature: where a card may cut, decided before anything is learnt.

Cuts are readable numbers to begin with: of all numbers near a quantile (or between two neighbouring
values) the one with the fewest digits is taken, so nothing has to be rounded after learning.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_FINE_BINS = 64
MOST_LEVELS = 30
SLACK = 0.25  # how far, in fine bins, a cut may lie from its quantile
SHRINKAGE = 20.0  # rows of the base rate added to each level when levels are ordered


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of a feature: by ascending `edges` (bin i: edges[i-1] <= value < edges[i]) or by `groups`."""

    edges: tuple[float, ...] | None
    groups: tuple[tuple[str, ...], ...] | None = None

    @property
    def count(self) -> int:
        return len(self.groups) if self.edges is None else len(self.edges) + 1

    def codes(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value; `count` for missing, `count` + 1 for a category that no group holds."""
        if self.edges is None:
            place = {value: code for code, group in enumerate(self.groups) for value in group}
            codes = pd.Series(values, dtype=object).map(place)
            codes = codes.fillna(self.count + 1).to_numpy(dtype=int)
            return np.where(pd.isna(values), self.count, codes)
        found = np.searchsorted(np.asarray(self.edges), values, side="right")
        return np.where(np.isnan(values), self.count, found)

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


def fine_bins(values: np.ndarray, is_bad: np.ndarray) -> Bins:
    """The finest bins that a feature is learnt on, from the training rows."""
    if values.dtype == object:
        return Bins(None, _ordered_levels(values, is_bad))
    known = np.sort(values[~np.isnan(values)])
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


def _ordered_levels(values: np.ndarray, is_bad: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """Levels by ascending bad rate, each shrunk to the base rate by as many rows as SHRINKAGE says."""
    known = ~pd.isna(values)
    table = pd.DataFrame({"level": values[known], "bad": is_bad[known]}).groupby("level")["bad"]
    rate = (table.sum() + SHRINKAGE * is_bad.mean()) / (table.count() + SHRINKAGE)
    return tuple((str(level),) for level in rate.sort_values(kind="stable").index)
