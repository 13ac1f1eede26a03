"""The figures of two models side by side, from a few numbers an application. Nothing here reads or writes.

Expected loss = sum of amount x probability of default x loss given default over the accepted applications.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, fsum, sqrt
from typing import Any

from apps.scoring_engine.ml.cards import MOST_SCORE
from apps.scoring_engine.ml.grades import GRADES, GRADES_VERSION

SIDES = ("first", "second")
SWAPS = ("in_in", "in_out", "out_in", "out_out")
SEGMENTS = ("product", "branch", "purpose")
BAND = 25  # points
DIGITS = 6
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assessed:
    score: int
    probability_of_default: float
    grade: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One application as both models see it; amount in whole units of `currency`."""

    first: Assessed
    second: Assessed
    amount: int
    currency: str
    product: str
    branch: str
    purpose: str


def all_figures(compared: Sequence[Compared], cut_off: int, loss_given_default: float) -> Document:
    """Everything that the applications say, plain and rounded: the same applications give the same figures."""
    matching = matching_cut_off(compared, cut_off)
    return {
        "scores": score_figures(compared),
        "same_cut_off": figures_at(compared, cut_off, cut_off, loss_given_default),
        "same_approval_rate": figures_at(compared, cut_off, matching, loss_given_default),
        "segments": {name: segment_figures(compared, name, cut_off) for name in SEGMENTS},
        "grades": {"version": GRADES_VERSION, "moves": grade_moves(compared)},
        "outcomes": {"known": 0},
    }


def score_figures(compared: Sequence[Compared]) -> Document:
    first, second = ([getattr(one, side).score for one in compared] for side in SIDES)
    return {
        "first": _spread(first),
        "second": _spread(second),
        "bands": _bands(first, second),
        "pearson": _rounded(pearson(first, second)),
        "spearman": _rounded(pearson(ranks(first), ranks(second))),
        "equal": sum(a == b for a, b in zip(first, second, strict=True)),
        "mean_distance": _rounded(_mean([abs(a - b) for a, b in zip(first, second, strict=True)])),
    }


def deciles(scores: Sequence[int]) -> list[int]:
    """The least score, the nine between, the most: each the smallest with at least its share at or below it."""
    ordered = sorted(scores)
    return [ordered[max(ceil(tenth * len(ordered) / 10) - 1, 0)] for tenth in range(11)]


def ranks(values: Sequence[float]) -> list[float]:
    """1 for the least; equal values share the mean of their ranks."""
    places = sorted(range(len(values)), key=values.__getitem__)
    found, start = [0.0] * len(values), 0
    for _, group in groupby(places, key=values.__getitem__):
        members = list(group)
        for place in members:
            found[place] = start + (len(members) + 1) / 2
        start += len(members)
    return found


def pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    """None where one of the two never varies."""
    middle, other = fsum(first) / len(first), fsum(second) / len(second)
    spread = fsum((a - middle) ** 2 for a in first) * fsum((b - other) ** 2 for b in second)
    shared = fsum((a - middle) * (b - other) for a, b in zip(first, second, strict=True))
    return shared / sqrt(spread) if spread > 0 else None


def matching_cut_off(compared: Sequence[Compared], cut_off: int) -> int:
    """The second model's cut-off whose number of approvals is nearest to the first's; of two as near, the higher."""
    wanted = sum(one.first.score >= cut_off for one in compared)
    ordered = sorted(one.second.score for one in compared)
    nobody = min(ordered[-1] + 1, MOST_SCORE + 1)
    candidates = sorted({*ordered, nobody}, reverse=True)
    return min(candidates, key=lambda score: abs(len(ordered) - bisect_left(ordered, score) - wanted))


def figures_at(compared: Sequence[Compared], first: int, second: int, loss_given_default: float) -> Document:
    """Approval, swap sets and expected loss with a cut-off of each; a score at the cut-off is accepted."""
    accepted = {
        "first": [one for one in compared if one.first.score >= first],
        "second": [one for one in compared if one.second.score >= second],
    }
    return {
        "cut_off": {"first": first, "second": second},
        "approved": {side: len(accepted[side]) for side in SIDES},
        "approval_rate": {side: _rounded(len(accepted[side]) / len(compared)) for side in SIDES},
        "swaps": _swaps(compared, first, second),
        "expected_loss": {side: expected_loss(accepted[side], loss_given_default) for side in SIDES},
    }


