"""Rescoring: one row per change of inputs and cause, no request starved, nothing lost between two at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.tests.factories import make_branch
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.days import lender_today
from apps.common.errors import Conflict, InvalidInput
from apps.common.models import Job
from apps.common.tests.committed import CommittedTestCase
from apps.companies.services import update_company
from apps.companies.tests.factories import make_company
from apps.credit_requests import rescoring
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import rescore_credit_request, rescore_pending
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.factories import (
    change_debt,
    make_erased_tampered_and_sound,
    make_product,
    make_request,
    status_guard_lifted,
)
from apps.external_integrations.consents import record_consent
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.individuals.models import Individual
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.models import PredictionLog


def causes(request):
    return list(
        PredictionLog.objects.filter(request_id=request.id).order_by("created_at").values_list("cause", flat=True)
    )


def later(**delta):
    return timezone.now() + timedelta(**delta)


# --- What makes a row -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_arrival_of_records_rescores():
    request = make_request()
    work_due_jobs()
    versions = {f"record:{version.id}" for version in ExternalRecordVersion.objects.all()}
    assert len(versions) == 2
    # One row for each that changes what is known by then: the second finds nothing new when both came together.
    assert causes(request)[0] == "create"
    assert set() < set(causes(request)[1:]) <= versions
    request.refresh_from_db()
    opened = request.prediction.opened()
    assert (opened["sources"]["tax_debt"]["source"], opened["unavailable"]) == ("soliq", [])
    assert Job.objects.exclude(state="done").count() == 0


@pytest.mark.django_db
def test_a_changed_profile_rescores():
    request = make_request()
    work_due_jobs()
    person = Individual.objects.get()
    update_individual(individual=person, version=1, changes={"existing_debt": 90_000_000}, actor=None)
    work_due_jobs()
    assert causes(request)[-1] == "individual:2"
    request.refresh_from_db()
    assert request.prediction.opened()["facts"]["existing_debt"] == 90_000_000
    event = AuditEvent.objects.filter(action="credit_request.score").latest("id")
    assert (event.actor, event.details["cause"]) == (None, "individual:2")
    assert event.details["prediction"] == str(request.prediction_id)


@pytest.mark.django_db
def test_a_changed_company_rescores():
    company = make_company(make_branch())
    request = make_request(company, purpose="equipment")
    work_due_jobs()
    update_company(company=company, version=1, changes={"existing_debt": 900_000_000}, actor=None)
    work_due_jobs()
    assert causes(request)[-1] == "company:2"


@pytest.mark.django_db
def test_a_new_parcel_of_the_applicant_is_asked_for_and_counts():
    request = make_request()
    work_due_jobs()
    parcels = ["10:01:02:03:04:0055", "10:01:02:03:04:0099"]
    person = Individual.objects.get()
    update_individual(individual=person, version=1, changes={"parcel_ids": parcels}, actor=None)
    work_due_jobs()
    assert request.external_records.filter(source="kadastr", current__isnull=False).count() == 2
    assert causes(request)[-2] == "individual:2"
    assert causes(request)[-1].startswith("record:")


@pytest.mark.django_db
def test_a_consent_gathers_the_records_of_undecided_requests():
    person = make_individual(make_branch(), parcel_ids=[])
    request = make_request(person, consents=())
    assert list(request.external_records.all()) == []
    given = {"pinfl": person.profile["pinfl"], "sources": ["soliq"], "purpose": "credit_assessment", "reference": "7"}
    days = {"given_on": lender_today(), "expires_on": lender_today()}
    record_consent(**given, **days, actor=None, now=timezone.now())
    while work_due_jobs()["done"]:
        pass
    request.refresh_from_db()
    assert [record.source for record in request.external_records.all()] == ["soliq"]
    assert request.prediction.opened()["facts"]["tax_debt"] >= 0
    assert [cause.partition(":")[0] for cause in causes(request)] == ["create", "consent", "record"]


@pytest.mark.django_db
def test_unchanged_inputs_make_no_row_and_only_the_check_moves():
    request = make_request()
    moment = later(minutes=1)
    assert rescore_pending(limit=10, now=moment) == {
        "checked": 1,
        "rescored": 0,
        "unchanged": 1,
        "erased": 0,
        "failed": 0,
    }
    assert causes(request) == ["create"]
    stored = CreditRequest.objects.get()
    assert (stored.last_checked_at, stored.updated_at) == (moment, request.updated_at)


@pytest.mark.django_db
def test_a_cause_has_one_row_and_the_newest_prediction_stands():
    request = make_request()
    noon = datetime(2030, 5, 1, 7, 0, tzinfo=UTC)
    change_debt(request, 50_000_000)
    assert rescore_pending(limit=1, now=noon)["rescored"] == 1
    change_debt(request, 60_000_000)
    assert rescore_pending(limit=1, now=noon + timedelta(hours=1)) == {
        "checked": 1,
        "rescored": 0,
        "unchanged": 1,
        "erased": 0,
        "failed": 0,
    }
    # 19:00 UTC is the next day in Tashkent.
    assert rescore_pending(limit=1, now=noon + timedelta(hours=12))["rescored"] == 1
    assert causes(request) == ["create", "beat:2030-05-01", "beat:2030-05-02"]
    request.refresh_from_db()
    assert request.prediction.cause == "beat:2030-05-02"


@pytest.mark.django_db
def test_a_person_may_rescore_as_often_as_inputs_change():
    request = make_request()
    first = request.prediction_id
    assert not rescore_credit_request(credit_request=request, actor=None)
    change_debt(request, 50_000_000)
    assert rescore_credit_request(credit_request=request, actor=None)
    request.refresh_from_db()
    second = request.prediction_id
    change_debt(request, 20_000_000)
    assert rescore_credit_request(credit_request=request, actor=None)
    assert causes(request) == ["create", f"manual:{first}", f"manual:{second}"]


@pytest.mark.django_db
def test_only_undecided_requests_are_rescored():
    withdrawn, referred = make_request(), make_request()
    withdraw_credit_request(credit_request=withdrawn, version=1, actor=None)
    with status_guard_lifted():
        CreditRequest.objects.filter(id=referred.id).update(status="referred")
    for request in (withdrawn, referred):
        change_debt(request, 70_000_000)
    with pytest.raises(Conflict, match="withdrawn"):
        rescore_credit_request(credit_request=withdrawn, actor=None)
    assert rescore_pending(limit=10, now=later(minutes=1)) == {
        "checked": 1,
        "rescored": 1,
        "unchanged": 0,
        "erased": 0,
        "failed": 0,
    }
    assert (causes(withdrawn), len(causes(referred))) == (["create"], 2)


# --- Nobody starves -------------------------------------------------------------------------------------------


def make_copies(request, number):
    """As many requests more, equal to this one but for their ids, without the cost of scoring each."""
    columns = {field.attname: getattr(request, field.attname) for field in CreditRequest._meta.concrete_fields}
    copies = [CreditRequest(**columns | {"id": uuid4()}) for _ in range(number)]
    CreditRequest.objects.bulk_create(copies)
    link = CreditRequest.external_records.through
    records = list(request.external_records.all())
    link.objects.bulk_create(link(creditrequest=copy, externalrecord=record) for copy in copies for record in records)


@pytest.mark.django_db
def test_250_requests_are_all_checked_in_three_runs_of_100():
    make_copies(make_request(), 249)
    start = later(minutes=1)
    runs = [rescore_pending(limit=100, now=start + timedelta(minutes=run)) for run in range(3)]
    assert runs == [{"checked": 100, "rescored": 0, "unchanged": 100, "erased": 0, "failed": 0}] * 3
    assert CreditRequest.objects.filter(last_checked_at__lt=start).count() == 0
    # The third run had 50 left, and went on with the 50 that were checked the longest ago.
    assert CreditRequest.objects.filter(last_checked_at=start).count() == 50


@pytest.mark.django_db
def test_the_longest_unchecked_come_first_and_never_checked_before_all():
    first, second, third = (make_request() for _ in range(3))
    CreditRequest.objects.filter(id=third.id).update(last_checked_at=None)
    CreditRequest.objects.filter(id=second.id).update(last_checked_at=later(days=-1))
    order = []
    for minute in (1, 2, 3):
        moment = later(minutes=minute)
        rescore_pending(limit=1, now=moment)
        order.append(CreditRequest.objects.get(last_checked_at=moment).id)
    assert order == [third.id, second.id, first.id]


@pytest.mark.django_db
def test_requests_that_cannot_be_scored_are_counted_and_hold_nobody_up():
    requests = make_erased_tampered_and_sound()
    for place, request in enumerate(requests):
        CreditRequest.objects.filter(id=request.id).update(last_checked_at=later(days=place - 9))
    counts = [rescore_pending(limit=1, now=later(minutes=minute)) for minute in (1, 2, 3)]
    assert [(run["erased"], run["failed"], run["rescored"]) for run in counts] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert [len(causes(request)) for request in requests] == [1, 1, 2]


@pytest.mark.django_db
def test_one_that_breaks_the_run_stands_at_the_back_afterwards(monkeypatch):
    bad, good = make_request(), make_request()
    CreditRequest.objects.filter(id=bad.id).update(last_checked_at=None)

    def break_down(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(rescoring, "score_request", break_down)
        rescore_pending(limit=5, now=later(minutes=1))
    assert rescore_pending(limit=1, now=later(seconds=30)) == {
        "checked": 1,
        "rescored": 0,
        "unchanged": 1,
        "erased": 0,
        "failed": 0,
    }
    good.refresh_from_db()
    assert good.last_checked_at > timezone.now()


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [0, -1, 10_001, "5", True, 1.5])
def test_a_limit_has_bounds(limit):
    with pytest.raises(InvalidInput, match="limit"):
        rescore_pending(limit=limit)


# --- Two at once ----------------------------------------------------------------------------------------------


def at_once(*calls):
    """The results of `calls`, begun together, each in a thread with a connection of its own."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class TwoAtOnce(CommittedTestCase):
    def test_rescorings_of_one_request_make_one_row(self):
        request = make_request()
        before = len(causes(request))
        change_debt(request, 80_000_000)
        written = at_once(*[lambda: rescore_credit_request(credit_request=request, actor=None)] * 4)
        self.assertEqual(sorted(written), [False, False, False, True])
        self.assertEqual(len(causes(request)), before + 1)
        request.refresh_from_db()
        self.assertEqual(request.prediction.cause, causes(request)[-1])

    def test_rescorings_with_causes_of_their_own_make_one_row(self):
        request = make_request()
        before = len(causes(request))
        change_debt(request, 80_000_000)
        rescore = partial(rescore_credit_request, credit_request=request, actor=None)
        written = at_once(*[partial(rescore, cause=f"record:{number}") for number in range(4)])
        self.assertEqual((sum(written), len(causes(request))), (1, before + 1))

    def test_two_workers_share_the_queue_and_check_nobody_twice(self):
        person, product = make_individual(make_branch()), make_product()
        requests = [make_request(person, product) for _ in range(12)]
        before = PredictionLog.objects.count()
        change_debt(requests[0], 80_000_000)
        moment = later(minutes=1)
        counts = at_once(*[partial(rescore_pending, limit=100, now=moment)] * 2)
        self.assertEqual(sum(count["checked"] for count in counts), 12)
        self.assertEqual(sum(count["rescored"] for count in counts), 12)
        self.assertEqual(PredictionLog.objects.count(), before + 12)

    def test_records_that_arrive_after_the_commit_rescore_by_themselves(self):
        request = make_request()
        self.assertFalse(ExternalRecord.objects.filter(current__isnull=True).exists())
        self.assertFalse(Job.objects.exclude(state="done").exists())
        self.assertGreater(len(causes(request)), 1)
        request.refresh_from_db()
        self.assertEqual(request.prediction.opened()["unavailable"], [])

    def test_applicants_who_share_parcels_submit_at_once(self):
        parcels = [f"10:01:02:03:04:{number:04}" for number in (55, 56, 57)]
        product = make_product()
        people = [make_individual(make_branch(), parcel_ids=ids) for ids in (parcels, parcels[::-1]) for _ in range(2)]
        made = at_once(*[partial(make_request, person, product) for person in people])
        self.assertEqual(CreditRequest.objects.filter(prediction__isnull=False).count(), len(made))
        self.assertEqual(ExternalRecord.objects.filter(source="kadastr").count(), 3)
        work_due_jobs()
        for request in made:
            request.refresh_from_db()
            self.assertEqual(request.prediction.opened()["unavailable"], [])
