"""A fact as it was found: its value, where it comes from, and as of when."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Found:
    """`source`: profile, request, bureau, soliq, kadastr or caller. `origin`: mock or http, for outside sources."""

    value: int | float | bool | str
    source: str
    at: datetime
    origin: str | None = None
    # Its source was not asked for longer than its records count as fresh.
    is_stale: bool = False

    def provenance(self) -> dict[str, str | bool]:
        told = {"source": self.source, "at": _moment(self.at)}
        return told if self.origin is None else told | {"origin": self.origin, "is_stale": self.is_stale}


@lru_cache(maxsize=64)
def _moment(at: datetime) -> str:
    """All facts of one source have one time."""
    return at.isoformat()
