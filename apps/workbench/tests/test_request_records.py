"""The records of a request on screen: source, times and marks; as of a decision; and asked for anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import destroy_keys
from apps.common.models import Job
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.tests.deciders import BAD, make_scored, put_policy_in_force
from apps.credit_requests.tests.factories import make_officer
from apps.external_integrations.models import Consent, ExternalRecord
from apps.workbench.request_parts.records import fact_text
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


def shown(request, user, what="records/", language="en"):
    response = signed_in(user, language).get(f"/requests/{request.id}/{what}")
    assert response.status_code == 200
    return response.content.decode()


def ask(request, user, record):
    return signed_in(user).post(f"/requests/{request.id}/records/refresh/", {"record": record})


def of_soliq(request):
    return request.external_records.get(source="soliq")


def queued():
    return Job.objects.filter(name="refresh_soliq_record", state="queued").count()


def test_each_record_is_told_with_source_times_and_marks(officer):
    page = shown(make_scored(), officer)
    assert "Soliq (tax)" in page
    assert "Invented record" in page
    assert "Income declared to the tax authority" in page
    assert page.count("last answer") == 2


def test_a_stale_record_is_marked(officer):
    request = make_scored()
    old = timezone.now() - timedelta(days=400)
    ExternalRecord.objects.filter(id=of_soliq(request).id).update(checked_at=old, observed_at=old)
    assert 'class="badge stale"' in shown(request, officer)
    assert "Stale record." in shown(request, officer, "")


def test_a_decision_shows_the_records_that_it_rested_on(officer):
    request = make_scored(BAD)
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    now = shown(request, officer)
    then = shown(request, officer, "records/?decision=1")
    assert "As of decision 1" in now
    assert "Ask again" in now
    assert "Ask again" not in then
    assert "ages count to that moment" in then
    for number in ("2", "x", "0", "1234567", "%F0%9F%98%80", "²"):
        assert signed_in(officer).get(f"/requests/{request.id}/records/?decision={number}").status_code == 404


def test_each_reading_is_recorded_and_looking_whether_it_goes_on_reads_nothing(officer):
    request = make_scored()
    looked = AuditEvent.objects.filter(action="external_record.look_up")
    before = looked.count()
    shown(request, officer, "records/refreshing/")
    assert looked.count() == before
    shown(request, officer)
    assert looked.count() == before + request.external_records.count()


def test_an_officer_has_a_register_asked_anew(officer):
    request = make_scored()
    assert (queued(), "hx-trigger" in shown(request, officer, "records/refreshing/")) == (0, False)
    response = ask(request, officer, of_soliq(request).id)
    assert (response.status_code, response["Location"]) == (303, f"/requests/{request.id}/#records")
    assert (queued(), AuditEvent.objects.filter(action="external_record.ask", actor=officer).count()) == (1, 1)
    assert "being fetched" in shown(request, officer)
    assert 'hx-trigger="every 2s"' in shown(request, officer, "records/refreshing/")
    work_due_jobs()
    after = shown(request, officer, "records/refreshing/")
    assert "every 2s" not in after
    assert "Load the request again to see what has changed." in after


def test_a_register_that_is_asked_twice_is_asked_once(officer):
    request = make_scored()
    for _ in range(2):
        assert ask(request, officer, of_soliq(request).id).status_code == 303
    assert queued() == 1


def test_without_a_consent_nothing_is_asked_and_the_page_says_what_to_do(officer):
    request = make_scored()
    Consent.objects.all().update(withdrawn_at=timezone.now(), withdrawn_by=officer)
    response = ask(request, officer, of_soliq(request).id)
    content = response.content.decode()
    assert response.status_code == 409
    assert "A consent of the person is missing" in content
    assert "Record the consent first; nothing was asked." in content
    assert (queued(), AuditEvent.objects.filter(action="external_record.ask").count()) == (0, 0)


def test_an_erased_person_is_asked_about_no_more(officer):
    request = make_scored()
    record = of_soliq(request)
    destroy_keys([request.individual.data_key_id, record.data_key_id], now=timezone.now())
    assert ask(request, officer, record.id).status_code == 410
    assert queued() == 0
    assert "Ask again" not in shown(request, officer)


@pytest.mark.parametrize("given", ["", "x", "6d0c6a8e-0000-4000-8000-000000000000"])
def test_a_record_that_is_not_of_the_request_is_not_asked(officer, given):
    request = make_scored()
    assert ask(request, officer, given).status_code == (404 if len(given) > 1 else 400)
    other = of_soliq(make_scored())
    assert ask(request, officer, other.id).status_code == 404
    assert queued() == 0


@pytest.mark.parametrize("role", ["approver", "analyst", "auditor"])
def test_who_only_reads_asks_no_register(role):
    request = make_scored()
    user = make_user(role, make_branch() if role == "approver" else None)
    assert ask(request, user, of_soliq(request).id).status_code == 403
    assert "Ask again" not in shown(request, user)
    assert queued() == 0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (31_188_595, "UZS per year", "31,188,595\u00a0UZS"),
        (0.4213, "ratio", "42.1\u00a0%"),
        (157.3, "m2", "157.3\u00a0m²"),
        (3, "count", "3"),
        (True, "flag", "yes"),
        ("residential", "category", "residential"),
        ("2019-04-01", "day", "1 Apr 2019"),
        ("Anvar", "name", "Anvar"),
    ],
)
def test_facts_are_told_with_their_units(value, unit, text):
    assert fact_text(value, unit) == text
