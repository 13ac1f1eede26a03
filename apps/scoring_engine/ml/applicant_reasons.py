"""The reasons that an applicant is told, in their language: few, most harmful first, specific and true.

A reason names the applicant's own value and, where the card states one, what is typical of its reference population.
Nothing is invented: what the card does not say, the sentence leaves out. docs/reference/reasons.md has the rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .card_inputs import OTHER_SCALE, Input
from .cards import AS_OF, Card, Feature
from .characteristics import Characteristic
from .features import MISSING, SPECIAL, UNAVAILABLE
from .measures import UNITS, measure_of
from .pairs import Axis, Pair
from .reasons import SPECIAL_IN_PAIR, UNSEEN
from .risk_model import EXPERT
from .vocabulary import FACTS, SCALE_OF
from .words import Words, sentence, words_of

MOST_REASONS = 4
Entry = Mapping[str, Any]
_UNIT_OF_KIND = {"category": "category", "flag": "category", "money": "money"}


class ReasonTeller:
    """Words the reasons of one card, or of an estimator, which states inputs and derived features and no more."""

    def __init__(
        self, segment: str, inputs: Iterable[Input], features: Iterable[Feature], card: Card | None = None
    ) -> None:
        self.vocabulary = FACTS[segment]
        self.inputs = {entry.name: entry for entry in inputs}
        self.features = {feature.name: feature for feature in features}
        self.characteristics: dict[str, Characteristic] = {c.feature: c for c in card.characteristics} if card else {}
        self.pairs: dict[str, Pair] = {pair.name: pair for pair in card.pairs} if card else {}
        # What an expert wrote down as typical nobody has measured among applicants.
        judged = card is not None and card.version.startswith(EXPERT)
        self.typical_of = "judged" if judged else card.reference if card else ""
        # The same for every applicant.
        self.measure = cache(self._measure)
        self.unit = cache(self._unit)
        self.typical = cache(self._typical)

    @classmethod
    def of_card(cls, card: Card) -> "ReasonTeller":
        return cls(card.segment, card.inputs, card.features, card)

    def facts_behind(self, name: str) -> set[str]:
        if name not in self.features:
            return {name}
        return set().union(*(self.facts_behind(part) for part in self.features[name].of if part != AS_OF))

    def _measure(self, feature: str) -> str:
        """What is measured; empty where facts of the lender's own enter it, which may be called as anything."""
        known = self.facts_behind(feature) <= self.vocabulary.keys()
        return measure_of(self.features, feature) if known else ""

    def _unit(self, feature: str) -> str:
        measure = self.measure(feature)
        if measure in UNITS:
            return UNITS[measure]
        if feature in self.characteristics:
            return self.characteristics[feature].unit
        if feature in self.features and self.features[feature].kind == "years_between":
            return "years"
        entry = self.inputs.get(feature)
        return _UNIT_OF_KIND.get(entry.kind, "number") if entry else "number"

    def _typical(self, feature: str, words: Words, currency: str) -> str | None:
        c = self.characteristics.get(feature)
        return None if c is None or c.typical is None else self.shown(feature, c.typical, words, currency)

    def shown(self, feature: str, value: Any, words: Words, currency: str) -> str:
        if isinstance(value, str | bool):
            return words.category(feature, value)
        return words.quantity(self.unit(feature), value, currency)

    def label(self, feature: str) -> str:
        c = self.characteristics.get(feature)
        return c.label if c else feature.replace("_", " ")

    def reasons(
        self, entries: Iterable[Entry], facts: Mapping[str, Any], language: str, currency: str
    ) -> list[dict[str, Any]]:
        """At most four dicts of code, feature, text, impact; empty where nothing counts against the applicant.

        entries: feature, value, bin, impact, code, most harmful first. Of reasons with one code or one sentence only
        the most harmful is told.
        """
        applicant = _Applicant(self, facts, words_of(language), currency)
        told: list[dict[str, Any]] = []
        for entry in entries:
            if entry["impact"] >= 0 or len(told) == MOST_REASONS:
                break
            text = applicant.text(entry)
            reason = {"code": entry["code"], "feature": entry["feature"], "text": text, "impact": entry["impact"]}
            if not any(reason["code"] == other["code"] or text == other["text"] for other in told):
                told.append(reason)
        return told


