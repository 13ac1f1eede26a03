"""What would change the outcome: the smallest changes of what the applicant can act on, found on the points table.

With all else as it is, a score is piecewise constant in each fact. Of each piece only the value nearest to today's can
be the smallest change, and the edges of the pieces are found by halving whole numbers until both ends of a span fall
into the same bins. That is exact where every derived feature is monotone in the fact: each is, between changes of sign
of its denominator, when the fact enters it once. A fact that enters one twice is left alone, and facts that enter one
feature together are not changed together; `Changes.not_searched` names them.

The size of a change of one fact is |new - old| / old, of several the sum. Of equal sizes the higher score wins, then
the smaller value; the list goes by size, number of facts, and the order of ACTIONABLE. A change of several facts is
told only where it is smaller than any of a part of them.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise, product
from math import prod
from typing import Any

from .cards import AS_OF
from .features import Derivations
from .scorecard import Scorecard
from .vocabulary import FACTS

MOST_PRODUCTS = 20_000  # cells of facts that share a grid, looked at one by one
Facts = Mapping[str, Any]
Signature = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """A fact that the applicant can act on. not_below: a fact that it cannot be less than."""

    fact: str
    direction: str  # lower | either
    not_below: str | None = None


# Never age, never history: only what is asked for, and what is owed now.
ACTIONABLE = (
    Action("requested_amount", "lower"),
    Action("term_months", "either"),
    Action("existing_debt", "lower"),
    Action("monthly_debt_payments", "lower"),
    Action("tax_debt", "lower"),
    Action("liabilities", "lower", not_below="current_liabilities"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """values: of the facts that change, in the order of ACTIONABLE; score: as scored again with them."""

    values: dict[str, int]
    size: Fraction
    score: int


@dataclass(frozen=True, slots=True)
class Changes:
    """found: smallest first; best_score: the best that any change searched reaches, today's score included."""

    found: list[Change]
    movable: tuple[str, ...]
    best_score: int
    not_searched: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Option:
    values: dict[str, int]
    size: Fraction
    gain: int


def find_changes(
    card: Scorecard, facts: Facts, target: int, *, as_of: dt.date, unavailable: frozenset[str] = frozenset()
) -> Changes:
    """`facts` as check_facts passed them. Nothing is found when the score reaches `target` as it is."""
    search = _Search(card, facts, as_of, unavailable)
    needed = target - search.score
    smallest: dict[tuple[str, ...], _Option] = {}
    best, not_searched = 0, []
    for size in range(1, len(search.movable) + 1):
        for names in combinations(search.movable, size):
            front = search.front(names)
            if front is None:
                not_searched.append(names)
                continue
            best = max(best, front[-1].gain)
            enough = next((option for option in front if option.gain >= needed), None)
            if enough is not None and enough.size > 0 and not _is_beaten(enough, names, smallest):
                smallest[names] = enough
    found = [search.change(option) for option in sorted(smallest.values(), key=lambda option: option.size)]
    return Changes(found, search.movable, search.score + best, _widest_needed(not_searched))


def _is_beaten(option: _Option, names: tuple[str, ...], smallest: Mapping[tuple[str, ...], _Option]) -> bool:
    return any(set(part) < set(names) and other.size <= option.size for part, other in smallest.items())


