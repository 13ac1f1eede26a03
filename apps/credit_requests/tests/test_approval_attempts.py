"""A thousand approvals that may not be, written past the services; on PostgreSQL by the role of the processes."""

from itertools import cycle, islice, product

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.tests.factories import make_branch, make_user
from apps.common.roles import create_process_role
from apps.common.tests.process_role import PASSWORD, own_role
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import NOW, decision_row, make_approver, override_row, policy_row
from apps.credit_requests.tests.factories import make_officer, make_request

pytestmark = pytest.mark.django_db
ATTEMPTS = 1_000
ROLE = own_role("processes_that_approve")
INSERT = "INSERT INTO credit_requests_decision ({columns}) VALUES ({places})"
CONFIRM = "UPDATE credit_requests_override SET state = 'confirmed', closed_by_id = %s, closed_at = %s WHERE id = %s"


@pytest.fixture
def request_():
    return make_request()


@pytest.fixture
def people(request_):
    """By what they are: those who may make or check a decision of the request, and those who may do neither."""
    found = {
        "officer": make_officer(),
        "second officer": make_officer(),
        "approver": make_approver(),
        "second approver": make_approver(),
        "linked officer": make_officer(),
        "linked approver": make_approver(),
        "officer of another branch": make_officer("other"),
        "approver of another branch": make_approver("other"),
        "analyst": make_user("analyst", make_branch()),
        "auditor": make_user("auditor", make_branch()),
        "service account": make_officer(),
        "officer who left": make_officer(),
    }
    for name in ("linked officer", "linked approver"):
        user = found[name]
        declare_staff_link(user=user, applicant=request_.individual, relation="relative", actor=user, now=NOW)
    found["service account"].kind = "service"
    found["officer who left"].is_active = False
    for name in ("service account", "officer who left"):
        found[name].save()
    return found


MAKERS = {"officer", "second officer", "approver", "second approver"}
CHECKERS = {"approver", "second approver"}


def pairs(people):
    """(maker, checker) that the rules refuse, again and again; no checker for a decision of one."""
    names = list(people)
    wrong = [
        (maker, checker)
        for maker, checker in product(names, names)
        if maker == checker or maker not in MAKERS or checker not in CHECKERS
    ]
    return list(islice(cycle(wrong), ATTEMPTS))


@pytest.fixture
def as_processes():
    if connection.vendor != "postgresql":
        yield
        return
    create_process_role(database=connection, role=ROLE, password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def insert(row):
    """In plain SQL, with the columns as the ORM would write them."""
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    statement = INSERT.format(
        columns=", ".join(field.column for field in fields), places=", ".join(["%s"] * len(fields))
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_thousand_decisions_of_two_who_may_not(request_, people, request):
    policy, refused = policy_row(), 0
    request.getfixturevalue("as_processes")
    for maker, checker in pairs(people):
        row = decision_row(request_, policy, kind="person", made_by=people[maker], checked_by=people[checker])
        with pytest.raises(DatabaseError), transaction.atomic():
            insert(row)
        refused += 1
    assert (refused, Decision.objects.count()) == (ATTEMPTS, 0)
    insert(decision_row(request_, policy, kind="person", made_by=people["officer"], checked_by=people["approver"]))
    assert Decision.objects.count() == 1


def test_a_thousand_confirmations_by_who_may_not(request_, people, request):
    referral = {"kind": "referral", "outcome": "refer", "policy_outcome": "", "amount": None}
    decision = decision_row(request_, None, made_by=people["officer"], **referral)
    decision.save(force_insert=True)
    CreditRequest.objects.filter(id=request_.id).update(status="referred")
    override = override_row(request_, decision, people["approver"])
    override.save(force_insert=True)
    request.getfixturevalue("as_processes")
    wrong = [user for name, user in people.items() if name != "second approver"]
    for user in islice(cycle(wrong), ATTEMPTS):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CONFIRM, [user.id, NOW, _id(override)])
    assert list(Override.objects.values_list("state", "closed_by")) == [("waiting", None)]
    with connection.cursor() as cursor:
        cursor.execute(CONFIRM, [people["second approver"].id, NOW, _id(override)])
    assert Override.objects.get().closed_by == people["second approver"]


def _id(row):
    return row._meta.pk.get_db_prep_save(row.pk, connection)
