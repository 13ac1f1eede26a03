"""Signing in to the pages: a session in a cookie, where the API has tokens."""

from datetime import datetime

from django.contrib.auth import login, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.models import User
from apps.audit.services import record_event


@transaction.atomic
def start_session(*, request: HttpRequest, user: User) -> None:
    """For somebody whose password was just found right."""
    login(request, user)
    record_event(actor=user, action="session.start", subject=user)


@transaction.atomic
def end_session(*, request: HttpRequest, actor: User) -> None:
    record_event(actor=actor, action="session.end", subject=actor)
    logout(request)


@transaction.atomic
def forget_expired_sessions(*, now: datetime) -> dict[str, int]:
    """Their cookies open nothing any more."""
    return {"sessions": Session.objects.filter(expire_date__lt=now).delete()[0]}
