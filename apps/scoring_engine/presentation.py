"""A row of the log as the reply that its scoring gave: the texts are written here, from the card and the bins."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings

from apps.common.crypto import DataErased
from apps.scoring_engine.log_rows import LogRow
from apps.scoring_engine.ml.applicant_reasons import ReasonTeller
from apps.scoring_engine.ml.cards import read_card
from apps.scoring_engine.ml.changes import Change, Changes, find_changes
from apps.scoring_engine.ml.reasons import reasons_by_label
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import known_facts
from apps.scoring_engine.ml.vocabulary import FACTS, check_facts
from apps.scoring_engine.ml.words import Words, sentence, words_of
from apps.scoring_engine.models import ESTIMATOR, ModelCard, PredictionLog

ERASED = "The personal data were erased on request; what is left is that the scoring took place, and its result."


@dataclass(frozen=True, slots=True)
class Texts:
    """What is needed to word the scorings of one model. by_bin: the English reasons, by feature or pair and bin."""

    definition_of_bad: str
    by_bin: dict[str, dict[str, str]]
    teller: ReasonTeller


def render(prediction: PredictionLog, language: str = settings.LANGUAGE_CODE) -> dict[str, Any]:
    """The reply to a scoring, its reasons in `language`. What rests on personal facts is null, with a note, once the
    person was erased.
    """
    return render_opened(prediction, _opened(prediction), language)


def render_record(prediction: PredictionLog, language: str = settings.LANGUAGE_CODE) -> dict[str, Any]:
    """The reply to the scoring, and what it rested on: each fact with its source."""
    sealed = _opened(prediction)
    reply = render_opened(prediction, sealed, language)
    if sealed is None:
        return reply | {"facts": None, "unavailable": None, "missing_required": None, "as_of": None}
    facts = {name: {"value": value} | sealed["sources"][name] for name, value in sealed["facts"].items()}
    return reply | {"facts": facts} | {name: sealed[name] for name in ("unavailable", "missing_required", "as_of")}


def _opened(prediction: PredictionLog) -> dict[str, Any] | None:
    try:
        return prediction.opened()
    except DataErased:
        return None


def render_opened(prediction: PredictionLog | LogRow, sealed: dict[str, Any] | None, language: str) -> dict[str, Any]:
    """The same of a row whose seal is opened already; None once the person was erased."""
    texts = _texts(prediction.card_id)
    reply = summarise(prediction) | {"definition_of_bad": texts.definition_of_bad, "language": language}
    if sealed is None:
        return reply | {"reasons": None, "explanation": None, "warnings": None, "note": ERASED}
    entries = [_with_impact(entry) for entry in sealed["characteristics"]]
    return reply | {
        "reasons": texts.teller.reasons(entries, sealed["facts"], language, prediction.currency),
        "explanation": [_explained(texts, entry) for entry in entries],
        "warnings": sealed["warnings"],
    }


def render_changes(prediction: PredictionLog, target: int, language: str) -> dict[str, Any]:
    """The smallest changes with which the scoring would reach `target`, found on the card that made it."""
    words, card = words_of(language), scorecard_of(prediction.card_id)
    if card is None:
        note = words.texts["changes"]["not_a_scorecard"]
        return {"changes": None, "best_reachable_score": None, "changes_note": note}
    sealed = prediction.opened()
    as_of = date.fromisoformat(sealed["as_of"])
    facts = check_facts(prediction.segment, known_facts(card, sealed["facts"]), as_of=as_of, own=card.own)
    changes = find_changes(card, facts, target, as_of=as_of, unavailable=frozenset(sealed["unavailable"]))
    return {
        "changes": [_told_change(change, facts, words, prediction) for change in changes.found],
        "best_reachable_score": changes.best_score,
        "changes_note": _note(words, changes, reached=prediction.score >= target),
    }


def _told_change(change: Change, facts: dict[str, Any], words: Words, prediction: PredictionLog) -> dict[str, Any]:
    def shown(name: str, value: int) -> str:
        kind = FACTS[prediction.segment][name].kind
        return words.quantity("money" if kind == "money" else "months", value, prediction.currency)

    clauses = [
        words.change(name, shown(name, facts[name]), shown(name, value)) for name, value in change.values.items()
    ]
    return {
        "facts": [{"fact": name, "given": facts[name], "needed": value} for name, value in change.values.items()],
        "text": sentence("; ".join(clauses)),
        "relative_change": float(change.size),
        "score": change.score,
    }


def _note(words: Words, changes: Changes, *, reached: bool) -> str | None:
    texts = words.texts["changes"]
    if reached:
        return texts["reached"]
    together = [[words.fact(name) for name in names] for names in changes.not_searched]
    notes = [texts["not_searched"].format(facts=words.listed(names)) for names in together]
    if not changes.movable:
        notes = [texts["nothing_to_change"]]
    elif not changes.found:
        notes = [texts["unreachable"].format(score=changes.best_score), *notes]
    return " ".join(notes) or None


def name_features(prediction: PredictionLog, features: Iterable[str], language: str) -> dict[str, str]:
    """What each feature or pair of the scoring's model is called: "Existing debt to yearly income"."""
    teller, words = _texts(prediction.card_id).teller, words_of(language)

    def name(part: str) -> str:
        return words.measure(teller.measure(part)) or teller.label(part)

    return {each: sentence(" × ".join(map(name, each.split(" x ")))).removesuffix(".") for each in features}


