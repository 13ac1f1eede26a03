"""A source that fails again and again is left alone for a while. All processes know it through the shared cache.

closed: everybody asks. After FAILURES in a row within a minute or two it is open: nobody does, for OPEN. Then it is
half_open: one at a time tries, and the first success closes it. A cache that loses its keys closes it, which costs a
few questions.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from apps.external_integrations.counts import count_up, counted
from apps.external_integrations.errors import SourcePaused

FAILURES = 5
WINDOW_SECONDS = 60  # failures of this window and of the one before count
OPEN = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
REMEMBERED = timedelta(days=7)
CLOSED, IS_OPEN, HALF_OPEN = STATES = ("closed", "open", "half_open")


class Breaker:
    """`probe_seconds`: after how long another one may try, should the one who tries never tell what became of it."""

    def __init__(self, source: str, clock: Callable[[], datetime] = timezone.now, *, probe_seconds: float = 30) -> None:
        self.source, self.clock, self.probe_seconds = source, clock, probe_seconds
        self._open_until, self._probe = f"breaker:{source}:open_until", f"breaker:{source}:probe"
        self._probing = False

    def state(self) -> str:
        until = cache.get(self._open_until)
        if until is None:
            return CLOSED
        return IS_OPEN if self.clock() < until else HALF_OPEN

    def check(self) -> None:
        """Raises SourcePaused unless a question may be asked; in half_open it may by one at a time."""
        until = cache.get(self._open_until)
        if until is None:
            return
        now = self.clock()
        # Redis adds atomically. With a cache in files two who look at the same moment may both try.
        if now >= until and cache.add(self._probe, True, math.ceil(self.probe_seconds)):
            self._probing = True
            return
        retry_at = until if now < until else now + timedelta(seconds=1)
        raise SourcePaused(f"{self.source} failed several times or asked for a pause; it is left alone.", retry_at)

    def release(self) -> None:
        """Let somebody else try, if it was we who tried."""
        if self._probing:
            cache.delete(self._probe)
            self._probing = False

    def succeeded(self) -> bool:
        """True when this closed it. While the pause lasts, nothing that was asked before ends it."""
        cache.delete_many(self._windows())
        if self.state() != HALF_OPEN:
            return False
        cache.delete_many([self._open_until, self._probe])
        return True

    def failed(self) -> None:
        this, before = self._windows()
        failures = count_up(this, seconds=2 * WINDOW_SECONDS) + counted(before)
        until = cache.get(self._open_until)
        if failures >= FAILURES or until is not None:
            later = self.clock() + OPEN
            self.pause_until(later if until is None else max(later, until))

    def pause_until(self, moment: datetime) -> None:
        """At most LONGEST_PAUSE from now."""
        until = min(moment, self.clock() + LONGEST_PAUSE)
        cache.set(self._open_until, until, REMEMBERED.total_seconds())
        cache.delete(self._probe)

    def _windows(self) -> tuple[str, str]:
        """The keys of this window and of the one before."""
        window = int(self.clock().timestamp() // WINDOW_SECONDS)
        return f"breaker:{self.source}:failures:{window}", f"breaker:{self.source}:failures:{window - 1}"
