"""Erasure of a person or a company: what goes, what stays, who may, what stands in the way, and coming back."""

import uuid
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import DataErased, blind_index
from apps.common.errors import Conflict, InvalidInput
from apps.common.models import DataKey, IdempotencyKey, Job
from apps.common.tests.committed import CommittedTestCase
from apps.common.tests.stored import everything_stored
from apps.companies.tests.factories import make_company
from apps.credit_requests.erasure import erase_company
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import rescore_pending
from apps.credit_requests.services import submit_credit_request, withdraw_credit_request
from apps.credit_requests.tests.erased import erased, make_decided, told
from apps.credit_requests.tests.factories import make_product, make_request
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.services import refresh_record
from apps.external_integrations.tests.factories import PARCEL
from apps.individuals.models import Individual
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual, make_pinfl, profile_of
from apps.scoring_engine.models import PredictionLog

ASKED = {"reason": "asked"}


def administrator():
    return client_for(make_user("administrator"))


def address(person):
    return f"/api/individuals/{person.id}/erase/"


# --- What goes and what stays ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_keys_are_destroyed_and_nothing_finds_the_person():
    person = make_decided()
    pinfl, own = person.profile["pinfl"], person.data_key_id
    records = ExternalRecord.objects.filter(credit_requests__individual=person)
    assert sorted(records.values_list("source", flat=True)) == ["bureau", "kadastr", "soliq"]
    parcel = records.get(source="kadastr").data_key_id
    sealed = list(ExternalRecordVersion.objects.order_by("id").values_list("id", "sealed"))
    erasure = erased(person)
    assert set(erasure.data_keys) == {own, parcel}
    keys = DataKey.objects.filter(id__in=[own, parcel])
    assert [(bytes(key.wrapped), key.owner_index, key.destroyed_at) for key in keys] == [
        (b"", None, erasure.erased_at)
    ] * 2
    indexes = {blind_index(kind, pinfl) for kind in ("person", "soliq", "bureau")} | {blind_index("kadastr", PARCEL)}
    assert not any(index.encode() in everything_stored() for index in indexes)
    person.refresh_from_db()
    found = [person.pinfl_index, *ExternalRecord.objects.values_list("key_index", flat=True)]
    assert all(index.startswith("erased:") for index in found)
    assert len(set(found)) == 4
    assert not ExternalRecord.objects.filter(is_wanted=True).exists()
    with pytest.raises(DataErased):
        Individual.objects.for_reading().get(id=person.id).profile  # noqa: B018
    assert list(ExternalRecordVersion.objects.order_by("id").values_list("id", "sealed")) == sealed


@pytest.mark.django_db
def test_the_event_tells_codes_and_counts_and_who():
    person, actor = make_decided(), make_user("administrator")
    erased(person, actor=actor, reason="order")
    event = AuditEvent.objects.get(action="individual.erase")
    assert (event.actor, event.subject_id) == (actor, str(person.id))
    assert event.details == {"reason": "order", "requests": 1, "parcels": 1, "replies": 0}


@pytest.mark.django_db
def test_kept_replies_that_tell_of_the_person_are_destroyed_and_others_are_not():
    officer = client_for(make_user("officer"))
    bodies = [profile_of(parcel_ids=[]), profile_of(parcel_ids=[])]
    ids = [
        officer.post("/api/individuals/", body, headers={"Idempotency-Key": f"k{place}"}).json()["id"]
        for place, body in enumerate(bodies)
    ]
    product = make_product()
    terms = {"individual": ids[0], "product": str(product.id), "requested_amount": 30_000_000, "term_months": 24,
             "purpose": "car", "channel": "branch"}  # fmt: skip
    request = officer.post("/api/credit-requests/", terms, headers={"Idempotency-Key": "k2"}).json()
    officer.post(f"/api/credit-requests/{request['id']}/withdraw/", {"version": 1}, headers={"Idempotency-Key": "k3"})
    assert erased(Individual.objects.get(id=ids[0])).data_keys
    assert AuditEvent.objects.get(action="individual.erase").details["replies"] == 3
    destroyed = IdempotencyKey.objects.filter(data_key__destroyed_at__isnull=False)
    assert sorted(destroyed.values_list("key", flat=True)) == ["k0", "k2", "k3"]
    again = officer.post("/api/individuals/", bodies[0], headers={"Idempotency-Key": "k0"})
    assert (again.status_code, again.json()["type"]) == (410, "urn:credit-ml:problem:data-erased")
    assert officer.post("/api/individuals/", bodies[1], headers={"Idempotency-Key": "k1"}).json()["id"] == ids[1]


