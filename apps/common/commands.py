"""What management commands share."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TypeVar

from django.core.management.base import CommandError

from apps.common.errors import DomainError

Show = Callable[..., None]
Item = TypeVar("Item")


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


def read_day(text: str, *, option: str | None = None, returncode: int = 1) -> date:
    """ISO 8601; a refusal names the `option`, where one is given."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        wanted = f"{option} must be a day such as" if option else "A day is like"
        raise CommandError(f"{wanted} 2026-03-01, not {text[:40]!r}.", returncode=returncode) from None


@contextmanager
def progress_bar() -> Iterator[Show]:
    """A bar on stderr, from the first call of what is yielded: (what is being done, how much is done, of how much)."""
    # Not at the top: only the commands that take long need it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<40.40}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
               TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("", visible=False)

        def show(doing: str, done: float, total: float = 1.0) -> None:
            bar.update(task, description=doing, completed=done, total=total, visible=True)

        yield show


def each_shown(items: Sequence[Item], doing: str, show: Show) -> Iterator[Item]:
    """The items, and on the bar how many of them are done."""
    for done, item in enumerate(items, start=1):
        yield item
        show(doing, done, len(items))
