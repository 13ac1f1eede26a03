"""Which models score a segment now.

Read inside the transaction of each scoring, so that a promotion or a rollback counts at once in every process. What a
model is never changes under its digest, so scorers are kept in the process; which of them is in service never is.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.db import connection

from apps.scoring_engine.ml.risk_model import ModelFileError, expert_card, read_model_bytes
from apps.scoring_engine.ml.scorer import Scorer
from apps.scoring_engine.models import CHALLENGER, CHAMPION, ROLES, ModelVersion

_LOCK = 7_346_021  # of PostgreSQL's advisory locks; any number that nothing else here takes
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NONE_REGISTERED = "no model of this segment is in service; register_shipped_models registers the shipped one"


@dataclass(frozen=True, slots=True)
class Serving:
    """mode: model | fallback; reason: one sentence, of a fallback only; since: when the model came into service."""

    scorer: Scorer
    mode: str
    reason: str
    purpose: str
    since: datetime


def hold_registry(*, to_change: bool = False) -> None:
    """Until this transaction ends nothing in service changes (or, to change it, nobody scores).

    SQLite writes one transaction at a time as it is; on PostgreSQL an advisory lock costs no write.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            shared = "" if to_change else "_shared"
            cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", [_LOCK])


def in_service(segment: str) -> tuple[Serving, Serving | None]:
    """The champion, or the expert card and why it stands in; and the challenger, if there is a usable one."""
    found = {model.state: model for model in ModelVersion.objects.in_service(segment)}
    return _champion(segment, found.get(CHAMPION)), _challenger(found.get(CHALLENGER))


def champion(segment: str) -> Serving:
    return in_service(segment)[0]


def scorer_of(model: ModelVersion) -> Scorer:
    """The model, ready to score. Raises ModelFileError, one clause, when its bytes are not what was registered."""
    return _read(model.file_id, model.card_id)


def _champion(segment: str, model: ModelVersion | None) -> Serving:
    if model is None:
        return _fallback(segment, f"The expert card is used: {NONE_REGISTERED}.")
    try:
        scorer = scorer_of(model)
    except ModelFileError as error:
        return _fallback(segment, f"The expert card is used instead of {model.version}: {error}.")
    return _serving(model, scorer)


def _challenger(model: ModelVersion | None) -> Serving | None:
    if model is None:
        return None
    try:
        return _serving(model, scorer_of(model))
    except ModelFileError:
        return None


def _serving(model: ModelVersion, scorer: Scorer) -> Serving:
    purpose = "own" if model.on_own_data else scorer.purpose
    return Serving(scorer, "model", "", purpose, model.since)


def _fallback(segment: str, reason: str) -> Serving:
    card = expert_card(segment)
    return Serving(card, "fallback", reason, card.purpose, _ALWAYS)


@lru_cache(maxsize=32)
def _read(file_digest: str, card_digest: str) -> Scorer:
    model = ModelVersion.objects.select_related("file").get(file_id=file_digest, card_id=card_digest)
    content = bytes(model.file.content)
    if hashlib.sha256(content).hexdigest() != file_digest:
        raise ModelFileError("its bytes are no longer those that were registered")
    scorer = read_model_bytes(content)
    if scorer.digest != card_digest:
        raise ModelFileError("its document is not the one that was registered")
    return scorer


__all__ = ["ROLES", "Serving", "champion", "hold_registry", "in_service", "scorer_of"]
