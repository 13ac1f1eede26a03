"""Scoring: facts in, one row of the log out, whoever asks. Many at once stand in bulk.py."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts.models import Branch, User
from apps.audit.models import AuditEvent
from apps.audit.services import new_event
from apps.common.crypto import draw_data_key, open_key
from apps.common.facts import Found
from apps.common.inserting import insert_together
from apps.common.models import DataKey
from apps.scoring_engine.log_rows import LogRow
from apps.scoring_engine.metrics import report_prediction
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.preparing import Asked, hold_models, prepare, told
from apps.scoring_engine.presentation import render

__all__ = ["creation_details", "render", "score", "score_caller_facts"]

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
    asked = Asked(
        segment,
        *told(facts),
        unavailable,
        currency,
        open_key(data_key),
        branch and branch.id,
        actor and actor.id,
        cause,
        request_id,
        latest and latest.inputs_digest,
    )
    prepared = prepare(hold_models(segment, now), asked)
    if prepared.row is None:
        return latest
    rows = [row.as_prediction() for row in prepared.rows]
    for row in rows:
        row.data_key, row.branch, row.actor = data_key, branch, actor
    return _insert(rows)


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


def creation_details(row: PredictionLog | LogRow) -> dict[str, str]:
    return {"segment": row.segment, "mode": row.mode, "model_digest": row.card_id, "cause": row.cause}


def _creation_event(row: PredictionLog) -> AuditEvent:
    return new_event(actor=row.actor, action="prediction.create", subject=row, details=creation_details(row))


def _insert(rows: Sequence[PredictionLog]) -> PredictionLog:
    row = rows[0]
    keys = [row.data_key] if row.data_key._state.adding else []
    # Only a request's row can meet one that stands already; the transaction goes on with that one then.
    guard = nullcontext() if row.request_id is None else transaction.atomic()
    try:
        with guard:
            insert_together(*keys, *rows, _creation_event(row))
    except IntegrityError:
        standing = PredictionLog.objects.filter(request_id=row.request_id, cause=row.cause).first()
        if row.request_id is None or standing is None:
            raise
        return standing
    transaction.on_commit(lambda: report_prediction(row))
    return row
