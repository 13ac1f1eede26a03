"""What management commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.core.management.base import CommandError

from apps.common.errors import DomainError


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refusal of the domain becomes a sentence on stderr and exit status 1."""
    try:
        yield
    except DomainError as refusal:
        raise CommandError(refusal.detail) from None


def read_moment(text: str) -> datetime:
    """ISO 8601; without an offset it is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise CommandError(f"A time is like 2026-03-01T09:30+05:00, not {text[:40]!r}.") from None
