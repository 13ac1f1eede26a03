"""The one way to write an audit event."""

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
    if not connection.in_atomic_block:
        raise RuntimeError("An audit event belongs to the transaction of the write that it records.")
    return AuditEvent.objects.create(
        actor=actor,
        action=action,
        subject_type=subject._meta.label,
        subject_id=str(subject.pk),
        details=details or {},
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
