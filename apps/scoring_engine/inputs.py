"""What the card in service asks for, and what a body to score may hold: both told from the vocabulary."""

from typing import Any

from apps.common.money import CURRENCIES
from apps.scoring_engine.ml.card_inputs import Input, own_fact
from apps.scoring_engine.ml.vocabulary import FACTS, Fact
from apps.scoring_engine.registry import champion

_JSON_TYPES = {
    "money": "integer",
    "integer": "integer",
    "number": "number",
    "flag": "boolean",
    "category": "string",
    "date": "string",
}


def describe_inputs(segment: str) -> dict[str, Any]:
    """The card that scores `segment` now, its inputs, and the facts that are accepted but not scored by it."""
    serving = champion(segment)
    card = serving.scorer
    used = {entry.name for entry in card.inputs}
    return {
        "segment": segment,
        "model_version": card.version,
        "model_digest": card.digest,
        "mode": serving.mode,
        "mode_reason": serving.reason or None,
        "purpose": serving.purpose,
        "definition_of_bad": card.definition_of_bad,
        "horizon": card.horizon,
        "base_points": card.base_points,
        "reference_score": card.reference_score,
        "inputs": [_input(segment, entry) for entry in card.inputs],
        "other_facts": [_fact(fact) for name, fact in FACTS[segment].items() if name not in used],
    }


def _input(segment: str, entry: Input) -> dict[str, Any]:
    fact = FACTS[segment].get(entry.name) or own_fact(entry)
    return _fact(fact) | {"required": entry.required, "special_codes": entry.special_codes, "scale": entry.scale}


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "kind": fact.kind,
        "unit": fact.unit,
        "least": fact.least,
        "most": fact.most,
        "values": list(fact.values),
        "meaning": fact.meaning,
    }


def body_schema(segment: str) -> dict[str, Any]:
    """The JSON schema of a body to score."""
    facts = {name: _property(fact) for name, fact in FACTS[segment].items()}
    beside = {
        "currency": {"type": "string", "enum": list(CURRENCIES), "description": "Of all money in the body."},
        "unavailable": {
            "type": "array",
            "items": {"type": "string", "enum": list(FACTS[segment])},
            "description": "Facts that could not be learnt because their source was down: they count neutrally.",
        },
    }
    return {"type": "object", "properties": facts | beside, "additionalProperties": False}


def _property(fact: Fact) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _JSON_TYPES[fact.kind], "description": f"{fact.meaning} ({fact.unit})."}
    if fact.least is not None:
        described |= {"minimum": fact.least, "maximum": fact.most}
    if fact.values:
        described["enum"] = list(fact.values)
    if fact.kind == "date":
        described["format"] = "date"
    return described | {"nullable": True}
