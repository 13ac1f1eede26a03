"""The records of a request over the API: what is known now, what was known then, what a decision rested on."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import destroy_keys
from apps.common.days import lender_today
from apps.companies.tests.factories import make_company
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import Decision
from apps.credit_requests.tests.deciders import GOOD, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.external_integrations.models import Consent, ExternalRecord
from apps.external_integrations.tests.factories import allow, answered
from apps.individuals.models import Individual
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db
LIST = "/api/credit-requests/"


@pytest.fixture
def officer():
    return client_for(make_officer())


@pytest.fixture
def request_(db):
    """Of a person without a consent for the bureau, with invented records of the other two sources."""
    request = make_request(make_individual(make_branch(), full_name="Dilshod Karimov"))
    work_due_jobs()
    return read(request)


def at(request, what="records") -> str:
    return f"{LIST}{request.id}/{what}/"


def told(request, source, **changes) -> ExternalRecord:
    return answered(request.external_records.select_related("data_key").get(source=source), **changes)


def shown(client, request, query=""):
    response = client.get(f"{at(request)}{query}")
    assert response.status_code == 200, response.json()
    return response.json()


def facts(record) -> dict:
    return {fact["name"]: fact["value"] for fact in record["version"]["facts"]}


def refused(response, status, field) -> None:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert field in {problem["field"] for problem in response.json()["errors"]}


# --- Now ------------------------------------------------------------------------------------------------------


def test_each_record_is_shown_with_its_facts_ages_and_origin(officer, request_):
    now = timezone.now()
    told(request_, "kadastr", area_m2=61.5, owner_name="Karimov Dilshod", observed_at=now - timedelta(days=3), now=now)
    body = shown(officer, request_)
    assert [(row["source"], row["version"]["is_mock"]) for row in body["records"]] == [
        ("kadastr", False),
        ("soliq", True),
    ]
    parcel = body["records"][0]
    assert (parcel["identifier"], parcel["refresh_queued"]) == ("•••••••••••••••••55", False)
    assert (parcel["version"]["age_days"], parcel["version"]["is_stale"]) == (3, False)
    assert facts(parcel)["owner_matches"] is True
    area = next(fact for fact in parcel["version"]["facts"] if fact["name"] == "property_area")
    assert {name: area[name] for name in ("value", "unit", "source", "origin", "age_days", "is_stale")} == {
        "value": 61.5,
        "unit": "m2",
        "source": "kadastr",
        "origin": "http",
        "age_days": 3,
        "is_stale": False,
    }
    assert (body["rests_on_mock"], body["decision"]) == (True, None)


def test_a_record_of_which_nothing_has_come_says_so_and_that_a_refresh_is_queued(officer):
    request = make_request()
    rows = shown(officer, request)["records"]
    assert [(row["source"], row["version"], row["refresh_queued"]) for row in rows] == [
        ("kadastr", None, True),
        ("soliq", None, True),
    ]


def test_a_stale_record_in_use_is_marked_here_and_in_the_reply_of_the_request(officer, request_):
    assert officer.get(f"{LIST}{request_.id}/").json()["stale_records"] == []
    record = told(request_, "soliq", tax_debt=1, now=timezone.now() - timedelta(days=31))
    row = next(row for row in shown(officer, request_)["records"] if row["source"] == "soliq")
    assert (row["version"]["is_stale"], row["version"]["facts"][0]["is_stale"]) == (True, True)
    body = officer.get(f"{LIST}{request_.id}/").json()
    assert (body["stale_records"], body["rests_on_mock"]) == ([str(record.id)], True)


def test_contradictions_are_told_in_the_language_asked_for(officer, request_):
    told(request_, "kadastr", owner_name="Yusupova Nodira")
    for language, word in (("en", "land register"), ("ru", "земельном реестре"), ("uz", "Yer reyestrida")):
        found = shown(officer, request_, f"?language={language}")["contradictions"]
        owner = next(each for each in found if each["code"] == "owner_contradiction")
        assert word in owner["text"]
        assert (owner["stated"], owner["told"], owner["source"]) == ("Dilshod Karimov", "Yusupova Nodira", "kadastr")


def test_identifiers_are_masked(officer, request_):
    told(request_, "kadastr", owner_identifier="31210632040244")
    text = officer.get(at(request_)).content.decode()
    profile = request_.individual.profile
    for identifier in (profile["pinfl"], *profile["parcel_ids"], "31210632040244"):
        assert identifier not in text


def test_consents_that_are_missing_or_end_soon_are_named(officer, request_):
    today = lender_today()
    assert shown(officer, request_)["consents"] == [
        {"source": "soliq", "state": "valid", "expires_on": str(today + timedelta(days=30))},
        {"source": "bureau", "state": "missing", "expires_on": None},
    ]
    allow(request_.individual.profile["pinfl"], "bureau", now=timezone.now() - timedelta(days=17))
    assert shown(officer, request_)["consents"][1] == {
        "source": "bureau",
        "state": "expires_soon",
        "expires_on": str(lender_today(timezone.now() - timedelta(days=17)) + timedelta(days=30)),
    }


def test_a_company_needs_no_consent(officer):
    request = make_request(make_company(make_branch()))
    work_due_jobs()
    assert shown(officer, request)["consents"] == []


# --- Then -----------------------------------------------------------------------------------------------------


def test_what_was_known_then_stays_the_same_bits_whatever_came_since(officer, request_):
    told(request_, "kadastr", area_m2=50, owner_name="Yusupova Nodira")
    then = timezone.now()
    query = f"?at={then.isoformat().replace('+00:00', 'Z')}&language=en"
    before = officer.get(f"{at(request_)}{query}").content
    told(request_, "kadastr", area_m2=99, owner_name="Karimov Dilshod")
    told(request_, "soliq", tax_debt=5)
    Consent.objects.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    assert officer.get(f"{at(request_)}{query}").content == before
    now = shown(officer, request_)
    assert (facts(now["records"][0])["property_area"], now["rests_on_mock"]) == (99, False)
    assert now["consents"][0]["state"] == "missing"
    told_then = shown(officer, request_, query)
    assert (facts(told_then["records"][0])["property_area"], told_then["rests_on_mock"]) == (50, True)
    assert told_then["consents"][0]["state"] == "valid"
    assert [row["refresh_queued"] for row in told_then["records"]] == [None, None]


def test_a_day_is_the_lenders_whole_day(officer, request_):
    body = shown(officer, request_, f"?at={lender_today()}")
    assert [row["version"]["is_mock"] for row in body["records"]] == [True, True]
    early = shown(officer, request_, f"?at={lender_today() - timedelta(days=1)}")
    assert [row["version"] for row in early["records"]] == [None, None]
    assert early["at"].endswith("18:59:59.999999Z")


def test_a_parcel_that_the_profile_no_longer_names_is_there_as_of_then(officer, request_):
    then = timezone.now()
    person = Individual.objects.get(id=request_.individual_id)
    update_individual(individual=person, version=1, changes={"parcel_ids": []}, actor=None)
    work_due_jobs()
    assert [row["source"] for row in shown(officer, request_)["records"]] == ["soliq"]
    past = shown(officer, request_, f"?at={then.isoformat().replace('+00:00', 'Z')}")
    assert [row["source"] for row in past["records"]] == ["kadastr", "soliq"]
    steps = {step["step"]: step for step in officer.get(f"{at(request_, 'history')}?language=en").json()}
    assert steps["records"]["text"] == "The external records that it rests on changed"


def test_once_the_profile_has_changed_what_the_applicant_said_then_is_not_guessed(officer, request_):
    told(request_, "kadastr", owner_name="Yusupova Nodira")
    query = f"?at={timezone.now().isoformat().replace('+00:00', 'Z')}"
    assert shown(officer, request_, query)["contradictions"] != []
    person = Individual.objects.get(id=request_.individual_id)
    update_individual(individual=person, version=1, changes={"full_name": "Nodira Yusupova"}, actor=None)
    past = shown(officer, request_, query)
    assert past["contradictions"] is None
    assert "owner_matches" not in facts(past["records"][0])
    assert facts(past["records"][0])["owner_name"] == "Yusupova Nodira"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?at=yesterday", "at"),
        ("?at=2026-13-01", "at"),
        ("?at=2999-01-01", "at"),
        ("?at=1800-01-01T00:00:00Z", "at"),
        ("?at=9999-12-31", "at"),
        ("?at=", "at"),
        ("?decision=x", "decision"),
        ("?decision=1&at=2026-01-01", "decision"),
        ("?att=2026-01-01", "att"),
        ("?language=de", "language"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name_and_nothing_is_noted(officer, request_, query, field):
    before = AuditEvent.objects.count()
    refused(officer.get(f"{at(request_)}{query}"), 400, field)
    assert AuditEvent.objects.count() == before


# --- Decided --------------------------------------------------------------------------------------------------


@pytest.fixture
def decided():
    put_policy_in_force()
    request = make_scored(GOOD, full_name="Dilshod Karimov")
    told(request, "kadastr", area_m2=50, owner_name="Yusupova Nodira")
    decide_by_policy(credit_request=read(request), version=1, actor=None, now=timezone.now())
    return read(request)


def test_what_a_decision_rested_on_is_told_by_its_number(officer, decided):
    used = {row["record"]: row["version"] for row in Decision.objects.get().records}
    before = officer.get(f"{at(decided)}?decision=1&language=en").content
    told(decided, "kadastr", area_m2=99, owner_name="Karimov Dilshod")
    told(decided, "soliq", tax_debt=5)
    person = Individual.objects.get(id=decided.individual_id)
    assert officer.get(f"{at(decided)}?decision=1&language=en").content == before
    update_individual(individual=person, version=1, changes={"full_name": "X Y"}, actor=None)
    body = shown(officer, decided, "?decision=1&language=en")
    assert {row["id"]: row["version"]["id"] for row in body["records"]} == used
    assert (body["decision"], body["rests_on_mock"], facts(body["records"][0])["property_area"]) == (1, True, 50)
    found = next(each for each in body["contradictions"] if each["code"] == "owner_contradiction")
    assert (found["stated"], found["told"]) == ("Dilshod Karimov", "Yusupova Nodira")
    assert officer.get(f"{at(decided)}?decision=2").status_code == 404


def test_every_decision_on_a_mock_says_so_at_the_top_and_in_the_history(officer, decided):
    body = officer.get(f"{LIST}{decided.id}/").json()
    assert (body["rests_on_mock"], body["decision"]["rests_on_mock"]) == (True, True)
    record = officer.get(at(decided, "decisions")).json()[0]
    assert record["rests_on_mock"] is True
    assert {each["code"] for each in record["contradictions"]} >= {"owner_contradiction"}
    steps = {step["step"]: step["rests_on_mock"] for step in officer.get(at(decided, "history")).json()}
    assert (steps["create"], steps["score"], steps["decide"]) == (None, None, True)


def test_one_on_true_records_does_not(officer):
    put_policy_in_force()
    request = make_scored(GOOD)
    for source in ("kadastr", "soliq"):
        told(request, source)
    policy = officer.get(at(request, "policy")).json()
    assert policy["rests_on_mock"] is False
    body = officer.post(at(request, "decide"), {"version": 1}).json()
    assert (body["rests_on_mock"], body["decision"]["rests_on_mock"]) == (False, False)


def test_in_production_a_mock_that_was_allowed_leaves_the_request_to_people(officer, settings):
    put_policy_in_force()
    request = make_scored(GOOD)
    settings.PRODUCTION, settings.ALLOW_MOCK_SOURCES = True, True
    body = officer.post(at(request, "decide"), {"version": 1}, headers={"Accept-Language": "en"}).json()
    assert (body["status"], body["decision"]["outcome"], body["decision"]["rests_on_mock"]) == (
        "referred",
        "refer",
        True,
    )
    assert body["decision"]["reasons"] == [
        {
            "code": "bar:mock_source",
            "text": "A record that was used is invented for demonstration, so a person decides.",
        }
    ]
    record = officer.get(at(request, "decisions")).json()[0]
    assert (record["policy_outcome"], record["is_barred"]) == ("approve", True)


# --- Who, and what is left ------------------------------------------------------------------------------------


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
def test_who_reads_them_and_that_it_is_noted_of_each_record(request_, role, branch, status):
    user = make_user(role, make_branch(branch) if branch else None)
    assert client_for(user).get(at(request_)).status_code == status
    noted = AuditEvent.objects.filter(action="external_record.look_up", actor=user)
    ids = [str(id_) for id_ in request_.external_records.values_list("id", flat=True)]
    assert sorted(noted.values_list("subject_id", flat=True)) == (sorted(ids) if status == 200 else [])
    assert {event.details["credit_request"] for event in noted} <= {str(request_.id)}


def test_a_request_that_is_not_there_is_absent(officer):
    assert officer.get(f"{LIST}{uuid.uuid4()}/records/").status_code == 404


def test_once_the_applicant_is_erased_what_was_known_is_gone_and_that_there_was_something_stays(officer, decided):
    keys = [decided.individual.data_key_id, *decided.external_records.values_list("data_key_id", flat=True)]
    destroy_keys(keys, now=timezone.now())
    past = shown(officer, decided, "?decision=1")
    assert [(row["identifier"], row["version"]["facts"]) for row in past["records"]] == [(None, None), (None, None)]
    assert past["contradictions"] is None
    assert [row["version"] for row in shown(officer, decided)["records"]] == [None, None]
    record = officer.get(at(decided, "decisions")).json()[0]
    assert (record["contradictions"], record["rests_on_mock"]) == (None, True)
