"""Into service and out of it: each change is a row of the history, with who did it and why."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict
from apps.scoring_engine.models import CHALLENGER, CHAMPION, RETIRED, ROLES, ModelAssignment, ModelVersion
from apps.scoring_engine.registry import hold_registry
from apps.scoring_engine.transitions import state_after


@transaction.atomic
def promote_model(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """Make it champion of its segment; the champion until now retires."""
    model, now = _held(model, now)
    return take_over(model=model, role=CHAMPION, action="promote", actor=actor, reason=reason, now=now)


@transaction.atomic
def challenge(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """Let it score live traffic beside the champion; it decides nothing."""
    model, now = _held(model, now)
    return take_over(model=model, role=CHALLENGER, action="challenge", actor=actor, reason=reason, now=now)


@transaction.atomic
def rollback_champion(*, segment: str, actor: User, reason: str, now: datetime | None = None) -> ModelAssignment:
    """The champion before this one serves again. Raises Conflict when there was none."""
    hold_registry(to_change=True)
    standing = ModelVersion.objects.filter(segment=segment, state=CHAMPION).first()
    past = ModelAssignment.objects.filter(segment=segment, role=CHAMPION, model__isnull=False).order_by("-id")
    before = past.exclude(model=standing).select_related("model").first()
    if before is None:
        raise Conflict(f"No other model was champion of {segment} before; there is nothing to go back to.")
    return take_over(
        model=before.model, role=CHAMPION, action="rollback", actor=actor, reason=reason, now=now or timezone.now()
    )


@transaction.atomic
def retire_model(*, model: ModelVersion, actor: User, reason: str, now: datetime | None = None) -> ModelVersion:
    """Out of service for good or until it is promoted again. Without a champion the expert card scores, and says so."""
    model, now = _held(model, now)
    _retire(model, actor, reason, now)
    return model


def take_over(
    *, model: ModelVersion, role: str, action: str, actor: User | None, reason: str, now: datetime
) -> ModelAssignment:
    """`model` takes the role, whoever had it retires. The registry must be held for change."""
    standing = ModelVersion.objects.filter(segment=model.segment, state=role).first()
    if standing == model:
        raise Conflict(f"{model.version} is the {role} of {model.segment} already.")
    state = state_after("promote" if action == "rollback" else action, model.state)
    now = _not_before(model.segment, now)
    if standing is not None:
        _move(standing, RETIRED, now)
    if model.state in ROLES:
        _record(model.segment, model.state, None, action, actor, reason, now)
    _move(model, state, now)
    return _record(model.segment, role, model, action, actor, reason, now)


def _retire(model: ModelVersion, actor: User | None, reason: str, now: datetime) -> None:
    role, now = model.state, _not_before(model.segment, now)
    _move(model, state_after("retire", role), now)
    if role in ROLES:
        _record(model.segment, role, None, "retire", actor, reason, now)
    else:
        record_event(actor=actor, action="model.retire", subject=model, details={"reason": reason})


def _held(model: ModelVersion, now: datetime | None) -> tuple[ModelVersion, datetime]:
    """The model as it is now that nobody else can change the registry, and the time of that."""
    hold_registry(to_change=True)
    return ModelVersion.objects.get(id=model.id), now or timezone.now()


def _not_before(segment: str, now: datetime) -> datetime:
    """The history runs forward even when a clock ran back."""
    latest = ModelAssignment.objects.filter(segment=segment).order_by("-id").first()
    return max(now, latest.started_at) if latest else now


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