@pytest.mark.django_db
def test_a_company_goes_with_its_statements_and_what_stood_in_clear():
    company = make_company(make_branch())
    request = make_request(company, product=make_product())
    withdraw_credit_request(credit_request=request, version=1, actor=None)
    reply = administrator().post(f"/api/companies/{company.id}/erase/", ASKED)
    assert (reply.status_code, reply.json()["data_keys"] >= 1) == (200, True)
    company.refresh_from_db()
    assert (company.industry, company.incorporated_date, company.years_in_business_given) == (None, None, None)
    assert (company.statements.count(), company.tax_id_index[:7], company.version) == (0, "erased:", 2)
    auditor = client_for(make_user("auditor"))
    shown = auditor.get(f"/api/companies/{company.id}/").json()
    assert (shown["company_name"], shown["tax_id"], shown["statements"]) == (None, None, None)
    assert shown["erased_at"] == auditor.get("/api/companies/").json()["results"][0]["erased_at"] is not None
    assert AuditEvent.objects.get(action="company.erase").details["reason"] == "asked"
    assert erase_company(company=company, reason="asked", actor=None).data_keys == ()


@pytest.mark.django_db
def test_list_and_detail_say_that_the_person_was_erased():
    person = make_decided()
    erasure = erased(person)
    auditor = client_for(make_user("auditor"))
    shown, (row,) = (
        auditor.get(f"/api/individuals/{person.id}/").json(),
        auditor.get("/api/individuals/").json()["results"],
    )
    assert {name for name, value in shown.items() if value is not None} == {
        "id", "branch", "version", "is_demo", "currency", "created_at", "updated_at", "erased_at",
    }  # fmt: skip
    assert (row["full_name"], row["pinfl"], row["id"]) == (None, None, str(person.id))
    assert row["erased_at"] == shown["erased_at"] == erasure.erased_at.isoformat().replace("+00:00", "Z")


# --- Who may, and what stands in the way -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_repeat_changes_nothing_and_answers_the_same():
    person, client = make_decided(), administrator()
    first = client.post(address(person), ASKED)
    before = list(DataKey.objects.order_by("id").values()), list(Individual.objects.values())
    second = client.post(address(person), {"reason": "order"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert (first.json()["data_keys"], second.json()["data_keys"]) == (2, 0)
    assert first.json()["erased_at"] == second.json()["erased_at"]
    assert (list(DataKey.objects.order_by("id").values()), list(Individual.objects.values())) == before
    assert AuditEvent.objects.filter(action="individual.erase").count() == 1


@pytest.mark.django_db
def test_an_undecided_request_stands_in_the_way_and_is_named():
    request = make_request()
    person, before = request.individual, everything_stored()
    with pytest.raises(Conflict, match=f"rest on these data: {request.id}. Decide or withdraw them"):
        erased(person)
    assert everything_stored() == before
    reply = administrator().post(address(person), ASKED)
    assert (reply.status_code, str(request.id) in reply.json()["detail"]) == (409, True)
    assert not DataKey.objects.filter(destroyed_at__isnull=False).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "because"}, {"reason": None}, {"reason": ["asked"]},
                                  {"reason": "asked", "comment": "x"}, {"reason": "again"}, []])  # fmt: skip
def test_a_reason_is_needed_and_is_one_of_the_codes(body):
    person = make_decided()
    assert administrator().post(address(person), body).status_code == 400
    assert DataKey.objects.get(id=person.data_key_id).destroyed_at is None
    with pytest.raises(InvalidInput, match="allowed are asked, consent_withdrawn"):
        erased(person, reason="because")


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
def test_only_an_administrator_may(role):
    person = make_decided()
    assert client_for(make_user(role)).post(address(person), ASKED).status_code == 403
    assert DataKey.objects.get(id=person.data_key_id).destroyed_at is None


@pytest.mark.django_db
def test_who_is_not_there_is_404():
    client = administrator()
    assert client.post(f"/api/individuals/{uuid.uuid4()}/erase/", ASKED).status_code == 404
    assert client.post(f"/api/companies/{make_decided().id}/erase/", ASKED).status_code == 404


@pytest.mark.django_db
def test_a_profile_that_was_tampered_with_does_not_stand_in_the_way():
    person = make_decided()
    Individual.objects.filter(id=person.id).update(sealed=b"x" * 40)
    assert len(erased(person).data_keys) == 2  # the parcel of its request too


