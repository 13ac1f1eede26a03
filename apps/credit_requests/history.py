"""Every step of a request, who took it, when and why: the audit trail in its order, told with the rows it speaks of."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from apps.audit.models import AuditEvent
from apps.common.crypto import DataErased
from apps.credit_requests.decision_presentation import render_reasons, rests_on_mock
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.scoring_engine.models import PredictionLog

_TEXTS = Path(__file__).with_name("history_texts.toml")
OVERRIDES = "override."
CREATE, SCORE = "create", "score"  # the second wrote the prediction that it names
EMPTY: dict[str, Any] = dict.fromkeys(
    (
        *("outcome", "policy_outcome", "direction", "reason_code", "comment", "prediction", "decision", "override"),
        "rests_on_mock",
    )
)


class Rows(NamedTuple):
    """What the steps speak of, by id."""

    created_at: datetime
    predictions: dict[UUID, PredictionLog]
    decisions: dict[UUID, Decision]
    overrides: dict[UUID, Override]


@cache
def history_texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def history_of(credit_request: CreditRequest, language: str) -> list[dict[str, Any]]:
    """The steps, first to last. What was sealed is null once the applicant was erased.

    A step is told at the moment of the row that it wrote, where it wrote one: requests of the demo came over weeks, and
    were recorded on one day.
    """
    rows = _rows(credit_request)
    of_request = Q(subject_type=CreditRequest._meta.label, subject_id=str(credit_request.id))
    of_overrides = Q(subject_type=Override._meta.label, subject_id__in=[str(each) for each in rows.overrides])
    events = AuditEvent.objects.filter(of_request | of_overrides).select_related("actor").order_by("id")
    return [_step(event, rows, language) for event in events]


def _rows(credit_request: CreditRequest) -> Rows:
    predictions = PredictionLog.objects.of_champions().filter(request_id=credit_request.id)
    overrides = credit_request.overrides.select_related("data_key")
    return Rows(
        credit_request.created_at,
        {row.id: row for row in predictions.defer("sealed")},
        {row.id: row for row in credit_request.decisions.with_everything()},
        {row.id: row for row in overrides},
    )


def _step(event: AuditEvent, rows: Rows, language: str) -> dict[str, Any]:
    name, told = _told(event, rows, language)
    texts = history_texts()[language]
    return {
        "at": event.created_at,
        "step": name,
        "text": texts.get(name, texts["other"]),
        "by": event.actor and {"id": event.actor.id, "username": event.actor.username},
        "reasons": [],
        "score": None,
        "grade": None,
        "before": event.details.get("before") if name == "change" else None,
        "after": event.details.get("after") if name == "change" else None,
        **EMPTY,
        **told,
    }


def _told(event: AuditEvent, rows: Rows, language: str) -> tuple[str, dict[str, Any]]:
    """The step's name, and what its row says of it."""
    details, (_, _, action) = event.details, event.action.rpartition(".")
    if event.action.startswith(OVERRIDES):
        return _told_of_override(action, rows.overrides[UUID(event.subject_id)])
    if decision := rows.decisions.get(_id(details, "decision")):
        return action, _told_of_decision(action, decision, language)
    if prediction := rows.predictions.get(_id(details, "prediction")):
        told = {"prediction": prediction.id, "score": prediction.score, "grade": prediction.grade}
        return action, told | ({"at": prediction.created_at} if action == SCORE else {})
    return action, {"at": rows.created_at} if action == CREATE else {}


def _told_of_decision(action: str, decision: Decision, language: str) -> dict[str, Any]:
    if action == "letter":
        return {"decision": decision.id}
    return {
        "at": decision.created_at,
        "outcome": decision.outcome,
        "policy_outcome": decision.policy_outcome or None,
        "direction": decision.direction or None,
        "reason_code": decision.reason_code or None,
        "comment": _comment(decision),
        "reasons": render_reasons(decision, language),
        "rests_on_mock": rests_on_mock(decision.records),
        "prediction": decision.prediction_id,
        "decision": decision.id,
        "override": decision.override_id,
    }


def _told_of_override(action: str, override: Override) -> tuple[str, dict[str, Any]]:
    asked = action == "request"
    told = {
        "at": override.requested_at if asked else override.closed_at,
        "outcome": override.outcome,
        "direction": override.direction or None,
        "reason_code": override.reason_code,
        "comment": _comment(override) if asked else _closing_comment(override),
        "prediction": override.prediction_id,
        "override": override.id,
    }
    return f"override_{'alone' if asked and not override.needs_second_person else action}", told


def _comment(row: Decision | Override) -> str | None:
    try:
        return row.opened()["comment"] or None
    except DataErased:
        return None


def _closing_comment(override: Override) -> str | None:
    try:
        return override.closing_comment() or None
    except DataErased:
        return None


def _id(details: Mapping[str, Any], name: str) -> UUID | None:
    return UUID(details[name]) if details.get(name) else None
