"""How often one caller may ask: two counts a caller, so that counting costs the same at ten calls and at a million.

Django REST framework's own keeps the time of every call of the last minute, and reads and writes them all each time.
Apart from apps.common.api, because Django REST framework loads its throttles before its views.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle


class Window(SimpleRateThrottle):
    """The window before counts as far as it overlaps the one that ends now, as if its calls had been even."""

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.get_cache_key(request, view) if self.rate is not None else None
        if key is None:
            return True
        window, self.passed = divmod(self.timer(), self.duration)
        before, calls = self._counts(self.cache.get(key), window)
        if calls + before * (1 - self.passed / self.duration) >= self.num_requests:
            return False
        self.cache.set(key, (window, before, calls + 1), timeout=2 * self.duration)
        return True

    @staticmethod
    def _counts(kept: tuple[float, int, int] | None, window: float) -> tuple[int, int]:
        """Calls in the window before this one, and in this one so far."""
        if kept is None or kept[0] < window - 1:
            return 0, 0
        return (kept[2], 0) if kept[0] < window else kept[1:]

    def wait(self) -> float:
        """Seconds until this window ends."""
        return self.duration - self.passed


class UserWindow(Window, UserRateThrottle):
    """Of somebody who is signed in."""


class AnonWindow(Window, AnonRateThrottle):
    """Of an address."""
