import pytest
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.models import Job
from apps.common.tests.replies import problem
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db


def address(individual):
    return f"/api/individuals/{individual.id}/"


def client(role="officer", branch=None):
    return client_for(make_user(role, branch))


def test_the_fields_given_are_replaced_and_the_rest_stays():
    individual = make_individual(make_branch())
    body = {"version": 1, "salary": None, "phone": "93 111 22 33", "guarantor": None}
    reply = client().patch(address(individual), body)
    assert reply.status_code == 200
    assert reply.json()["version"] == 2
    stored = Individual.objects.get()
    changed = {"salary": None, "phone": "+998931112233", "guarantor": None}
    assert stored.profile == individual.profile | changed
    event = AuditEvent.objects.get(action="individual.update")
    assert event.details == {"fields": ["guarantor", "phone", "salary"], "version": 2}
    assert Job.objects.filter(name="rescore_applicant_requests").count() == 1


def test_a_group_is_replaced_as_a_whole():
    individual = make_individual(make_branch())
    body = {"version": 1, "bureau": {"source": "B", "observed_at": "2026-01-20", "inquiries_6m": 3}}
    bureau = client().patch(address(individual), body).json()["bureau"]
    assert bureau == {
        "source": "B",
        "observed_at": "2026-01-20",
        "inquiries_6m": 3,
        "delinquencies_24m": None,
        "open_accounts": None,
        "revolving_utilisation": None,
        "oldest_account_date": None,
        "public_records": None,
    }


def test_a_stale_version_conflicts():
    individual = make_individual(make_branch())
    officer = client()
    assert officer.patch(address(individual), {"version": 1, "salary": 1}).status_code == 200
    problem(officer.patch(address(individual), {"version": 1, "salary": 2}), 409)
    problem(officer.patch(address(individual), {"version": 2**31 - 1, "salary": 2}), 409)
    assert Individual.objects.get().profile["salary"] == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"salary": 5}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 0}, "version"),
        ({"version": 2**31}, "version"),
        ({"version": 1, "pinfl": "31210632040244"}, "pinfl"),
        ({"version": 1, "currency": "USD"}, "currency"),
        ({"version": 1, "is_demo": True}, "is_demo"),
        ({"version": 1, "branch": "south"}, "branch"),
        ({"version": 1, "score": 800}, "score"),
        ({"version": 1, "full_name": None}, "full_name"),
        ({"version": 1, "birth_date": "1985-03-15"}, "birth_date"),
        ({"version": 1, "credit_history_scale": None}, "credit_history_scale"),
        ({"version": 1, "guarantor": {"name": "Only a name"}}, "guarantor.inn"),
        ({"version": 1, "salary": "abc"}, "salary"),
        ({"version": 1, "incomes": None}, "incomes"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(body, named):
    individual = make_individual(make_branch())
    assert named in problem(client().patch(address(individual), body), 400)
    stored = Individual.objects.get()
    assert (stored.version, stored.profile) == (1, individual.profile)
    assert not AuditEvent.objects.filter(action="individual.update").exists()
    assert not Job.objects.exists()


def test_wrong_role_anonymous_and_other_branch():
    individual = make_individual(make_branch())
    body = {"version": 1, "salary": 5}
    for role in ("approver", "analyst", "auditor", "administrator"):
        problem(client(role).patch(address(individual), body), 403)
    problem(APIClient().patch(address(individual), body), 401)
    problem(client("officer", make_branch("south")).patch(address(individual), body), 404)
    assert Individual.objects.get().profile == individual.profile
