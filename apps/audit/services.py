"""The one way to make an audit event."""

from collections.abc import Iterable
from typing import Any

import structlog
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.common.inserting import insert_rows

_COLUMNS = ("created_at", "actor_id", "action", "subject_type", "subject_id", "details", "request_id")
# action, subject, details: as of record_event, the subject by model and id
Told = tuple[str, type[models.Model], Any, dict[str, Any]]


def insert_events(actor: AbstractBaseUser | None, events: Iterable[Told]) -> None:
    """Many at once, for a service that writes many rows at once."""
    _check_atomic()
    now, actor_id, request_id = timezone.now(), actor and actor.pk, _request_id()
    rows = (
        (now, actor_id, action, subject._meta.label, str(subject_id), details, request_id)
        for action, subject, subject_id, details in events
    )
    insert_rows(AuditEvent, _COLUMNS, rows)


def record_event(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    subject: models.Model,
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Record `action` ("individual.create") on `subject`. Must run inside the transaction of the write."""
    event = new_event(actor=actor, action=action, subject=subject, details=details)
    event.save(force_insert=True)
    return event


def new_event(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    subject: models.Model,
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """One for a service that inserts it with what it records, in one statement."""
    _check_atomic()
    return AuditEvent(
        actor=actor,
        action=action,
        subject_type=subject._meta.label,
        subject_id=str(subject.pk),
        details=details or {},
        request_id=_request_id(),
    )


def _check_atomic() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An audit event belongs to the transaction of the write that it records.")


def _request_id() -> str:
    return structlog.contextvars.get_contextvars().get("request_id", "")