def show_values(prediction: PredictionLog, entries: Iterable[dict[str, Any]], language: str) -> dict[str, str | None]:
    """The value of each feature or pair of an explanation in words: "18 %". None for what is not known."""
    teller, words = _texts(prediction.card_id).teller, words_of(language)

    def shown(feature: str, value: Any) -> str | None:
        return None if value is None else teller.shown(feature, value, words, prediction.currency)

    def told(feature: str, value: Any) -> str | None:
        parts = feature.split(" x ")
        each = [shown(*pair) for pair in zip(parts, value if len(parts) > 1 and value else [value], strict=False)]
        return None if None in each else " × ".join(each)

    return {entry["feature"]: told(entry["feature"], entry["value"]) for entry in entries}


def summarise(prediction: PredictionLog | LogRow) -> dict[str, Any]:
    """The part of the reply that holds no personal facts."""
    return {
        "prediction_id": str(prediction.id),
        "segment": prediction.segment,
        "score": prediction.score,
        "probability_of_default": prediction.probability_of_default,
        "horizon": {"kind": prediction.horizon_kind, "months": prediction.horizon_months},
        "grade": prediction.grade,
        "grades_version": prediction.grades_version,
        "mode": prediction.mode,
        "mode_reason": prediction.mode_reason or None,
        "purpose": prediction.purpose,
        "model_version": prediction.model_version,
        "model_digest": prediction.card_id,
        "base_points": prediction.base_points,
        "reference_score": prediction.reference_score,
        "currency": prediction.currency,
    }


def _with_impact(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"impact": entry["points"] - entry["reference_points"]}


def _explained(texts: Texts, entry: dict[str, Any]) -> dict[str, Any]:
    told = ("feature", "value", "points", "reference_points", "impact", "code")
    return {name: entry[name] for name in told} | {"reason": texts.by_bin[entry["feature"]][entry["bin"]]}


@lru_cache(maxsize=64)
def _texts(digest: str) -> Texts:
    """Of a kept document, which never changes under its digest."""
    document = json.loads(ModelCard.objects.get(digest=digest).text)
    if document.get("kind") == ESTIMATOR:
        return _texts_of_estimator(document)
    card = read_card(document)
    return Texts(card.definition_of_bad, reasons_by_label(card), ReasonTeller.of_card(card))


def _texts_of_estimator(document: dict[str, Any]) -> Texts:
    # Not at the top: only a process that has scorings of an estimator to tell needs it.
    from apps.scoring_engine.ml.estimators.document import read_document
    from apps.scoring_engine.ml.estimators.estimator import texts_by_label

    stated = read_document(document)
    teller = ReasonTeller(document["segment"], stated.inputs, stated.features)
    return Texts(document["definition_of_bad"], texts_by_label(document), teller)


@lru_cache(maxsize=8)
def scorecard_of(digest: str) -> Scorecard | None:
    document = json.loads(ModelCard.objects.get(digest=digest).text)
    return None if document.get("kind") == ESTIMATOR else Scorecard.from_dict(document)
