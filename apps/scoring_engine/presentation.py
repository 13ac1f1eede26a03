"""A row of the log as the reply that its scoring gave: the texts are written here, from the card and the bins."""

import json
from functools import lru_cache
from typing import Any

from apps.common.crypto import DataErased
from apps.scoring_engine.ml.cards import Card, read_card
from apps.scoring_engine.ml.reasons import reasons_by_label
from apps.scoring_engine.models import ModelCard, PredictionLog

ERASED = "The personal data were erased on request; what is left is that the scoring took place, and its result."


def render(prediction: PredictionLog) -> dict[str, Any]:
    """The reply to a scoring. explanation and warnings are null, with a note, once the person was erased."""
    return _reply(prediction, _opened(prediction))


def render_record(prediction: PredictionLog) -> dict[str, Any]:
    """The reply to the scoring, and what it rested on: each fact with its source."""
    sealed = _opened(prediction)
    reply = _reply(prediction, sealed)
    if sealed is None:
        return reply | {"facts": None, "unavailable": None, "missing_required": None, "as_of": None}
    facts = {name: {"value": value} | sealed["sources"][name] for name, value in sealed["facts"].items()}
    return reply | {"facts": facts} | {name: sealed[name] for name in ("unavailable", "missing_required", "as_of")}


def _opened(prediction: PredictionLog) -> dict[str, Any] | None:
    try:
        return prediction.opened()
    except DataErased:
        return None


def _reply(prediction: PredictionLog, sealed: dict[str, Any] | None) -> dict[str, Any]:
    reply = summarise(prediction) | {"definition_of_bad": _card(prediction.card_id)[0].definition_of_bad}
    if sealed is None:
        return reply | {"explanation": None, "warnings": None, "note": ERASED}
    return reply | {"explanation": _explanation(prediction.card_id, sealed), "warnings": sealed["warnings"]}


def summarise(prediction: PredictionLog) -> dict[str, Any]:
    """The part of the reply that holds no personal facts."""
    return {
        "prediction_id": str(prediction.id),
        "segment": prediction.segment,
        "score": prediction.score,
        "probability_of_default": prediction.probability_of_default,
        "horizon": prediction.horizon,
        "grade": prediction.grade,
        "grades_version": prediction.grades_version,
        "mode": prediction.mode,
        "mode_reason": prediction.mode_reason or None,
        "purpose": prediction.purpose,
        "model_version": prediction.model_version,
        "model_digest": prediction.model_digest,
        "base_points": prediction.base_points,
        "reference_score": prediction.reference_score,
        "currency": prediction.currency,
    }


def _explanation(digest: str, sealed: dict[str, Any]) -> list[dict[str, Any]]:
    texts = _card(digest)[1]
    return [
        {
            "feature": entry["feature"],
            "value": entry["value"],
            "points": entry["points"],
            "reference_points": entry["reference_points"],
            "impact": entry["points"] - entry["reference_points"],
            "code": entry["code"],
            "reason": texts[entry["feature"]][entry["bin"]],
        }
        for entry in sealed["characteristics"]
    ]


@lru_cache(maxsize=64)
def _card(digest: str) -> tuple[Card, dict[str, dict[str, str]]]:
    """A kept card, and its reasons by feature or pair and bin; a card never changes under its digest."""
    card = read_card(json.loads(ModelCard.objects.get(digest=digest).text))
    return card, reasons_by_label(card)
