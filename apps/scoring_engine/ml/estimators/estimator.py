"""A scikit-learn or LightGBM classifier as a scorer: score = round(400 + 50 * log2((1 - p) / p)), exact impacts.

p is what the classifier says, as it says it, kept within what scores 0 and 1200 mean. Its calibration is the lender's.
"""

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from apps.common.sentences import Sentence

from ..card_inputs import OTHER_SCALE, known_to
from ..cards import LEAST_SCORE, MOST_SCORE, Feature, canonical
from ..features import MISSING, SPECIAL, UNAVAILABLE, Derivations, States
from ..grades import probability_of_default
from ..risk_model import ModelFileError
from ..scorer import NoScoreError
from ..typed_json import CardError, Number
from ..vocabulary import FACTS, MONEY_LIMIT, SCALE_OF, one_line
from . import contributions
from .document import COEFFICIENTS, OWN, SHAPLEY, Column, Encoded, describe_estimator, read_document
from .loading import load
from .model import UNPREDICTABLE, Model
from .types import scan

UNSEEN, VALUE = "unseen", "value"
_POINTS_OF_LOG_ODDS = 50 / math.log(2)
_LEAST, _MOST = probability_of_default(MOST_SCORE), probability_of_default(LEAST_SCORE)
_NONE: frozenset[str] = frozenset()
_TEXTS = {
    VALUE: "the value given, against that of the reference applicant",
    MISSING: "it was not given",
    UNAVAILABLE: "its source could not be reached, and it counts as the reference applicant's",
    UNSEEN: "a category that this model was not made for",
}


def exact_points(probability: float) -> float:
    """Before rounding, within the scale."""
    kept = min(max(probability, _LEAST), _MOST)
    return 400 + 50 * math.log2((1 - kept) / kept)


def rounded(points: float) -> int:
    return math.floor(points + 0.5)


def read_estimator(content: bytes, document: Mapping[str, Any]) -> "Estimator":
    """The estimator of a registered document. Call it for an approved digest only; raises ModelFileError, one clause.

    Nothing is loaded unless the bytes are those of the document and would load no more than it names.
    """
    if hashlib.sha256(content).hexdigest() != document.get("sha256"):
        raise ModelFileError(Sentence("its SHA-256 is not the one in its document"))
    found = scan(content)
    named = document.get("types")
    if type(named) is not list or not set(found.types) <= {name for name in named if type(name) is str}:
        raise ModelFileError(Sentence("it would load more types than its document names"))
    if document.get("model_class") != ".".join(found.outermost):
        raise ModelFileError(Sentence("its document is of a model of another class"))
    try:
        return Estimator(dict(document), load(found))
    except CardError as error:
        raise ModelFileError(Sentence("its document is refused ({error})", error=error.args[0])) from None


