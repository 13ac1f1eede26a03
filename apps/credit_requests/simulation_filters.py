"""Which past requests a simulation looks at."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from apps.common.errors import InvalidInput
from apps.policies.names import CHANNELS

ALL = "all"
SHOWN = "since=2026-01-01 until=2026-07-01 branch=main product=consumer-1 channel=online"


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Days as the lender counts them, of when a request was made; `until` is the first day that is left out."""

    since: date | None = None
    until: date | None = None
    branch: str | None = None
    product: str | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise InvalidInput.of(until=f"The span is empty: it must end after {self.since}, not on {self.until}.")
        if self.channel is not None and self.channel not in CHANNELS:
            raise InvalidInput.of(channel=f"{self.channel[:40]!r} was given; allowed are {', '.join(CHANNELS)}.")

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.as_dict().items()) or ALL

    def as_dict(self) -> dict[str, str]:
        """What is asked for, as text."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: str(value) for name, value in given.items() if value is not None}


NAMES = tuple(one.name for one in fields(RequestFilter))


def read_filter(text: str) -> RequestFilter:
    """From name=value pairs with spaces between them, or `all`. Raises InvalidInput naming what is allowed."""
    given: dict[str, Any] = {}
    for part in text.split() if text.strip() != ALL else ():
        name, equals, value = part.partition("=")
        if name not in NAMES or not equals or not value:
            raise InvalidInput.of(requests=f"{part[:60]!r} was given; allowed are {ALL}, or pairs such as {SHOWN}.")
        if name in given:
            raise InvalidInput.of(requests=f"{name} is given twice.")
        given[name] = _day(name, value) if name in ("since", "until") else value
    if not given and text.strip() != ALL:
        raise InvalidInput.of(requests=f"Nothing was given; allowed are {ALL}, or pairs such as {SHOWN}.")
    return RequestFilter(**given)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.of(**{name: f"{text[:40]!r} was given; allowed is a day such as 2026-01-01."}) from None
