"""The role of the processes on PostgreSQL: tried by acting as it."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.accounts.models import Branch
from apps.accounts.services import create_branch
from apps.audit.models import AuditEvent
from apps.common.database import INSERT_ONLY
from apps.common.errors import Conflict
from apps.common.roles import create_process_role
from apps.common.tests.process_role import own_role
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.tests.factories import put_in_service

pytestmark = pytest.mark.django_db
ROLE, POWERFUL = own_role('credit "process" role'), own_role("powerful")


def test_the_command_says_what_is_missing():
    with pytest.raises(CommandError, match="Set DATABASE_OWNER_URL"):
        call_command("create_database_roles")


@pytest.fixture
def as_processes():
    """Acts as the role until the transaction of the test ends."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    create_process_role(database=connection, role=ROLE, password="it's long")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(ROLE.replace(chr(34), chr(34) * 2))}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


NAMED_BY_DIGEST = ("scoring_engine_modelcard", "scoring_engine_modelfile")


def refused(statement: str) -> None:
    forbidden = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with forbidden, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("as_processes")
def test_it_does_the_work_of_services():
    create_branch(code="main", name="Main", actor=None)
    Branch.objects.update(name="Renamed")
    assert Branch.objects.get().name == "Renamed"
    assert AuditEvent.objects.count() == 1
    Branch.objects.all().delete()


@pytest.mark.usefixtures("as_processes")
def test_it_puts_models_into_service_and_takes_none_away():
    model = put_in_service(small_card())
    assert model.state == "champion"
    refused_by_guard = pytest.raises(IntegrityError, match="never deleted")
    with refused_by_guard, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM scoring_engine_modelversion")


@pytest.mark.usefixtures("as_processes")
def test_it_changes_no_history():
    assert len(INSERT_ONLY) >= 5
    for table in INSERT_ONLY:
        key = "digest" if table in NAMED_BY_DIGEST else "id"
        refused(f"UPDATE {table} SET {key} = {key}")
        refused(f"DELETE FROM {table}")
        refused(f"TRUNCATE {table}")
        refused(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        refused(f"DROP TRIGGER {table}_insert_only ON {table}")
        refused(f"DROP TABLE {table}")


@pytest.mark.usefixtures("as_processes")
def test_it_makes_and_empties_no_tables():
    refused("CREATE TABLE other (id integer)")
    refused("TRUNCATE accounts_branch")
    refused("ALTER TABLE accounts_branch ADD COLUMN x integer")
    refused("DELETE FROM django_migrations")
    refused("SET session_replication_role = replica")


def test_it_is_made_again_without_harm_and_a_powerful_role_is_refused():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    first = create_process_role(database=connection, role=ROLE, password="one")
    assert create_process_role(database=connection, role=ROLE, password="two") == first
    assert (first["read"], first["add"]) == (1, len(INSERT_ONLY))
    assert first["add"] >= 5
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {POWERFUL} SUPERUSER")
    with pytest.raises(Conflict, match="superuser"):
        create_process_role(database=connection, role=POWERFUL, password="x")