class Assessment:
    """As a scorecard's: most harmful first, exact in sum; `method` says how the impacts were found."""

    def __init__(
        self, estimator: "Estimator", facts: Mapping[str, Any], states: States, labels: dict[str, str],
        probability: float, impacts: dict[str, int], values: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._estimator, self._facts, self._states = estimator, facts, states
        self.bins = labels
        self.method = estimator.method
        self.probability_of_default = min(max(probability, _LEAST), _MOST)
        self.score = rounded(exact_points(probability))
        texts = estimator.texts
        self.explanation = [
            {
                "feature": name,
                "value": values.get(name),
                "points": impact,
                "reference_points": 0,
                "impact": impact,
                "code": name.upper(),
                "reason": texts[name][labels[name]],
            }
            for name, impact in sorted(impacts.items(), key=lambda pair: (pair[1], pair[0]))
        ]

    @property
    def missing_required(self) -> tuple[str, ...]:
        """Names of required inputs that the applicant did not give."""
        return tuple(name for name in self._absent() if self._states.get(name) != UNAVAILABLE)

    @property
    def warnings(self) -> list[dict[str, str]]:
        """Dicts of code, fact, message; the first says how the impacts were found."""
        used = self._estimator.facts_used
        unused = [name for name, value in self._facts.items() if name not in used and value is not None]
        unseen = [name for name, label in self.bins.items() if label == UNSEEN]
        off_scale = [name for name, label in self.bins.items() if label == SPECIAL + OTHER_SCALE]
        why = {name: self._states.get(name, MISSING) for name in self._absent()}
        return [
            {"code": "contributions", "fact": "", "message": f"The {contributions.TOLD[self.method]}"},
            *(_warning("fact_not_used", name, "is not used by this model") for name in unused),
            *(_warning("unseen_category", name, "is a category this model was not made for") for name in unseen),
            *(_warning(OTHER_SCALE, name, "is on a scale this model was not made for") for name in off_scale),
            *(_warning(f"required_{state}", name, _required(state)) for name, state in why.items()),
        ]

    def _absent(self) -> list[str]:
        return [name for name in self._estimator.required if self._facts.get(name) is None]


def _required(state: str) -> str:
    why = "its source could not be reached" if state == UNAVAILABLE else "it was not given"
    return f"is required by this model, but {why}"


def _warning(code: str, fact: str, what: str) -> dict[str, str]:
    return {"code": code, "fact": fact, "message": f"{fact} {what}"}


class Estimator:
    """A scorer (ml/scorer.py): base_points and reference_score are both the score of the reference."""

    def __init__(self, document: dict[str, Any], classifier: Any) -> None:
        """Raises CardError for the document, ModelFileError for a classifier that does not fit it."""
        self._text = canonical(document)
        stated = read_document(document)
        self.digest = hashlib.sha256(self._text.encode("ascii")).hexdigest()
        self.version, self.segment = document["version"], document["segment"]
        self.purpose, self.definition_of_bad = document["purpose"], document["definition_of_bad"]
        self.horizon, self.method = document["horizon"], document["contributions"]
        self.inputs, self.features = stated.inputs, stated.features
        self.own = known_to(self.segment, stated.inputs)
        self.required = tuple(entry.name for entry in stated.inputs if entry.required)
        self.facts_used = frozenset(e.name for e in stated.inputs) | {
            SCALE_OF[e.name] for e in stated.inputs if e.scale
        }
        self.texts = texts_by_label(document)
        self._derivations = Derivations(stated.inputs, stated.features)
        self._columns, self._reference = stated.columns, stated.reference
        self._known = _categories(self.segment, stated.inputs)
        self._names = list(dict.fromkeys(column.feature for column in stated.columns))
        self._encoded_reference = [self._encode(column, VALUE, self._reference) for column in self._columns]
        self._model = Model(classifier, stated.columns, document["bad_class"])
        self._model.try_out(self._encoded_reference, self._trials(stated.features))
        log_odds = self._model.own_reference() if self.method == OWN else None
        reference = self._model.probability(self._encoded_reference) if log_odds is None else _logistic(log_odds)
        self._reference_points = exact_points(reference)
        self.base_points = self.reference_score = rounded(self._reference_points)

    def to_dict(self) -> dict[str, Any]:
        """A fresh copy of the document."""
        return json.loads(self._text)

    def horizon_months(self, term_months: int | None = None) -> int:
        """Months that the probability is over: the loan's own term for a contract horizon, if known."""
        own_term = self.horizon["kind"] == "contract" and term_months is not None
        return term_months if own_term else self.horizon["months"]

    def score(self, facts: Mapping[str, Any], *, as_of: dt.date, unavailable: frozenset[str] = _NONE) -> Assessment:
        """Scores facts that check_facts has passed; `unavailable` names facts whose source was down."""
        values, states = self._derivations.derive(facts, as_of, unavailable)
        try:
            return self._assessed(facts, values, states)
        except UNPREDICTABLE as error:
            why = one_line(" ".join(str(error).split()), 150) or type(error).__name__
            raise NoScoreError(f"it gives this applicant no score ({why})") from None

    def _assessed(self, facts: Mapping[str, Any], values: Mapping[str, Any], states: States) -> Assessment:
        labels = {name: self._label(name, values, states) for name in self._names}
        row = [self._encode(column, labels[column.feature], values) for column in self._columns]
        probability = self._model.probability(row)
        if not 0 <= probability <= 1:
            raise ValueError(f"its probability is {probability}")
        score = rounded(exact_points(probability))
        parts = [-_POINTS_OF_LOG_ODDS * part for part in self._contributions(row)]
        impacts = contributions.whole_impacts(parts, self._names, score - self.reference_score)
        return Assessment(
            self, facts, states, labels, probability, dict(zip(self._names, impacts, strict=True)), values
        )

    def _contributions(self, row: list[Encoded]) -> list[float]:
        """To the log-odds of bad, by feature."""
        if self.method == OWN:
            return self._by_feature(self._model.own_contributions(row))
        places = {name: place for place, name in enumerate(self._names)}

        def log_odds(mixtures: contributions.Mixture) -> Any:
            mixed = [
                [
                    own if mixture[places[column.feature]] else reference
                    for column, own, reference in zip(self._columns, row, self._encoded_reference, strict=True)
                ]
                for mixture in mixtures
            ]
            return self._model.log_odds(mixed, linear=self.method == COEFFICIENTS, within=(_LEAST, _MOST))

        ways = {COEFFICIENTS: contributions.by_coefficients, SHAPLEY: contributions.by_shapley}
        return ways.get(self.method, contributions.in_order)(len(self._names), log_odds)

    def _by_feature(self, parts: list[float]) -> list[float]:
        named = list(zip(self._columns, parts, strict=True))
        return [math.fsum(part for column, part in named if column.feature == name) for name in self._names]

    def _label(self, name: str, values: Mapping[str, Any], states: States) -> str:
        value = values.get(name)
        if value is None:
            return states.get(name, MISSING)
        return UNSEEN if name in self._known and value not in self._known[name] else VALUE

    def _encode(self, column: Column, label: str, values: Mapping[str, Any]) -> Encoded:
        if label == UNAVAILABLE:
            label, values = VALUE, self._reference
        if label.startswith(SPECIAL):
            return column.special.get(label.removeprefix(SPECIAL), column.missing)
        if label != VALUE:
            return column.unseen if label == UNSEEN else column.missing
        value = values[column.feature]
        if column.codes is not None:
            return column.codes.get(value, column.unseen)
        return value if column.is_text else float(value)

    def _trials(self, features: tuple[Feature, ...]) -> dict[str, list[Encoded]]:
        """Rows of every kind that could come, by what is unlike the reference in them."""
        ends = {entry.name: (entry.least, entry.most) for entry in self.inputs if entry.least is not None}
        ends |= {feature.name: _ends(feature) for feature in features}
        trials = {}
        for name in self._names:
            for label in self.texts[name]:
                if label not in (VALUE, UNAVAILABLE) and (label != UNSEEN or name in self._known):
                    trials[f"{name} ({label})"] = self._row_with(name, label, None)
            for value in (*ends.get(name, ()), *self._known.get(name, ())):
                trials[f"{name} {value}"] = self._row_with(name, VALUE, value)
        return trials

    def _row_with(self, name: str, label: str, value: Any) -> list[Encoded]:
        return [
            self._encode(column, label, {name: value}) if column.feature == name else reference
            for column, reference in zip(self._columns, self._encoded_reference, strict=True)
        ]


def _categories(segment: str, inputs: Any) -> dict[str, frozenset[str]]:
    known = {e.name: e.values or FACTS[segment][e.name].values for e in inputs if e.kind == "category"}
    return {name: frozenset(values) for name, values in known.items()}


def _ends(feature: Feature) -> tuple[Number, Number]:
    """The least and most that a derived feature can be."""
    if feature.kind == "ratio":
        return feature.least, feature.most
    return (-2 * MONEY_LIMIT, 2 * MONEY_LIMIT) if feature.kind == "difference" else (0, 300)


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def texts_by_label(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The reason of each feature by the label that the log keeps, as reasons_by_label has it of a card."""
    stated = read_document(document)
    codes = {entry.name: entry.special_codes for entry in stated.inputs}
    parts = {feature.name: feature.of for feature in stated.features}

    def reaching(name: str) -> dict[str, str]:
        own = codes.get(name, {})
        return own | {code: text for part in parts.get(name, ()) for code, text in reaching(part).items()}

    return {
        name: {
            label: f"{name.replace('_', ' ').capitalize()}: {text}"
            for label, text in (_TEXTS | {SPECIAL + code: text for code, text in reaching(name).items()}).items()
        }
        for name in stated.reference
    }


__all__ = ["Assessment", "Estimator", "describe_estimator", "read_estimator", "texts_by_label"]
