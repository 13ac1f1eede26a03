"""A card made ready to score: points by bin, summed, with exact reasons.

score = base_points + sum(points); impact = points - reference_points; so the score is reference_score +
sum(impact) with no remainder. Points are whole numbers and nothing is clamped.
"""

import datetime as dt
import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

from .card_inputs import known_to
from .cards import Card, CardError, canonical, reachable_range, read_card
from .characteristics import Characteristic
from .features import MISSING, OTHER_SCALE, SPECIAL, UNAVAILABLE, Derivations, States
from .grades import probability_of_default
from .grids import Grid, Row, row_of
from .reasons import UNSEEN, bin_labels, reasons_of_bins, reasons_of_states
from .typed_json import Number
from .unrolled import Found, unrolled
from .vocabulary import SCALE_OF

__all__ = ["Assessment", "CardError", "Scorecard"]

_IMPACT, _NAME = itemgetter("impact"), itemgetter("feature")
_NONE_UNAVAILABLE: frozenset[str] = frozenset()
_OFF_SCALE = "is on a scale this card was not made for, and is not counted"


class Assessment:
    """What a card says of one applicant: score and explanation at once, the rest when it is asked for.

    explanation: dicts of feature, value, points, reference_points, impact, code, reason; most harmful
    first. Of a pair feature is "a x b", and value the list of both values.
    """

    __slots__ = ("_card", "_facts", "_labels", "_states", "explanation", "score")

    def __init__(
        self,
        score: int,
        explanation: list[dict[str, Any]],
        card: "Scorecard",
        facts: Mapping[str, Any],
        states: States,
        labels: list[str],
    ) -> None:
        """`labels`: of the bins, in the card's own order of features."""
        self.score = score
        self.explanation = explanation
        self._card = card
        self._facts = facts
        self._states = states
        self._labels = labels

    @property
    def probability_of_default(self) -> float:
        """Over the horizon of the card."""
        return probability_of_default(self.score)

    @property
    def bins(self) -> dict[str, str]:
        """Label by feature."""
        return dict(zip(self._card.features_in_order, self._labels, strict=True))

    @property
    def missing_required(self) -> tuple[str, ...]:
        """Names of required inputs that the applicant did not give."""
        return tuple(name for name in self._absent() if self._states.get(name) != UNAVAILABLE)

    @property
    def warnings(self) -> list[dict[str, str]]:
        """Dicts of code, fact, message."""
        used, states = self._card.facts_used, self._states
        unused = [name for name, value in self._facts.items() if name not in used and value is not None]
        unseen = [name for name, seen in self._card.groups_seen if self._facts.get(name) not in seen]
        off_scale = [name for name in SCALE_OF if states.get(name) == SPECIAL + OTHER_SCALE]
        return [
            *(_warning("fact_not_used", name, "is not used by this card") for name in unused),
            *(_warning("unseen_category", name, "is a category this card was not made for") for name in unseen),
            *(_warning(OTHER_SCALE, name, _OFF_SCALE) for name in off_scale),
            *(_required(name, states.get(name, MISSING)) for name in self._absent()),
        ]

    def _absent(self) -> list[str]:
        return [name for name in self._card.required if self._facts.get(name) is None]