def _widest_needed(not_searched: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Where a and b are not changed together, a, b and c are not either: that is not worth saying."""
    return [names for names in not_searched if not any(set(other) < set(names) for other in not_searched)]


class _Search:
    """The changes of one applicant's facts on one card."""

    def __init__(self, card: Scorecard, facts: Facts, as_of: dt.date, unavailable: frozenset[str]) -> None:
        self._card, self._facts, self._as_of, self._unavailable = card, facts, as_of, unavailable
        self._derivations = Derivations(card.inputs, card.features)
        self._denominators = [feature.of[1] for feature in card.features if feature.kind == "ratio"]
        self._tables = _facts_of_tables(card)
        self.score = self._score({})
        self.movable = tuple(action.fact for action in ACTIONABLE if self._is_movable(action))
        self._fronts: dict[tuple[str, ...], list[_Option] | None] = {}
        self._options = {action.fact: self._options_of(action) for action in ACTIONABLE if action.fact in self.movable}

    def front(self, names: Sequence[str]) -> list[_Option] | None:
        """The changes of these facts that no smaller one equals, smallest first; None if they cannot be searched."""
        if any(sum(fact in names for fact in feature) > 1 for table in self._tables for feature in table):
            return None
        front = [_Option({}, Fraction(0), 0)]
        for group in self._groups(names):
            options = self._front_of_group(tuple(group))
            if options is None:
                return None
            front = _pruned(_together(one, other) for one in front for other in options)
        return front

    def change(self, option: _Option) -> Change:
        values = {name: value for name, value in option.values.items() if value != self._facts[name]}
        return Change(values, option.size, self._score(values))

    def _score(self, values: Mapping[str, int]) -> int:
        facts = {**self._facts, **values}
        return self._card.score(facts, as_of=self._as_of, unavailable=self._unavailable).score

    def _is_movable(self, action: Action) -> bool:
        """Known, a number and no special code, and used by the card in a way that can be searched."""
        value = self._facts.get(action.fact)
        counts = [feature[action.fact] for table in self._tables for feature in table if action.fact in feature]
        return type(value) is int and value not in self._codes(action.fact) and bool(counts) and max(counts) == 1

    def _codes(self, fact: str) -> set[float]:
        return {code for entry in self._card.inputs if entry.name == fact for code in entry.code_values()}

    def _options_of(self, action: Action) -> list[_Option]:
        """One option a piece, with the value nearest to today's."""
        now, known = self._facts[action.fact], FACTS[self._card.segment][action.fact]
        least = max(known.least, self._facts.get(action.not_below) or known.least)
        values = [high for _, high in self._pieces(action.fact, min(least, now), now)]
        if action.direction == "either":
            values += [low for low, _ in self._pieces(action.fact, now, known.most)]
        return [self._option({action.fact: value}) for value in sorted({*values, now})]

    def _option(self, values: dict[str, int]) -> _Option:
        size = sum((_size(self._facts[name], value) for name, value in values.items()), Fraction(0))
        return _Option(values, size, self._score(values) - self.score)

    def _pieces(self, fact: str, low: int, high: int) -> list[tuple[int, int]]:
        """Spans of values, special codes left out, in each of which the applicant falls into the same bins."""
        seen: dict[int, Signature] = {}

        def signature(value: int) -> Signature:
            if value not in seen:
                seen[value] = self._signature(fact, value)
            return seen[value]

        codes = sorted({int(code) for code in self._codes(fact) if low <= code <= high and code == int(code)})
        ends = [low - 1, *codes, high + 1]
        spans = [(before + 1, after - 1) for before, after in pairwise(ends) if before + 1 < after]
        return [piece for span in spans for piece in _halved(signature, *span)]

    def _signature(self, fact: str, value: int) -> Signature:
        """The bins, and the signs of denominators: between two changes of sign every ratio is monotone."""
        facts = {**self._facts, fact: value}
        bins = self._card.score(facts, as_of=self._as_of, unavailable=self._unavailable).bins
        values, _ = self._derivations.derive(facts, self._as_of, self._unavailable)
        return (*bins.values(), *(_sign(values.get(name)) for name in self._denominators))

    def _groups(self, names: Sequence[str]) -> list[list[str]]:
        """Facts whose points do not add up, because a grid sees them together, in one group."""
        groups: list[list[str]] = []
        for name in names:
            tied = [group for group in groups if any(self._share_a_table(name, other) for other in group)]
            groups = [group for group in groups if group not in tied] + [[*(n for group in tied for n in group), name]]
        return groups

    def _share_a_table(self, one: str, other: str) -> bool:
        return any({one, other} <= {fact for feature in table for fact in feature} for table in self._tables)

    def _front_of_group(self, group: tuple[str, ...]) -> list[_Option] | None:
        if group not in self._fronts:
            options = self._options_together(group)
            self._fronts[group] = None if options is None else _pruned(options)
        return self._fronts[group]

    def _options_together(self, group: Sequence[str]) -> Iterable[_Option] | None:
        choices = [self._options[name] for name in group]
        if len(group) == 1:
            return choices[0]
        if prod(map(len, choices)) > MOST_PRODUCTS:
            return None
        values = [[option.values[name] for option in options] for name, options in zip(group, choices, strict=True)]
        return (self._option(dict(zip(group, chosen, strict=True))) for chosen in product(*values))


def _facts_of_tables(card: Scorecard) -> list[list[Counter[str]]]:
    """Of each characteristic and pair, of each of its features: how often each fact enters it."""
    features = {feature.name: feature for feature in card.features}

    def facts_of(name: str) -> Counter[str]:
        if name not in features:
            return Counter((name,))
        return sum((facts_of(part) for part in features[name].of if part != AS_OF), Counter())

    singles = [[facts_of(c.feature)] for c in card.characteristics]
    return singles + [[facts_of(name) for name in pair.features] for pair in card.pairs]


def _halved(signature: Callable[[int], Signature], low: int, high: int) -> list[tuple[int, int]]:
    if signature(low) == signature(high):
        return [(low, high)]
    middle = (low + high) // 2
    *before, (first, end) = _halved(signature, low, middle)
    (start, last), *after = _halved(signature, middle + 1, high)
    # A piece that the middle fell into is one piece.
    seam = [(first, last)] if signature(end) == signature(start) else [(first, end), (start, last)]
    return [*before, *seam, *after]


def _size(now: int, value: int) -> Fraction:
    return Fraction(abs(value - now), now) if value != now else Fraction(0)


def _together(one: _Option, other: _Option) -> _Option:
    return _Option({**one.values, **other.values}, one.size + other.size, one.gain + other.gain)


def _pruned(options: Iterable[_Option]) -> list[_Option]:
    """Smallest first, each with more gain than all before it."""
    kept: list[_Option] = []
    for option in sorted(options, key=lambda option: (option.size, -option.gain, tuple(option.values.values()))):
        if not kept or option.gain > kept[-1].gain:
            kept.append(option)
    return kept


def _sign(value: float | None) -> int:
    return 0 if value is None else (value > 0) - (value < 0)