@dataclass(frozen=True, slots=True)
class _Applicant:
    """One applicant's reasons in one language."""

    of: ReasonTeller
    facts: Mapping[str, Any]
    words: Words
    currency: str

    def text(self, entry: Entry) -> str:
        feature, value, label = entry["feature"], entry["value"], entry["bin"]
        pair = self.of.pairs.get(feature)
        if pair:
            return sentence(self._pair(pair, value, label))
        if value is None:
            return sentence(self._absent(feature, label))
        if label == UNSEEN:
            return sentence(self._unseen(feature, value))
        return sentence(self._beside_typical(feature, value))

    def _pair(self, pair: Pair, values: list[Any], label: str) -> str:
        if label == UNAVAILABLE:
            names = self.words.listed([self._name(feature) for feature in pair.features])
            return self.words.phrase("unavailable", name=names)
        if label == MISSING:
            return self._missing_in_pair(pair, values)
        first, second = (self._side(axis, value) for axis, value in zip(pair.axes, values, strict=True))
        return self.words.phrase("pair", first=first, second=second)

    def _side(self, axis: Axis, value: Any) -> str:
        if value is None:
            return self._special(axis.feature, self._code(axis.feature))
        return self._said(axis.feature, value, self._shown(axis.feature, value))

    def _missing_in_pair(self, pair: Pair, values: list[Any]) -> str:
        absent = {fact for feature in pair.features for fact in self._missing_facts(feature)}
        if absent:
            return self._no_data(absent)
        sides = zip(pair.axes, values, strict=True)
        axis, value = next((a, v) for a, v in sides if a.groups and not any(v in group for group in a.groups))
        return self._unseen(axis.feature, value)

    def _absent(self, feature: str, label: str) -> str:
        if label == UNAVAILABLE:
            return self.words.phrase("unavailable", name=self._name(feature))
        if label.startswith(SPECIAL):
            return self._special(feature, label.removeprefix(SPECIAL))
        return self._no_data(self._missing_facts(feature) or {feature})

    def _special(self, feature: str, code: str | None) -> str:
        """The meaning stands in the card, in the language of its author."""
        codes = [entry.special_codes for entry in self._inputs_behind(feature)]
        meaning = next((meanings[code] for meanings in codes if code in meanings), SPECIAL_IN_PAIR)
        return self.words.phrase("special", name=self._name(feature), meaning=meaning)

    def _code(self, feature: str) -> str | None:
        """The special code that one of the facts behind a feature has."""
        for entry in self._inputs_behind(feature):
            value = self.facts.get(entry.name)
            if value is not None and value in entry.code_values():
                return entry.code_values()[value]
            if value is not None and entry.scale not in (None, self.facts.get(SCALE_OF.get(entry.name))):
                return OTHER_SCALE
        return None

    def _inputs_behind(self, feature: str) -> list[Input]:
        return [self.of.inputs[name] for name in sorted(self.of.facts_behind(feature)) if name in self.of.inputs]

    def _missing_facts(self, feature: str) -> set[str]:
        return {name for name in self.of.facts_behind(feature) if self.facts.get(name) is None}

    def _no_data(self, names: Iterable[str]) -> str:
        return self.words.phrase("missing", facts=self.words.listed([self._name(name) for name in sorted(names)]))

    def _unseen(self, feature: str, value: str) -> str:
        shown = self.words.category(feature, value)
        return self.words.phrase("unseen", name=self._name(feature), value=shown)

    def _beside_typical(self, feature: str, value: Any) -> str:
        """The typical value is told only where it shows what counts against the applicant."""
        shown = self._shown(feature, value)
        said, typical = self._said(feature, value, shown), self.of.typical(feature, self.words, self.currency)
        if typical in (None, shown) or not _is_worse(self.of.characteristics[feature], value):
            return said
        return self.words.phrase(self.of.typical_of, said=said, typical=typical)

    def _said(self, feature: str, value: Any, shown: str) -> str:
        measure, text = self.of.measure(feature), self._bounded(feature, value, shown)
        if not self.words.has_measure(measure):
            return self.words.phrase("plain", name=self._name(feature), value=text)
        return self.words.said_of(measure, UNITS[measure], value, text)

    def _bounded(self, feature: str, value: Any, shown: str) -> str:
        """A ratio as far out as the card lets it be may be further out in truth."""
        ratio = self.of.features.get(feature)
        if ratio is None or ratio.kind != "ratio" or ratio.least < value < ratio.most or value == 0:
            return shown
        return self.words.phrase("at_least" if value >= ratio.most else "at_most", value=shown)

    def _shown(self, feature: str, value: Any) -> str:
        return self.of.shown(feature, value, self.words, self.currency)

    def _name(self, feature: str) -> str:
        return self.words.measure(self.of.measure(feature)) or self.of.label(feature)


def _is_worse(c: Characteristic, value: Any) -> bool:
    if c.direction == "free":
        return value != c.typical
    return value > c.typical if c.direction == "higher_is_riskier" else value < c.typical
