import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import Branch
from apps.audit.models import AuditEvent
from apps.audit.services import record_event

pytestmark = pytest.mark.django_db


def make_event() -> AuditEvent:
    return record_event(actor=None, action="branch.create", subject=Branch.objects.create(code="b", name="B"))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditevent SET action = 'x'", "DELETE FROM audit_auditevent"],
)
def test_the_database_refuses_to_change_history(statement):
    event = make_event()
    with pytest.raises(DatabaseError, match="audit_auditevent is insert-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEvent.objects.get().action == event.action


def test_truncate_is_refused_where_the_engine_has_it():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    make_event()
    # PostgreSQL would otherwise refuse for another reason: foreign keys that are still to be checked.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
        connection.cursor().execute("TRUNCATE audit_auditevent")


@pytest.mark.django_db(transaction=False)
def test_an_event_names_actor_action_and_subject():
    event = make_event()
    assert (event.actor, event.action, event.subject_type) == (None, "branch.create", "accounts.Branch")
