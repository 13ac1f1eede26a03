"""A fact as it was found: its value, where it comes from, and as of when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Found:
    """`source`: profile, request, bureau, soliq, kadastr or caller. `origin`: mock or http, for outside sources."""

    value: int | float | bool | str
    source: str
    at: datetime
    origin: str | None = None
    # Its source was not asked for longer than its records count as fresh.
    is_stale: bool = False

    def provenance(self) -> Mapping[str, str | bool]:
        return _provenance(self.source, self.at, self.origin, self.is_stale)


@lru_cache(maxsize=64)
def _provenance(source: str, at: datetime, origin: str | None, is_stale: bool) -> Mapping[str, str | bool]:
    """One for all facts of one source, which have one time; so nobody changes it."""
    told = {"source": source, "at": at.isoformat()}
    return MappingProxyType(told if origin is None else told | {"origin": origin, "is_stale": is_stale})
