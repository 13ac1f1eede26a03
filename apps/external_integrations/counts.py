"""Counts that all processes share, in django's default cache.

Redis counts atomically. A cache in files reads and writes in two steps: of two processes that count at the same moment
one may be lost, so that a quota lets one more through and a breaker opens one failure later. A cache in memory counts
atomically, but each process for itself.
"""

from django.core.cache import cache


def count_up(key: str, by: int = 1, *, seconds: float | None) -> int:
    """The count with this, which is forgotten so many seconds later, or never."""
    cache.add(key, 0, seconds)
    try:
        counted = cache.incr(key, by)
    except ValueError:  # forgotten in between
        cache.set(key, by, seconds)
        return by
    # A cache in files sets its own default of five minutes with each count.
    cache.touch(key, seconds)
    return counted


def counted(key: str) -> int:
    return cache.get(key, 0)