# --- Afterwards -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_is_written_about_the_erased_any_more():
    person = make_decided()
    stale = Individual.objects.for_reading().get(id=person.id)
    erased(person)
    officer = client_for(make_user("officer"))
    assert officer.patch(f"/api/individuals/{person.id}/", {"version": 2, "salary": 5}).status_code == 410
    with pytest.raises(Conflict, match="changed since version 1"):
        update_individual(individual=stale, version=1, changes={"salary": 5}, actor=None)
    with pytest.raises(DataErased, match="needs a new profile"):
        make_request_of(stale)
    request = CreditRequest.objects.get()
    assert officer.post(f"/api/credit-requests/{request.id}/rescore/", {}).status_code == 409  # it is withdrawn
    assert CreditRequest.objects.count() == 1


def make_request_of(person):
    terms = {"requested_amount": 30_000_000, "term_months": 24, "purpose": "car", "channel": "branch", "actor": None}
    return submit_credit_request(applicant=person, product=make_product(), **terms)


@pytest.mark.django_db
def test_what_remains_is_replayed_as_erased():
    request, kept = make_decided().credit_requests.get(), make_decided().credit_requests.get()
    predictions = PredictionLog.objects.count()
    of_request = PredictionLog.objects.filter(request_id=request.id).count()
    rows = list(PredictionLog.objects.order_by("id").values())
    erased(request.individual)
    assert list(PredictionLog.objects.order_by("id").values()) == rows
    same = predictions - of_request
    assert told("replay", "--since", "2020-01-01") == (
        f"{predictions} predictions replayed: {same} same, 0 different, {of_request} erased, 0 unreadable.\n"
    )
    shown = client_for(make_user("auditor")).get(f"/api/credit-requests/{request.id}/").json()
    assert (shown["status"], shown["prediction"]["explanation"], shown["prediction"]["reasons"]) == (
        "withdrawn",
        None,
        None,
    )
    assert shown["prediction"]["score"] == PredictionLog.objects.get(id=shown["prediction"]["prediction_id"]).score
    assert kept.individual.data_key.destroyed_at is None


@pytest.mark.django_db
def test_a_refresh_that_waited_is_skipped():
    person = make_decided()
    record = ExternalRecord.objects.get(source="soliq")
    erased(person)
    assert refresh_record(record_id=record.id)["skipped"] == "erased"


@pytest.mark.django_db
def test_whoever_comes_again_is_somebody_new():
    pinfl = make_pinfl()
    first = make_decided(pinfl=pinfl)
    erased(first)
    officer = client_for(make_user("officer"))
    assert officer.post("/api/individuals/lookup/", {"pinfl": pinfl}).status_code == 404
    second = make_decided(pinfl=pinfl)
    assert (second.id != first.id, second.data_key_id != first.data_key_id) == (True, True)
    assert officer.post("/api/individuals/lookup/", {"pinfl": pinfl}).json()["id"] == str(second.id)
    records = ExternalRecord.objects.filter(credit_requests__individual=second)
    assert sorted(records.values_list("source", flat=True)) == ["bureau", "kadastr", "soliq"]
    assert not records.filter(data_key__destroyed_at__isnull=False).exists()
    assert erased(second).data_keys


@pytest.mark.django_db
def test_another_applicant_with_the_same_parcel_gets_a_land_record_of_their_own():
    person = make_decided()
    other = make_request(make_individual(make_branch()))
    work_due_jobs()
    before = other.external_records.get(source="kadastr")
    erased(person)
    counts = rescore_pending(limit=10)
    assert (counts["failed"], counts["erased"]) == (0, 0)
    work_due_jobs()
    after = other.external_records.get(source="kadastr")
    assert after.id != before.id
    assert (after.current.data_key.destroyed_at, after.key_index) == (None, blind_index("kadastr", PARCEL))
    other.refresh_from_db()
    assert "property_area" in other.prediction.opened()["facts"]


# --- At the same time -----------------------------------------------------------------------------------------


class AtTheSameTime(CommittedTestCase):
    def test_who_submits_a_request_meanwhile_comes_before_or_after(self):
        """PostgreSQL: the request waits for the erasure that has begun, and is refused."""
        person = make_individual(make_branch())
        stale, results, begun = Individual.objects.for_reading().get(id=person.id), [], Event()

        def erases() -> None:
            with transaction.atomic():
                erased(person)
                begun.set()
                if connection.vendor == "postgresql":
                    submitting.join(1)
            connections.close_all()

        def submits() -> None:
            begun.wait(30)
            try:
                make_request_of(stale)
                results.append("submitted")
            except DataErased:
                results.append("refused")
            finally:
                connections.close_all()

        erasing, submitting = Thread(target=erases), Thread(target=submits)
        submitting.start()
        erasing.start()
        erasing.join(60)
        submitting.join(60)
        self.assertEqual((results, CreditRequest.objects.count(), Job.objects.count()), (["refused"], 0, 0))
