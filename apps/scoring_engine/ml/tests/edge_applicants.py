"""Random applicants drawn towards what goes wrong: edges and the doubles beside them, zeros, denormals, special codes,
categories never seen, missing facts and sources that were down.
"""

import datetime as dt
import math
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from apps.scoring_engine.ml.card_inputs import Input, own_fact
from apps.scoring_engine.ml.cards import AS_OF as AS_OF_NAME
from apps.scoring_engine.ml.cards import Feature, read_card
from apps.scoring_engine.ml.features import DAYS_OF_YEAR
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FACTS, SCALE_BOUNDS, SCALES, FactsError, check_facts

AS_OF = dt.date(2024, 1, 1)
Applicant = tuple[dict[str, Any], frozenset[str]]  # facts that passed the check, and what was unavailable
TINY = (5e-324, -5e-324, 1e-310, -1e-310, 2.3e-308, 1e-200, -0.0, 0.0)
UNSEEN = ("It's", "кредит ", "back\\\\slash", "zzz", "'; --")


class EdgeApplicants:
    """Applicants of one card; the same seed draws the same ones."""

    def __init__(self, scorer: Scorecard, seed: int, *, absent: float = 0.1) -> None:
        """`absent`: the chance of each fact to be left out."""
        self._absent = absent
        self._scorer = scorer
        self._card = read_card(scorer.to_dict())
        self._random = random.Random(seed)
        self._inputs = {entry.name: entry for entry in self._card.inputs}
        self._edges: dict[str, list[float]] = {}
        for table in (*self._card.characteristics, *(axis for pair in self._card.pairs for axis in pair.axes)):
            self._edges.setdefault(table.feature, []).extend(table.edges or ())

    def take(self, count: int) -> list[Applicant]:
        return list(islice(self._drawn(), count))

    def _drawn(self) -> Iterator[Applicant]:
        while True:
            facts = {name: self._value(entry) for name, entry in self._inputs.items()}
            if "credit_history_score" in facts:
                facts["credit_history_scale"] = self._random.choice([*SCALES, *["fico_300_850"] * 5, None])
            for feature in self._random.sample(self._card.features, len(self._card.features)):
                if self._random.random() < 0.7:
                    self._aim(feature, facts)
            facts = {name: value for name, value in facts.items() if self._random.random() > self._absent}
            facts, unavailable = self._allowed(facts), self._unavailable(facts)
            yield facts, unavailable

    def _unavailable(self, facts: dict[str, Any]) -> frozenset[str]:
        chance = self._random.choice([0, 0, 0.2])
        return frozenset(name for name in (*self._inputs, *facts) if self._random.random() < chance)

    def _allowed(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The facts without those that the check refuses."""
        try:
            return check_facts(self._card.segment, facts, as_of=AS_OF, own=self._scorer.own)
        except FactsError as error:
            refused = {each.field for each in error.errors}
            return self._allowed({name: value for name, value in facts.items() if name not in refused})

    def _value(self, entry: Input) -> Any:
        fact = FACTS[self._card.segment].get(entry.name) or own_fact(entry)
        if fact.kind == "flag":
            return self._random.random() < 0.5
        if fact.kind == "category":
            own = entry.name not in FACTS[self._card.segment]
            return self._random.choice([*fact.values, *(UNSEEN if own else ())])
        if fact.kind == "date":
            return AS_OF - dt.timedelta(days=self._random.choice([0, 1, 365, 366, 730, self._random.randrange(20_000)]))
        return self._number(entry)

    def _number(self, entry: Input) -> int | float:
        draw = self._random
        codes = list(entry.code_values())
        near = [n for edge in self._edges.get(entry.name, ()) for n in _beside(edge)]
        spread = [draw.uniform(entry.least, min(entry.most, 10 ** draw.randrange(1, 10))), entry.least, entry.most]
        bounds = SCALE_BOUNDS["fico_300_850"] if entry.scale else ()
        small = [*TINY, draw.random(), draw.randrange(100), 10.0 ** draw.randrange(-3, 9)]
        value = draw.choice([draw.choice(group) for group in (codes, near, spread, bounds, small) if group])
        return self._as_kind(entry, value)

    def _as_kind(self, entry: Input, value: float) -> int | float:
        """Money and counts are whole; a number may be whole or not."""
        if entry.kind != "number":
            return self._random.choice([math.floor, math.ceil])(value)
        return int(value) if float(value).is_integer() and self._random.random() < 0.3 else float(value)

    def _aim(self, feature: Feature, facts: dict[str, Any]) -> None:
        """Moves the first part of a feature so that the feature comes to lie at one of its edges."""
        first, last = feature.of[0], feature.of[-1]
        edges = [*self._edges.get(feature.name, ()), float(feature.least), float(feature.most)]
        edge, entry = self._random.choice(edges), self._inputs.get(first)
        if entry is None or (last != AS_OF_NAME and type(facts.get(last)) not in (int, float)):
            return
        if feature.kind == "years_between":
            days = round(edge * DAYS_OF_YEAR) + self._random.choice([-1, 0, 0, 1])
            facts[first] = AS_OF - dt.timedelta(days=min(max(days, 0), 40_000))
            return
        exact = facts[last] + edge if feature.kind == "difference" else edge * facts[last] / feature.multiplier
        if math.isfinite(exact):
            facts[first] = self._as_kind(entry, self._random.choice(_beside(exact)))


def _beside(number: float) -> list[float]:
    return [number, math.nextafter(number, -math.inf), math.nextafter(number, math.inf)]
