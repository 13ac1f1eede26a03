"""What two policies make of the same requests: counts, money, swaps, rules, segments and a curve over the cut-off.

Pure, over columns; requests come batch by batch, and only sums are kept. Of an approved request, a year's
expected loss   = amount x annual probability of default x loss given default, in whole units, and
expected profit = amount x (annual rate - cost of funds) x (1 - annual probability of default) - expected loss,
before the costs of staff. Amount and rate are those that the policy offers.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.policies.columns import Assessments, Column, Decided
from apps.policies.engine import APPROVE, BASIS_POINTS, NOT_ASSESSED, OUTCOMES, SEVERITY
from apps.policies.policy import Policy
from apps.scoring_engine.ml.learning.calibration_tests import wilson

SIDES = ("current", "candidate")
MEASURES = ("approved", "amount", "expected_loss", "expected_profit", "expected_bads", "risk_not_known")
SWAPPED = ("number", "amount", "expected_loss")
MOST_VALUES = 1_000  # of a column that segments are told by
SCORE_STEP, PROBABILITY_STEP = 5, 0.005
MOST_SCORE = 1_200
DIGITS = 6
UNKNOWN = "(not known)"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """A column of few values: names by their place, and the place of each request's."""

    names: list[str]
    places: Column


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests of one currency as a policy is asked about them. groups: by the name of a segment's column."""

    columns: dict[str, Column]
    assessments: Assessments
    groups: dict[str, Group]

    def __len__(self) -> int:
        return len(self.assessments.score)

    @property
    def barred(self) -> Column:
        return (self.assessments.bar != "") | np.isnan(self.assessments.score)

    def bars(self) -> Counter[str]:
        """How many have which first bar."""
        names, counts = np.unique(self.assessments.bar[self.assessments.bar != ""], return_counts=True)
        unassessed = Counter({NOT_ASSESSED: int(np.isnan(self.assessments.score).sum())})
        return +(Counter(dict(zip(names.tolist(), counts.tolist(), strict=True))) + unassessed)

    def only(self, chosen: Column) -> "Batch":
        return Batch(
            {name: column[chosen] for name, column in self.columns.items()},
            Assessments(**{name: getattr(self.assessments, name)[chosen] for name in Assessments.__slots__}),
            {name: Group(group.names, group.places[chosen]) for name, group in self.groups.items()},
        )

    def without_bars(self) -> "Batch":
        return replace(self, assessments=replace(self.assessments, bar=np.full(len(self), "")))


