"""What is known of a source through the cache belongs to one test."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _nothing_known_of_sources() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
