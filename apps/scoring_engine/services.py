"""Scoring: facts in, one row of the log out, whoever asks. Many at once stand in bulk.py."""

import uuid
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts.models import Branch, User
from apps.audit.models import AuditEvent
from apps.audit.services import new_event
from apps.common.crypto import draw_data_key
from apps.common.facts import Found
from apps.common.inserting import insert_together
from apps.common.models import DataKey
from apps.scoring_engine.metrics import report_prediction
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.preparing import Asked, Prepared, hold_models, prepare
from apps.scoring_engine.presentation import render

__all__ = ["creation_event", "render", "score", "score_caller_facts"]

CALLER = "caller"


@transaction.atomic
def score(
    *,
    segment: str,
    facts: Mapping[str, Found],
    unavailable: Collection[str],
    currency: str,
    data_key: DataKey,
    branch: Branch | None,
    actor: User | None,
    cause: str,
    now: datetime,
    request_id: uuid.UUID | None = None,
    latest: PredictionLog | None = None,
) -> PredictionLog:
    """Score with the champion, and log it; beside it with the challenger, which changes nothing.

    Returns `latest` itself when its inputs and bins are these too, and the row that stands when (request_id, cause) has
    one already: no row is written then. Raises InvalidInput naming each fact that is refused. A `data_key` that was
    only drawn is inserted with the row.
    """
    models = hold_models(segment, now)
    asked = Asked(segment, facts, unavailable, currency, data_key, branch, actor, cause, request_id, latest)
    prepared = prepare(models, asked)
    return prepared.row if prepared.row is latest else _insert(prepared, asked)


def score_caller_facts(
    *,
    segment: str,
    body_facts: Mapping[str, Any],
    unavailable: Collection[str] = (),
    currency: str | None = None,
    actor: User,
    now: datetime,
    cause: str = "api",
) -> PredictionLog:
    """Score facts that the caller sent, under a data key of their own; no credit request rests on the row."""
    facts = {name: Found(value, CALLER, now) for name, value in body_facts.items()}
    return score(
        segment=segment,
        facts=facts,
        unavailable=unavailable,
        currency=currency or settings.DEFAULT_CURRENCY,
        data_key=draw_data_key(),
        branch=actor.branch,
        actor=actor,
        cause=cause,
        now=now,
    )


def creation_event(row: PredictionLog) -> AuditEvent:
    details = {"segment": row.segment, "mode": row.mode, "model_digest": row.card_id, "cause": row.cause}
    return new_event(actor=row.actor, action="prediction.create", subject=row, details=details)


def _insert(prepared: Prepared, asked: Asked) -> PredictionLog:
    row = prepared.row
    keys = [asked.data_key] if asked.data_key._state.adding else []
    # Only a request's row can meet one that stands already; the transaction goes on with that one then.
    guard = nullcontext() if row.request_id is None else transaction.atomic()
    try:
        with guard:
            insert_together(*keys, *prepared.rows, creation_event(row))
    except IntegrityError:
        standing = PredictionLog.objects.filter(request_id=row.request_id, cause=row.cause).first()
        if row.request_id is None or standing is None:
            raise
        return standing
    transaction.on_commit(lambda: report_prediction(row))
    return row