def expected_loss(accepted: Sequence[Compared], loss_given_default: float) -> list[Document]:
    """By currency: what was accepted, and its expected loss by the probabilities of each of the two models."""
    by_currency = _grouped(accepted, lambda one: one.currency)
    return [
        {
            "currency": currency,
            "number": len(members),
            "amount": sum(one.amount for one in members),
            **{f"by_{side}": _expected_loss(members, side, loss_given_default) for side in SIDES},
        }
        for currency, members in by_currency
    ]


def segment_figures(compared: Sequence[Compared], name: str, cut_off: int) -> list[Document]:
    """One a value, the most numerous first."""
    found = [_segment(value, members, cut_off) for value, members in _grouped(compared, lambda one: getattr(one, name))]
    return sorted(found, key=lambda one: (-one["number"], one["value"]))


def grade_moves(compared: Sequence[Compared]) -> Document:
    """moves[grade by the first][grade by the second] = number of applications."""
    counts = Counter((one.first.grade, one.second.grade) for one in compared)
    letters = [letter for letter, _ in GRADES]
    return {of_first: {of_second: counts[of_first, of_second] for of_second in letters} for of_first in letters}


def _segment(value: str, members: Sequence[Compared], cut_off: int) -> Document:
    number, counts = len(members), Counter(_swap(one, cut_off, cut_off) for one in members)
    return {
        "value": value,
        "number": number,
        "approval_rate": {
            "first": _rounded((counts["in_in"] + counts["in_out"]) / number),
            "second": _rounded((counts["in_in"] + counts["out_in"]) / number),
        },
        "in_out": counts["in_out"],
        "out_in": counts["out_in"],
        "disagreement": _rounded((counts["in_out"] + counts["out_in"]) / number),
        "mean_score": {side: _rounded(_mean([getattr(one, side).score for one in members])) for side in SIDES},
        "mean_probability_of_default": _mean_probabilities(members),
    }


def _swaps(compared: Sequence[Compared], first: int, second: int) -> Document:
    found = dict(_grouped(compared, lambda one: _swap(one, first, second)))
    return {name: _swap_set(found.get(name, [])) for name in SWAPS}


def _swap(one: Compared, first: int, second: int) -> str:
    """in_out: the first model accepts what the second turns away."""
    return f"{_in(one.first.score >= first)}_{_in(one.second.score >= second)}"


def _in(accepted: bool) -> str:
    return "in" if accepted else "out"


def _swap_set(members: Sequence[Compared]) -> Document:
    amounts = {currency: sum(one.amount for one in same) for currency, same in _grouped(members, lambda o: o.currency)}
    return {
        "number": len(members),
        "amounts": amounts,
        "mean_probability_of_default": _mean_probabilities(members),
    }


def _mean_probabilities(members: Sequence[Compared]) -> Document:
    return {side: _rounded(_mean([getattr(one, side).probability_of_default for one in members])) for side in SIDES}


def _expected_loss(members: Sequence[Compared], side: str, loss_given_default: float) -> float:
    losses = (one.amount * getattr(one, side).probability_of_default * loss_given_default for one in members)
    return round(fsum(losses), 2)


def _grouped(members: Sequence[Compared], key: Callable[[Compared], str]) -> list[tuple[str, list[Compared]]]:
    groups: dict[str, list[Compared]] = defaultdict(list)
    for one in members:
        groups[key(one)].append(one)
    return sorted(groups.items())


def _spread(scores: Sequence[int]) -> Document:
    return {"deciles": deciles(scores), "mean": _rounded(_mean(scores))}


def _bands(first: Sequence[int], second: Sequence[int]) -> list[Document]:
    """How many scores of each model lie in [from, from + BAND), with no band left out between."""
    counts = [Counter(score // BAND for score in scores) for scores in (first, second)]
    places = range(min(map(min, counts)), max(map(max, counts)) + 1)
    return [{"from": place * BAND, "first": counts[0][place], "second": counts[1][place]} for place in places]


def _mean(values: Sequence[float]) -> float | None:
    return fsum(values) / len(values) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
