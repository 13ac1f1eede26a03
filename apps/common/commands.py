"""What management commands share."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from apps.common.errors import DomainError


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refusal of the domain becomes a sentence on stderr and exit status 1."""
    try:
        yield
    except DomainError as refusal:
        raise CommandError(refusal.detail) from None