class Tally:
    """Sums over batches. `current` and `candidate` speak of one currency."""

    def __init__(self, policies: Mapping[str, Policy], cost_of_funds: float) -> None:
        self.policies, self.cost_of_funds = policies, cost_of_funds
        self.rows = 0
        self.outcomes = {side: np.zeros((2, len(OUTCOMES)), np.int64) for side in SIDES}
        self.totals = {side: np.zeros(len(MEASURES)) for side in SIDES}
        self.stops = {side: (Counter[str](), Counter[str]()) for side in SIDES}  # first reason, any
        self.swaps = np.zeros((len(OUTCOMES) ** 2, 1 + 2 * (len(SWAPPED) - 1)))
        self.segments: dict[str, dict[str, np.ndarray]] = {}
        self.curve = Curve(policies) if policies["candidate"].bands else None

    def add(self, batch: Batch, decided: Mapping[str, Decided]) -> None:
        self.rows += len(batch)
        measured = {}
        for side in SIDES:
            found = decided[side]
            measured[side] = measures(found, found.outcome == SEVERITY[APPROVE], self.cost_of_funds)
            self.totals[side] += measured[side].sum(axis=1)
            for place, column in enumerate((found.policy_outcome, found.outcome)):
                self.outcomes[side][place] += np.bincount(column, minlength=len(OUTCOMES))
            self._count_stops(side, batch, found)
        self._add_swaps(decided)
        self._add_segments(batch, measured)
        if self.curve is not None:
            self.curve.add(batch, decided["candidate"], self.cost_of_funds)

    def _count_stops(self, side: str, batch: Batch, found: Decided) -> None:
        """Of bars only the first of a request is known."""
        first, every = self.stops[side]
        first.update(found.first_reason.tolist())
        every.update({code: int(np.count_nonzero(asked)) for code, asked in found.asked.items()})
        every.update({f"bar:{name}": number for name, number in batch.bars().items()})

    def _add_swaps(self, decided: Mapping[str, Decided]) -> None:
        key = decided["current"].outcome.astype(np.int64) * len(OUTCOMES) + decided["candidate"].outcome
        weights = [None, *(getattr(decided[side], name) for name in SWAPPED[1:] for side in SIDES)]
        self.swaps += np.stack([_summed(key, weight, len(self.swaps)) for weight in weights], axis=1)

    def _add_segments(self, batch: Batch, measured: Mapping[str, np.ndarray]) -> None:
        for column, group in batch.groups.items():
            places, count = group.places, len(group.names)
            sums = [_summed(places, None, count)]
            sums += [_summed(places, one, count) for side in SIDES for one in measured[side]]
            kept = self.segments.setdefault(column, {})
            for name, found in zip(group.names, np.stack(sums, axis=1), strict=True):
                if found[0]:
                    kept[name] = kept.get(name, 0) + found

    def figures(self) -> Document:
        """Plain and rounded: the same requests give the same figures. Raises ValueError where there are none."""
        if not self.rows:
            raise ValueError("no requests, no figures")
        return {
            "outcomes": {side: self._outcomes(side) for side in SIDES},
            "approved": {side: told(self.totals[side], self.rows) for side in SIDES},
            "swaps": self._swaps(),
            "rules": {side: self._rules(side) for side in SIDES},
            "segments": {column: self._segment(column) for column in self.segments},
            "curve": self.curve and self.curve.figures(self.rows),
        }

    def _outcomes(self, side: str) -> Document:
        """By the rules alone, and after the bars of the assessments turned some into refer."""
        return {
            when: {
                name: {"number": int(number), "share": _rounded(number / self.rows)}
                for name, number in zip(OUTCOMES, counts, strict=True)
            }
            for when, counts in zip(("before_bars", "after_bars"), self.outcomes[side], strict=True)
        }

    def _swaps(self) -> list[Document]:
        return [
            {
                "current": OUTCOMES[place // len(OUTCOMES)],
                "candidate": OUTCOMES[place % len(OUTCOMES)],
                "number": int(found[0]),
                "amount": _both(found[1:3]),
                "expected_loss": _both(found[3:5]),
            }
            for place, found in enumerate(self.swaps)
        ]

    def _rules(self, side: str) -> list[Document]:
        first, every = self.stops[side]
        kinds = {rule.code: rule.kind for rule in self.policies[side].rules}
        rows = [
            {
                "code": code,
                "kind": kinds.get(code, _kind(self.policies[side], code)),
                "first": first[code],
                "any": number,
            }
            for code, number in every.items()
            if number
        ]
        return sorted(rows, key=lambda row: (-row["first"], -row["any"], row["code"]))

    def _segment(self, column: str) -> list[Document]:
        """One a value, the most numerous first."""
        width = len(MEASURES)
        rows = [
            {
                "value": name,
                "number": int(found[0]),
                "current": told(found[1 : 1 + width], found[0]),
                "candidate": told(found[1 + width :], found[0]),
            }
            for name, found in self.segments[column].items()
        ]
        return sorted(rows, key=lambda row: (-row["number"], row["value"]))


class Curve:
    """The candidate with one cut-off in place of its bands, and all other rules as they are.

    On a score a request is approved from the cut-off on, on a probability below it, unless another rule or a bar stops
    it. The cut-offs of today are among those tried.
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        policy = policies["candidate"]
        self.on: str = policy.cut_offs_on
        self.bands = {band.code for band in policy.bands} | {"cut_off_gap"}
        self.today = [one for side in SIDES if policies[side].cut_offs_on == self.on for one in _edges(side, policies)]
        self.cut_offs = np.array(sorted({*_steps(self.on), *(one["cut_off"] for one in self.today)}))
        self.sums = np.zeros((len(MEASURES), len(self.cut_offs) + 1))
        self.seen = np.zeros(len(self.cut_offs) + 1, np.int64)

    def add(self, batch: Batch, found: Decided, cost_of_funds: float) -> None:
        value = batch.assessments.score if self.on == "score" else found.annual_probability_of_default
        others = [asked for code, asked in found.asked.items() if code not in self.bands]
        free = ~batch.barred & ~np.isnan(value)
        for asked in others:
            free &= asked == SEVERITY[APPROVE]
        known = ~np.isnan(value)
        # How many of the cut-offs are at or below the value.
        places = np.searchsorted(self.cut_offs, value[known], side="right")
        self.seen += np.bincount(places, minlength=len(self.seen))
        measured = measures(found, free, cost_of_funds)[:, known]
        self.sums += np.stack([_summed(places, one, len(self.seen)) for one in measured])

    def figures(self, rows: int) -> Document:
        """From a cut-off on one side of all values to one on the other."""
        if self.on == "score":
            totals = np.cumsum(self.sums[:, ::-1], axis=1)[:, ::-1][:, 1:]
        else:
            totals = np.cumsum(self.sums, axis=1)[:, :-1]
        filled = np.flatnonzero(self.seen)
        first, last = (max(filled[0] - 1, 0), filled[-1]) if len(filled) else (0, 0)
        marked = {one["cut_off"] for one in self.today}
        points = [
            {"cut_off": _rounded(cut_off)} | told(totals[:, place], rows)
            for place, cut_off in enumerate(self.cut_offs)
            if first <= place <= last or cut_off in marked
        ]
        return {"on": self.on, "points": points, "today": self.today}


def measures(found: Decided, chosen: Column, cost_of_funds: float) -> np.ndarray:
    """MEASURES x requests, 0 where not chosen. risk_not_known: chosen, and counted in no loss and no profit."""
    annual, loss = found.annual_probability_of_default, found.expected_loss
    profit = found.amount * (found.annual_rate_basis_points / BASIS_POINTS - cost_of_funds) * (1 - annual) - loss
    known = chosen & ~np.isnan(profit)
    amount = np.where(chosen & ~np.isnan(found.amount), found.amount, 0.0)
    of_known = [np.where(known, one, 0.0) for one in (loss, profit, annual)]
    return np.stack([chosen, amount, *of_known, chosen & ~known])


def told(sums: np.ndarray, rows: float) -> Document:
    """The measures in plain words, with what follows from them: `rows` is how many there were in all."""
    approved, amount, loss, profit, bads, unknown = sums
    lower, upper = wilson(approved, rows)
    return {
        "number": int(approved),
        "approval_rate": _rounded(approved / rows),
        "approval_rate_interval": [_rounded(lower), _rounded(upper)],
        "amount": round(amount),
        "expected_loss": round(loss),
        "expected_profit": round(profit),
        "expected_bad_rate": _rounded(bads / (approved - unknown)) if approved > unknown else None,
        "risk_not_known": int(unknown),
    }


def _summed(places: Column, weights: Column | None, count: int) -> np.ndarray:
    """Of each place; what is not known adds nothing."""
    if weights is None:
        return np.bincount(places, minlength=count).astype(float)
    return np.bincount(places, np.where(np.isnan(weights), 0.0, weights), count)


def _edges(side: str, policies: Mapping[str, Policy]) -> list[Document]:
    """Where one band ends and the next begins, with what lies on either side."""
    bands = policies[side].bands
    starts = sorted(band.start for band in bands if band.start is not None)
    above = {band.start: band.outcome for band in bands}
    below = {band.below: band.outcome for band in bands}
    return [
        {"policy": side, "cut_off": start, "below": below.get(start, "refer"), "from": above[start]} for start in starts
    ]


def _steps(on: str) -> list[float]:
    if on == "score":
        return [float(score) for score in range(0, MOST_SCORE + SCORE_STEP + 1, SCORE_STEP)]
    count = round(1 / PROBABILITY_STEP)
    return [step / count for step in range(count + 1)]


def _kind(policy: Policy, code: str) -> str:
    if code.startswith("bar:"):
        return "bar"
    if code == "grade_unknown" or code in {cap.code for cap in policy.caps}:
        return "cap"
    return "price" if code.startswith("price_") else "cut_off"


def _both(sums: np.ndarray) -> Document:
    return {side: round(value) for side, value in zip(SIDES, sums, strict=True)}


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
