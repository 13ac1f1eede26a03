"""/api/staff-links/: who declares, who reads, who ends, and what a refusal leaves behind: nothing."""

import pytest

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.companies.tests.factories import make_company
from apps.credit_requests.models import StaffLink
from apps.credit_requests.tests.deciders import make_approver
from apps.credit_requests.tests.factories import make_officer
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db
LIST = "/api/staff-links/"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def person():
    return make_individual(make_branch())


def counted():
    return StaffLink.objects.count(), AuditEvent.objects.count()


def declared(user, applicant, /, **body):
    kind = type(applicant).__name__.lower()
    response = client_for(user).post(LIST, {kind: str(applicant.id), "relation": "relative"} | body)
    assert response.status_code == 201, response.json()
    return response.json()


@pytest.mark.parametrize("make", [make_officer, make_approver])
def test_people_declare_their_own_links(person, make):
    user = make()
    body = declared(user, person)
    expected = {"user": user.id, "individual": str(person.id), "company": None, "relation": "relative"}
    assert {name: body[name] for name in expected} == expected
    assert (body["made_by"], body["ended_at"]) == (user.id, None)
    event = AuditEvent.objects.get(action="staff_link.declare")
    assert (event.actor, event.subject_id) == (user, body["id"])


def test_an_administrator_declares_those_of_others_whom_they_do_not_see():
    officer, administrator = make_officer(), make_user("administrator")
    company = make_company(make_branch("other"))
    body = declared(administrator, company, user=officer.id, relation="employer")
    assert (body["user"], body["made_by"], body["company"]) == (officer.id, administrator.id, str(company.id))


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_others_declare_nothing(person, role):
    client, before = client_for(make_user(role)), counted()
    assert client.post(LIST, {"individual": str(person.id), "relation": "self"}).status_code == 403
    assert counted() == before


def test_nobody_but_an_administrator_declares_for_another(person):
    client, other, before = client_for(make_officer()), make_officer(), counted()
    response = client.post(LIST, {"user": other.id, "individual": str(person.id), "relation": "self"})
    assert (response.status_code, counted()) == (403, before)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"relation": "friend"}, 400, "relation"),
        ({"relation": None}, 400, "relation"),
        ({"company": NOBODY}, 400, "individual"),
        ({"individual": NOBODY}, 404, "individual"),
        ({"individual": 5}, 400, "individual"),
        ({"user": "me"}, 400, "user"),
        ({"user": 2_000_000_000}, 400, "user"),
        ({"made_by": 1}, 400, "made_by"),
    ],
)
def test_what_is_invalid_leaves_nothing(person, change, status, field):
    client, before = client_for(make_user("administrator")), counted()
    response = client.post(LIST, {"individual": str(person.id), "relation": "self"} | change)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (status, field)
    assert counted() == before


def test_a_link_of_somebody_who_decides_nothing_is_refused(person):
    client, before = client_for(make_user("administrator")), counted()
    assert client.post(LIST, {"individual": str(person.id), "relation": "self"}).status_code == 400
    assert counted() == before


def test_an_applicant_of_another_branch_is_not_there():
    person = make_individual(make_branch("other"))
    client, before = client_for(make_officer()), counted()
    assert client.post(LIST, {"individual": str(person.id), "relation": "self"}).status_code == 404
    assert counted() == before


def test_a_link_is_declared_once_until_it_is_ended(person):
    officer, administrator = make_officer(), make_user("administrator")
    client, link = client_for(officer), declared(officer, person)
    before = counted()
    again = client.post(LIST, {"individual": str(person.id), "relation": "self"})
    assert (again.status_code, counted()) == (409, before)
    ended = client_for(administrator).post(f"{LIST}{link['id']}/end/")
    assert (ended.status_code, ended.json()["ended_by"]) == (200, administrator.id)
    assert client_for(administrator).post(f"{LIST}{link['id']}/end/").status_code == 409
    assert declared(officer, person)["id"] != link["id"]


def test_the_same_key_declares_once(person):
    client = client_for(make_officer())
    body = {"individual": str(person.id), "relation": "self"}
    replies = [client.post(LIST, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json() == replies[1].json()
    assert client.post(LIST, body | {"relation": "other"}, headers={"Idempotency-Key": "k"}).status_code == 422


@pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
def test_only_administrators_end_links(person, role):
    link = declared(make_officer(), person)
    client, before = client_for(make_user(role)), counted()
    assert client.post(f"{LIST}{link['id']}/end/").status_code == 403
    assert counted() == before


@pytest.mark.parametrize(
    ("role", "seen"), [("officer", 0), ("approver", 0), ("analyst", 0), ("auditor", 2), ("administrator", 2)]
)
def test_who_reads_what(person, role, seen):
    first = make_officer()
    link = declared(first, person)
    declared(make_officer(), person)
    client = client_for(make_user(role))
    assert len(client.get(LIST).json()["results"]) == seen
    assert client.get(f"{LIST}{link['id']}/").status_code == (200 if seen else 404)
    assert [row["id"] for row in client_for(first).get(LIST).json()["results"]] == [link["id"]]


def test_filters(person):
    officer, company = make_officer(), make_company(make_branch())
    link, other = declared(officer, person), declared(make_officer(), company)
    client = client_for(make_user("administrator"))
    client.post(f"{LIST}{other['id']}/end/")
    for query, expected in {
        f"user={officer.id}": [link],
        f"individual={person.id}": [link],
        f"company={company.id}": [other],
        "is_ended=true": [other],
        "is_ended=false": [link],
    }.items():
        assert [row["id"] for row in client.get(f"{LIST}?{query}").json()["results"]] == [row["id"] for row in expected]
    assert client.get(f"{LIST}?relation=self").status_code == 400
