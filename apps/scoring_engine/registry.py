"""Which models score a segment now.

Read inside the transaction of each scoring, so that a promotion or a rollback counts at once in every process. What a
model is never changes under its digest, so scorers are kept in the process; which of them is in service never is.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.db import connection

from apps.common.compiled import CompiledRead, columns_of
from apps.common.sentences import Sentence
from apps.scoring_engine.metrics import report_unusable_challenger
from apps.scoring_engine.ml.risk_model import ModelFileError, expert_card, read_model_bytes
from apps.scoring_engine.ml.scorer import Scorer
from apps.scoring_engine.models import (
    CHALLENGER,
    CHAMPION,
    ESTIMATOR,
    ROLES,
    ModelAssignment,
    ModelCard,
    ModelFile,
    ModelVersion,
)

_LOCK = 7_346_021  # of PostgreSQL's advisory locks; any number that nothing else here takes
# Neither of these long ones tells which model scores.
_COLUMNS = columns_of(ModelVersion, without=("manifest", "types"))
_HOLD = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
_IN_SERVICE = CompiledRead(lambda segment: ModelVersion.objects.in_service(segment), _COLUMNS, first=_HOLD)
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


def hold_registry() -> None:
    """To change what is in service: nobody scores until this transaction ends.

    SQLite writes one transaction at a time as it is; on PostgreSQL an advisory lock costs no write.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def in_service(segment: str) -> tuple[Serving, Serving | None]:
    """The champion, or the expert card and why it stands in; and the challenger, if there is a usable one.

    Until this transaction ends nothing in service changes: those who change it wait, as this waits for them.
    """
    rows = _IN_SERVICE.rows(segment)
    models = [ModelVersion.from_db(connection.alias, _COLUMNS, row) for row in rows]
    found = {model.state: model for model in models}
    return _champion(segment, found.get(CHAMPION)), _challenger(found.get(CHALLENGER))


def champion(segment: str) -> Serving:
    return _champion(segment, ModelVersion.objects.in_service(segment).filter(state=CHAMPION).first())


def model_at(segment: str, role: str, moment: datetime) -> ModelVersion | None:
    """Which model was champion or challenger then; None when nobody was, and the expert card scored."""
    held = ModelAssignment.objects.in_force(moment).filter(segment=segment, role=role)
    assignment = held.select_related("model").first()
    return assignment and assignment.model


def champion_at(segment: str, moment: datetime) -> ModelVersion | None:
    return model_at(segment, CHAMPION, moment)


def scorer_of(model: ModelVersion) -> Scorer:
    """The model, ready to score. Raises ModelFileError, one clause, when its bytes are not what was registered, or
    hold more than data and nobody but their maker has approved them.
    """
    if model.kind == ESTIMATOR and model.checked_by_id is None:
        raise ModelFileError(Sentence("it is not read before somebody other than its maker approved it"))
    return _read(model.kind, model.file_id, model.card_id)


def _champion(segment: str, model: ModelVersion | None) -> Serving:
    if model is None:
        latest = ModelAssignment.objects.filter(segment=segment, role=CHAMPION).order_by("-id").first()
        since = latest.started_at if latest else _ALWAYS
        return _fallback(segment, f"The expert card is used: {NONE_REGISTERED}.", since)
    try:
        scorer = scorer_of(model)
    except ModelFileError as error:
        return _fallback(segment, f"The expert card is used instead of {model.version}: {error}.", model.since)
    return _serving(model, scorer)


def _challenger(model: ModelVersion | None) -> Serving | None:
    """None as well for one that cannot be read, which log and metric tell, and the next scoring tries again."""
    if model is None:
        return None
    try:
        return _serving(model, scorer_of(model))
    except ModelFileError as error:
        report_unusable_challenger(model.segment, model.version, str(error))
        return None


def _serving(model: ModelVersion, scorer: Scorer) -> Serving:
    """Whatever its maker says of it, a model is the lender's own once it was validated on the lender's own data."""
    purpose = "own" if model.on_own_data else "demonstration"
    return Serving(scorer, "model", "", purpose, model.since)


def stand_in(serving: Serving, why: str) -> Serving:
    """The expert card, for an applicant whom the model in service gives no score."""
    scorer = serving.scorer
    reason = f"The expert card is used instead of {scorer.version}: {why}."
    return _fallback(scorer.segment, reason, serving.since)


def _fallback(segment: str, reason: str, since: datetime) -> Serving:
    card = expert_card(segment)
    return Serving(card, "fallback", reason, card.purpose, since)


@lru_cache(maxsize=32)
def _read(kind: str, file_digest: str, card_digest: str) -> Scorer:
    content = bytes(ModelFile.objects.get(digest=file_digest).content)
    if hashlib.sha256(content).hexdigest() != file_digest:
        raise ModelFileError(Sentence("its bytes are no longer those that were registered"))
    scorer = _estimator(content, card_digest) if kind == ESTIMATOR else read_model_bytes(content)
    if scorer.digest != card_digest:
        raise ModelFileError(Sentence("its document is not the one that was registered"))
    return scorer


def _estimator(content: bytes, card_digest: str) -> Scorer:
    # Not at the top: only a process that serves an estimator needs it.
    from apps.scoring_engine.ml.estimators.estimator import read_estimator

    return read_estimator(content, json.loads(ModelCard.objects.get(digest=card_digest).text))


__all__ = [
    "ROLES",
    "Serving",
    "champion",
    "champion_at",
    "hold_registry",
    "in_service",
    "model_at",
    "scorer_of",
    "stand_in",
]
