"""The history of a record over the API: newest first, masked, and only where a request of the branch rests on it."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import destroy_keys
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.tests.factories import answered, make_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    """The parcel of a request of the branch main, with three versions: invented, true, and true again."""
    request = make_request()
    work_due_jobs()
    row = request.external_records.select_related("data_key").get(source="kadastr")
    owner = {"owner_name": "Karimov Dilshod", "owner_identifier": "31210632040244"}
    answered(row, area_m2=50, now=timezone.now() - timedelta(hours=2), **owner)
    return answered(row, area_m2=60, now=timezone.now() - timedelta(hours=1), **owner)


@pytest.fixture
def officer():
    return client_for(make_officer())


def address(record):
    return f"/api/external-records/{record.id}/versions/"


def test_every_reply_that_said_something_new_stands_there_newest_first(record, officer):
    rows = officer.get(address(record)).json()["results"]
    areas = [{fact["name"]: fact["value"] for fact in row["facts"]}["property_area"] for row in rows]
    assert (len(rows), areas[1:]) == (3, [60, 50])
    assert [(row["origin"], row["is_mock"], row["is_current"]) for row in rows] == [
        ("mock", True, False),
        ("http", False, True),
        ("http", False, False),
    ]
    assert rows[1]["id"] == str(record.current_id)


def test_names_and_identifiers_are_masked(record, officer):
    text = officer.get(address(record)).content.decode()
    assert "Karimov" not in text
    assert "31210632040244" not in text
    assert "•••••••••••••od" in text


def test_pages_follow_the_cursor(record, officer):
    seen, page = [], f"{address(record)}?page_size=2"
    while page:
        reply = officer.get(page).json()
        seen += [row["id"] for row in reply["results"]]
        page = reply["next"]
    assert seen == [row["id"] for row in officer.get(address(record)).json()["results"]]
    assert len(seen) == 3
    assert officer.get(f"{address(record)}?page_size=0").status_code == 400


@pytest.mark.parametrize(
    ("role", "branch", "status"),
    [
        ("officer", "main", 200),
        ("officer", "other", 404),
        ("approver", "main", 200),
        ("approver", "other", 404),
        ("analyst", None, 200),
        ("auditor", None, 200),
        ("administrator", None, 403),
    ],
)
def test_who_reads_it(record, role, branch, status):
    user = make_user(role, make_branch(branch) if branch else None)
    assert client_for(user).get(address(record)).status_code == status
    noted = AuditEvent.objects.filter(action="external_record.read_history", subject_id=str(record.id), actor=user)
    assert noted.count() == (status == 200)


def test_a_record_that_no_request_rests_on_is_for_those_who_see_all(officer):
    record = make_record()
    assert officer.get(address(record)).status_code == 404
    assert client_for(make_user("auditor")).get(address(record)).status_code == 200


def test_one_that_is_not_there_is_as_absent(officer):
    for client in (officer, client_for(make_user("auditor"))):
        assert client.get(f"/api/external-records/{uuid.uuid4()}/versions/").status_code == 404


def test_what_was_erased_is_gone_and_that_there_was_something_stays(record, officer):
    destroy_keys([record.data_key_id], now=timezone.now())
    rows = officer.get(address(record)).json()["results"]
    assert [row["facts"] for row in rows] == [None, None, None]


@pytest.mark.parametrize("more", [0, 5])
def test_it_takes_the_same_queries_however_long(record, officer, django_assert_num_queries, more):
    for number in range(more):
        answered(record, area_m2=100 + number)
    # token with its user, savepoint and event and its release, record, versions
    with django_assert_num_queries(6):
        assert len(officer.get(address(record)).json()["results"]) == 3 + more
    assert ExternalRecord.objects.get(id=record.id).versions.count() == 3 + more
