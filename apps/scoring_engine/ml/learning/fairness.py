"""Whether groups of people fare alike: approval, approval of those who prove good, calibration.

group: any labels, one a row; groups come back in the order of their names. weight: how often a row counts
(see tallies.py). A figure is `enough` only if both it and what it is compared with have at least 30 rows, and
at least 5 of either kind would be expected if all groups were alike (Cochran's rule, Biometrics 10, 1954);
otherwise report "insufficient evidence".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .calibration_tests import NORMAL_95, wilson
from .tallies import checked, checked_probability

LEAST_ROWS, LEAST_EXPECTED = 30, 5


@dataclass(frozen=True, slots=True)
class Impact:
    """Share of a group that is selected, its ratio to the reference group's, and the ratio's 95 % interval."""

    group: str
    rows: float
    rate: float
    ratio: float
    lower: float
    upper: float
    enough: bool


@dataclass(frozen=True, slots=True)
class GroupCalibration:
    """Expected and observed bad rate of a group; ratio = observed / expected with its 95 % interval."""

    group: str
    rows: float
    bads: float
    expected: float
    observed: float
    ratio: float
    lower: float
    upper: float
    enough: bool


def adverse_impact(
    selected: np.ndarray, group: np.ndarray, reference: str, *, weight: np.ndarray | None = None
) -> list[Impact]:
    """Selection rate of each group over that of the reference group, which has 1.

    Below 0.8 is the four-fifths rule of the Uniform Guidelines on Employee Selection Procedures (29 CFR
    1607.4 D, 1978). Interval by logarithms (Katz and others, Biometrics 34, 1978); with nobody or everybody of
    a group selected, both groups get half a row more selected and half a row more not, for the interval.
    ratio is nan if nobody of the reference group is selected, and all but rows where a group has no weight.
    """
    chosen, _, times = checked(selected, np.zeros(len(selected)), weight)
    counts = {name: (rows, taken) for name, _, rows, taken in _counted(group, times, chosen)}
    if str(reference) not in counts:
        raise ValueError(f"Nobody is in the reference group {reference}.")
    total, taken = (sum(side) for side in zip(*counts.values(), strict=True))
    enough = {name: _is_enough(rows, taken / total if total else 0.0) for name, (rows, _) in counts.items()}
    with_it = enough[str(reference)]
    return [
        Impact(name, _plain(own[0], weight), own[1] / own[0] if own[0] else math.nan,
               *_ratio(own, counts[str(reference)], name == str(reference)), enough[name] and with_it)
        for name, own in counts.items()
    ]  # fmt: skip


def equal_opportunity(
    selected: np.ndarray, is_bad: np.ndarray, group: np.ndarray, reference: str, *, weight: np.ndarray | None = None
) -> list[Impact]:
    """adverse_impact among the goods alone: do those who will repay have the same chance?

    Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning, NIPS 2016. Groups without a good
    are left out; so is everything ([]) if the reference group has none.
    """
    bad, chosen, times = checked(is_bad, np.asarray(selected, dtype=bool), weight)
    good, group = ~bad, np.asarray(group)
    if not (group[good].astype(str) == str(reference)).any():
        return []
    return adverse_impact(chosen[good], group[good], reference, weight=None if times is None else times[good])


def calibration_by_group(
    is_bad: np.ndarray, probability: np.ndarray, group: np.ndarray, *, weight: np.ndarray | None = None
) -> list[GroupCalibration]:
    """Expected and observed bad rate of each group, and observed / expected (interval: Wilson's of observed).

    nan where a group has no weight or nothing is expected.
    """
    bad, p, times = checked_probability(is_bad, probability, weight)
    found = []
    for name, members, rows, bads in _counted(group, times, bad):
        expected = float(
            p[members].mean() if times is None else p[members] @ times[members] / rows if rows else math.nan
        )
        ends = [bads / rows if rows else math.nan, *wilson(bads, rows)]
        ratios = [end / expected if expected > 0 else math.nan for end in ends]
        found.append(GroupCalibration(name, _plain(rows, weight), _plain(bads, weight), expected, ends[0], *ratios,
                                      _is_enough(rows, expected)))  # fmt: skip
    return found


def _counted(
    group: np.ndarray, times: np.ndarray | None, counted: np.ndarray
) -> Iterator[tuple[str, np.ndarray, float, float]]:
    """(name, its rows, their weight, the weight of those counted) of each group."""
    if len(group) != len(counted):
        raise ValueError(f"There are {len(group)} groups for {len(counted)} rows.")
    names, place = np.unique(np.asarray(group).astype(str), return_inverse=True)
    for k, name in enumerate(names.tolist()):
        members = place == k
        own = np.ones(members.sum()) if times is None else times[members]
        yield name, members, float(own.sum()), float(own @ counted[members])


def _ratio(own: tuple[float, float], other: tuple[float, float], same: bool) -> tuple[float, float, float]:
    (rows, taken), (their_rows, their_taken) = own, other
    if not (rows and their_taken):
        return math.nan, math.nan, math.nan
    ratio = (taken / rows) / (their_taken / their_rows)
    if same:
        return ratio, ratio, ratio
    if taken in (0, rows) or their_taken == their_rows:
        rows, taken, their_rows, their_taken = rows + 1, taken + 0.5, their_rows + 1, their_taken + 0.5
    middle = math.log(taken / rows) - math.log(their_taken / their_rows)
    half = NORMAL_95 * math.sqrt(1 / taken - 1 / rows + 1 / their_taken - 1 / their_rows)
    # The half rows move the middle too: the interval always holds the ratio that is reported.
    return ratio, min(math.exp(middle - half), ratio), max(math.exp(middle + half), ratio)


def _is_enough(rows: float, share: float) -> bool:
    return rows >= LEAST_ROWS and min(rows * share, rows * (1 - share)) >= LEAST_EXPECTED


def _plain(count: float, weight: np.ndarray | None) -> float:
    return int(count) if weight is None else count
