"""The one way to make an audit event."""

from typing import Any

import structlog
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models

from apps.audit.models import AuditEvent


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
    if not connection.in_atomic_block:
        raise RuntimeError("An audit event belongs to the transaction of the write that it records.")
    return AuditEvent(
        actor=actor,
        action=action,
        subject_type=subject._meta.label,
        subject_id=str(subject.pk),
        details=details or {},
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
