"""The role of the processes in tests on PostgreSQL. Roles are the cluster's: each process of the suite has its own."""

import os
from unittest import TestCase

import psycopg
from django.db import connection

from apps.common.roles import create_process_role

PASSWORD = "only for this test"


def own_role(name: str) -> str:
    return f"{name}_{os.getpid()}"


def connect_as_processes(test: TestCase, *, role: str) -> psycopg.Connection:
    """A connection of its own, as `role`, to the committed database of `test`; both are gone when the test ends."""
    create_process_role(database=connection, role=role, password=PASSWORD)
    test.addCleanup(_remove, role)
    given = connection.get_connection_params()
    names = {name: given[name] for name in ("host", "port", "dbname")}
    held = psycopg.connect(**names, user=role, password=PASSWORD, autocommit=True)
    test.addCleanup(held.close)
    return held


def _remove(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {role}")
        cursor.execute(f"DROP ROLE {role}")
