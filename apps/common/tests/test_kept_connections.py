"""Connections that are kept between requests: one that the server ended is found out, and replaced."""

import pytest
from django.db import connection

from apps.common.caches import SharedCache

needs_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")


@needs_postgresql
@pytest.mark.django_db
def test_an_ended_connection_is_not_usable_and_the_next_request_gets_another():
    kept = connection.copy()
    kept.connect()
    assert kept.is_usable()
    with connection.cursor() as cursor:
        # As a restart of the server does.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept.connection.info.backend_pid])
    assert not kept.is_usable()
    kept.health_check_enabled, kept.health_check_done = True, False
    with kept.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    kept.close()
    assert not kept.is_usable()


def test_one_client_of_the_shared_cache_is_kept():
    cache = SharedCache("redis://127.0.0.1:1/0", {})
    reading, writing = cache._cache.get_client("a"), cache._cache.get_client("a", write=True)
    assert cache._cache.get_client("b") is reading
    assert cache._cache.get_client("b", write=True) is writing