class Scorecard:
    """digest: SHA-256 of the card's canonical JSON; reachable: lowest and highest possible score.

    own: what check_facts has to let through for this card beyond the vocabulary; None for nothing.
    """

    def __init__(self, card: Card, text: str) -> None:
        self._card = card
        self._text = text
        self.digest = hashlib.sha256(text.encode("ascii")).hexdigest()
        self.version = card.version
        self.segment = card.segment
        self.purpose = card.purpose
        self.definition_of_bad = card.definition_of_bad
        self.horizon = card.horizon
        self.base_points = card.base_points
        tables = (*card.characteristics, *card.pairs)
        self.reference_score = card.base_points + sum(table.reference_points for table in tables)
        self.inputs = card.inputs
        self.features = card.features
        self.characteristics = card.characteristics
        self.pairs = card.pairs
        self.provenance = card.provenance
        self.own = known_to(card.segment, card.inputs)
        self._derivations = Derivations(card.inputs, card.features)
        self.required = tuple(entry.name for entry in card.inputs if entry.required)
        self.facts_used = _facts_used(card)
        # By name, so that the stable sort by impact leaves ties in the order of their names.
        self._tables = [_table(card, c) for c in sorted(card.characteristics, key=lambda c: c.feature)]
        self._grids = [Grid(card, pair) for pair in sorted(card.pairs, key=lambda pair: pair.name)]
        self.features_in_order = (*(table[0] for table in self._tables), *(grid.name for grid in self._grids))
        self.groups_seen = _groups_seen(card)

    @cached_property
    def reachable(self) -> tuple[int, int]:
        return reachable_range(self._card)

    @classmethod
    def from_dict(cls, card: object) -> "Scorecard":
        """Raises CardError, naming what is wrong, for anything that is not a sound card."""
        return cls(read_card(card), canonical(card))

    def to_dict(self) -> dict[str, Any]:
        """A fresh copy of the card's plain dict."""
        return json.loads(self._text)

    def horizon_months(self, term_months: int | None = None) -> int:
        """Months that the probability is over: the loan's own term for a contract horizon, if known."""
        own_term = self.horizon["kind"] == "contract" and term_months is not None
        return term_months if own_term else self.horizon["months"]

    def score(
        self, facts: Mapping[str, Any], *, as_of: dt.date, unavailable: frozenset[str] = _NONE_UNAVAILABLE
    ) -> Assessment:
        """Scores facts that check_facts has passed; `unavailable` names facts whose source was down."""
        if not unavailable and self._ordinary is not None and (found := self._ordinary(facts, as_of)) is not None:
            total, explanation, labels = found
            return Assessment(total, explanation, self, facts, {}, labels)
        return self._by_tables(facts, as_of, unavailable)

    @cached_property
    def _ordinary(self) -> Callable[[Mapping[str, Any], dt.date], Found | None] | None:
        return None if self._grids else unrolled(self._card, self._tables)

    def _by_tables(self, facts: Mapping[str, Any], as_of: dt.date, unavailable: frozenset[str]) -> Assessment:
        values, states = self._derivations.derive(facts, as_of, unavailable)
        total = self.base_points
        explanation = []
        labels = []
        for feature, edges, rows, other_rows in self._tables:
            value = values.get(feature)
            if value is None:
                points, label, entry = other_rows[states.get(feature, MISSING)]
            elif edges is not None:
                points, label, entry = rows[bisect_right(edges, value)]
            else:
                points, label, entry = rows.get(value) or other_rows[UNSEEN]
            total += points
            labels.append(label)
            entry = entry.copy()
            entry["value"] = value
            explanation.append(entry)
        if self._grids:
            for grid in self._grids:
                points, label, entry = grid.look_up(values, states)
                total += points
                labels.append(label)
                explanation.append(entry)
            explanation.sort(key=_NAME)
        explanation.sort(key=_IMPACT)
        return Assessment(total, explanation, self, facts, states, labels)


def _required(name: str, state: str) -> dict[str, str]:
    why = "its source could not be reached" if state == UNAVAILABLE else "it was not given"
    return _warning(f"required_{state}", name, f"is required by this card, but {why}")


def _warning(code: str, fact: str, what: str) -> dict[str, str]:
    return {"code": code, "fact": fact, "message": f"{fact} {what}"}


def _facts_used(card: Card) -> frozenset[str]:
    """Facts that can move the score, and those that say how to read them or over what time."""
    features = [c.feature for c in card.characteristics] + [name for pair in card.pairs for name in pair.features]
    used = frozenset().union(*map(card.facts_of, features))
    beside = {SCALE_OF[name] for name in used if name in SCALE_OF}
    return used | beside | ({"term_months"} if card.horizon["kind"] == "contract" else set())


def _groups_seen(card: Card) -> list[tuple[str, frozenset[Any]]]:
    """By name of fact, the values that every table of it has a group for, and None."""
    seen: dict[str, frozenset[Any]] = {}
    for table in (*card.characteristics, *(axis for pair in card.pairs for axis in pair.axes)):
        if table.groups is not None:
            values = frozenset((None, *(value for group in table.groups for value in group)))
            seen[table.feature] = seen.get(table.feature, values) & values
    return sorted(seen.items())


def _table(card: Card, c: Characteristic) -> tuple[str, Any, Any, dict[str, Row]]:
    """feature, edges or None, rows (by index, or by category), and rows by state."""
    rows = [
        row_of(c, c.feature, points, label, reason)
        for points, label, reason in zip(c.points, bin_labels(c), reasons_of_bins(card, c), strict=True)
    ]
    special = {SPECIAL + code: points for code, points in c.special_points.items()}
    by_state = {MISSING: c.missing_points, UNAVAILABLE: c.unavailable_points, **special}
    if c.unseen_points is not None:
        by_state[UNSEEN] = c.unseen_points
    texts = reasons_of_states(card, c)
    others = {state: row_of(c, c.feature, points, state, texts[state]) for state, points in by_state.items()}
    if c.groups is None:
        return c.feature, _edges_alike(card, c), rows, others
    by_value = {value: row for group, row in zip(c.groups, rows, strict=True) for value in group}
    return c.feature, None, by_value, others


def _edges_alike(card: Card, c: Characteristic) -> Sequence[Number]:
    """The same bins by edges of the type of the values, because numbers of one type are compared in half the time."""
    if any(entry.name == c.feature and entry.kind != "number" for entry in card.inputs):
        return [math.ceil(edge) for edge in c.edges]
    alike = [float(edge) for edge in c.edges]
    return alike if alike == [*c.edges] else c.edges
