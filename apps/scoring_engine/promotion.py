"""Into service and out of it: each change is a row of the history, with who did it and why."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict, InvalidInput
from apps.common.sentences import Sentence
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.models import (
    CHALLENGER,
    CHAMPION,
    RETIRED,
    ROLES,
    ModelAssignment,
    ModelVersion,
    PredictionLog,
)
from apps.scoring_engine.registry import hold_registry, scorer_of
from apps.scoring_engine.transitions import state_after
from apps.scoring_engine.validation import check_may_serve


def promote_model(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """Make it champion of its segment; the champion until now retires."""
    return _put(model, CHAMPION, "promote", actor, reason, now)


def challenge(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """Let it score live traffic beside the champion; it decides nothing."""
    return _put(model, CHALLENGER, "challenge", actor, reason, now)


def rollback_champion(*, segment: str, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """The champion that the present one was promoted over serves again; asked twice, it does not come back.

    Raises Conflict when there was none that may serve.
    """
    _check_reason(reason)
    seen = _standing(segment, CHAMPION)
    before = _champion_before(segment, seen)
    _check_usable(before)
    with transaction.atomic():
        _hold_as_seen(segment, CHAMPION, seen)
        before.refresh_from_db()
        return take_over(
            model=before, role=CHAMPION, action="rollback", actor=actor, reason=reason, now=now or timezone.now()
        )


@transaction.atomic
def retire_model(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelVersion:
    """Out of service for good or until it is promoted again. Without a champion the expert card scores, and says so."""
    _check_reason(reason)
    hold_registry()
    model = ModelVersion.objects.get(id=model.id)
    _retire(model, actor, reason, now or timezone.now())
    return model


def take_over(
    *, model: ModelVersion, role: str, action: str, actor: User | None, reason: str, now: datetime
) -> ModelAssignment:
    """`model` takes the role, whoever had it retires. The registry must be held for change."""
    standing = _standing(model.segment, role)
    if standing == model:
        raise Conflict(
            Sentence(
                "{model} is the {model_role} of {segment} already.",
                model=model.version,
                model_role=role,
                segment=model.segment,
            )
        )
    state = state_after("promote" if action == "rollback" else action, model.state)
    check_may_serve(model)
    now = _not_before(model.segment, now)
    if standing is not None:
        _move(standing, RETIRED, now)
    if model.state in ROLES:
        _record(model.segment, model.state, None, action, actor, reason, now)
    _move(model, state, now)
    return _record(model.segment, role, model, action, actor, reason, now)


def _put(
    model: ModelVersion, role: str, action: str, actor: User, reason: str, now: datetime | None
) -> ModelAssignment:
    _check_reason(reason)
    seen = _standing(model.segment, role)
    _check_usable(model)
    with transaction.atomic():
        _hold_as_seen(model.segment, role, seen)
        model = ModelVersion.objects.get(id=model.id)
        return take_over(model=model, role=role, action=action, actor=actor, reason=reason, now=now or timezone.now())


def _standing(segment: str, role: str) -> ModelVersion | None:
    return ModelVersion.objects.in_service(segment).filter(state=role).first()


def _hold_as_seen(segment: str, role: str, seen: ModelVersion | None) -> None:
    """Of two people at the same moment the second learns of the first, and does not undo what they never saw."""
    hold_registry()
    standing = _standing(segment, role)
    if standing != seen:
        now = standing.version if standing else Sentence("nobody")
        raise Conflict(
            Sentence(
                "Somebody else changed the {model_role} of {segment} at this moment: it is {now} now. Look again.",
                model_role=role,
                segment=segment,
                now=now,
            )
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput.of(reason=Sentence("Say why; the history keeps it."))


def _check_usable(model: ModelVersion) -> None:
    """Its file is read here, before scorings have to wait for this change; and only when it may serve at all."""
    check_may_serve(model)
    try:
        scorer_of(ModelVersion.objects.get(id=model.id))
    except ModelFileError as error:
        raise Conflict(
            Sentence("{model} cannot be put into service: {error}.", model=model.version, error=error.args[0])
        ) from None


def _champion_before(segment: str, standing: ModelVersion | None) -> ModelVersion:
    """Whom the present champion took over from when it was promoted last; the last one, where there is none now."""
    history = ModelAssignment.objects.filter(segment=segment, role=CHAMPION).order_by("-id")
    if standing is not None:
        promoted = history.filter(model=standing, action="promote").first()
        history = history.filter(id__lt=promoted.id if promoted else 0).exclude(model=standing)
    for assignment in history.filter(model__isnull=False).select_related("model"):
        if _may_serve(assignment.model):
            return assignment.model
    raise Conflict(
        Sentence("No other model was champion of {segment} before; there is nothing to go back to.", segment=segment)
    )


def _may_serve(model: ModelVersion) -> bool:
    try:
        check_may_serve(model)
    except Conflict:
        return False
    return True


def _retire(model: ModelVersion, actor: User | None, reason: str, now: datetime) -> None:
    role, now = model.state, _not_before(model.segment, now)
    _move(model, state_after("retire", role), now)
    if role in ROLES:
        _record(model.segment, role, None, "retire", actor, reason, now)
    else:
        record_event(actor=actor, action="model.retire", subject=model, details={"reason": reason})


def _not_before(segment: str, now: datetime) -> datetime:
    """The history runs forward even when a clock ran back, and no scoring that stands is of the time from now on."""
    latest = ModelAssignment.objects.filter(segment=segment).order_by("-id").first()
    scored = PredictionLog.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    after_it = [scored + timedelta(microseconds=1)] if scored else []
    return max([now, *([latest.started_at] if latest else []), *after_it])


def _move(model: ModelVersion, state: str, now: datetime) -> None:
    model.state, model.since = state, now
    model.save(update_fields=["state", "since"])


def _record(
    segment: str,
    role: str,
    model: ModelVersion | None,
    action: str,
    actor: User | None,
    reason: str,
    now: datetime,
) -> ModelAssignment:
    assignment = ModelAssignment.objects.create(
        segment=segment, role=role, model=model, started_at=now, actor=actor, action=action, reason=reason
    )
    details = {"segment": segment, "role": role, "model": model and model.version, "reason": reason}
    record_event(actor=actor, action=f"model.{action}", subject=model or assignment, details=details)
    return assignment
