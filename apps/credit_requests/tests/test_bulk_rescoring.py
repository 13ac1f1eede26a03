"""Rescoring in chunks gives each request what rescoring it alone gives, and nothing twice."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.tests.factories import make_branch
from apps.audit.models import AuditEvent
from apps.companies.tests.factories import make_company
from apps.credit_requests import bulk_rescoring
from apps.credit_requests.bulk_rescoring import rescore_chunk, rescore_undecided
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import rescore_credit_request
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.factories import change_debt, make_erased_tampered_and_sound, make_product, make_request
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import put_in_service
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = pytest.mark.django_db


def make_requests():
    """Two people and a company; the inputs of one person and of nobody else have changed since."""
    changed, same = make_request(), make_request()
    company = make_request(make_company(make_branch()), make_product(kind="business"))
    change_debt(changed, 70_000_000)
    return [changed, same, company]


def told(request, cause, now):
    """All that a reader could learn of the scoring `cause` of `request` at `now`, but ids and nonces."""
    request.refresh_from_db()
    rows = PredictionLog.objects.filter(request_id=request.id, created_at=now).order_by("role")
    skipped = ("id", "sealed", "beside", "cause")
    columns = [field.attname for field in PredictionLog._meta.concrete_fields if field.attname not in skipped]
    events = AuditEvent.objects.filter(details__cause=cause, subject_id__in=[request.id, *(row.id for row in rows)])
    return {
        "causes": [row.cause for row in rows if row.beside is None],
        "rows": [{name: getattr(row, name) for name in columns} | {"opened": row.opened()} for row in rows],
        "newest": request.prediction.cause,
        "checked": request.last_checked_at,
        "events": sorted((event.action, event.subject_type) for event in events),
    }


@pytest.mark.parametrize("with_challenger", [False, True])
def test_the_outcome_is_that_of_one_by_one(with_challenger):
    requests = make_requests()
    if with_challenger:
        put_in_service(fixed_card(version="individual-9.9.9"), role="challenger")
    now = timezone.now() + timedelta(minutes=1)
    alone = []
    for request in requests:
        point = transaction.savepoint()
        rescore_credit_request(credit_request=request, cause="test", actor=None, now=now)
        alone.append(told(request, "test", now))
        transaction.savepoint_rollback(point)
    counts = rescore_chunk([request.id for request in requests], cause="test", now=now)
    assert counts == {"checked": 3, "rescored": 1, "unchanged": 2, "erased": 0, "failed": 0}
    assert [told(request, "test", now) for request in requests] == alone
    assert [len(each["rows"]) for each in alone] == [2 if with_challenger else 1, 0, 0]


def test_another_model_rescores_all_and_running_again_writes_nothing():
    requests = [make_request() for _ in range(3)]
    put_in_service(fixed_card())
    moment = timezone.now() + timedelta(minutes=1)
    counts = {"checked": 3, "rescored": 3, "unchanged": 0, "erased": 0, "failed": 0}
    assert rescore_undecided(now=moment, chunk=2) == counts
    assert rescore_undecided(now=moment, chunk=2) == counts | {"rescored": 0, "unchanged": 3}
    for request in requests:
        request.refresh_from_db()
        assert request.prediction.model_version == fixed_card()["version"]
        assert request.last_checked_at == moment


def test_a_cause_that_has_its_row_makes_no_second_one():
    request = make_request()
    change_debt(request, 70_000_000)
    assert rescore_chunk([request.id], cause="test", now=timezone.now())["rescored"] == 1
    change_debt(request, 80_000_000)
    assert rescore_chunk([request.id], cause="test", now=timezone.now())["unchanged"] == 1
    assert PredictionLog.objects.filter(request_id=request.id, cause="test").count() == 1


def test_what_cannot_be_scored_is_counted_and_holds_nobody_up():
    make_erased_tampered_and_sound()
    assert rescore_undecided() == {"checked": 3, "rescored": 1, "unchanged": 0, "erased": 1, "failed": 1}


def test_decided_requests_are_left_alone():
    request = make_request()
    withdraw_credit_request(credit_request=request, version=1, actor=None)
    change_debt(request, 70_000_000)
    assert rescore_chunk([request.id], cause="test", now=timezone.now())["checked"] == 0


def test_a_fault_in_the_middle_leaves_nothing(monkeypatch):
    request = make_request()
    change_debt(request, 70_000_000)
    before = (PredictionLog.objects.count(), AuditEvent.objects.count(), request.prediction_id)

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(bulk_rescoring, "_update", fail)
    with pytest.raises(ZeroDivisionError):
        rescore_chunk([request.id], cause="test", now=timezone.now())
    newest = CreditRequest.objects.get(id=request.id).prediction_id
    assert (PredictionLog.objects.count(), AuditEvent.objects.count(), newest) == before


def test_the_queries_of_a_chunk_do_not_grow_with_it():
    ids = [make_request().id for _ in range(4)]
    counts = []
    for number in (1, 4):
        with CaptureQueriesContext(connection) as queries:
            rescore_chunk(ids[:number], cause=f"test:{number}", now=timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_command_tells_what_became_of_them(capsys):
    change_debt(make_request(), 70_000_000)
    call_command("rescore_requests")
    assert capsys.readouterr().out == "1 checked, 1 rescored, 0 unchanged, 0 erased, 0 failed\n"


def test_the_parts_of_several_workers_hold_each_request_once():
    for _ in range(8):
        make_request()
    put_in_service(fixed_card())
    moment = timezone.now() + timedelta(minutes=1)
    counts = [rescore_undecided(now=moment, chunk=2, part=(place, 3)) for place in range(3)]
    assert sum(each["rescored"] for each in counts) == sum(each["checked"] for each in counts) == 8
    assert set(CreditRequest.objects.values_list("last_checked_at", flat=True)) == {moment}


@pytest.mark.parametrize("workers", [0, 33])
def test_a_wrong_number_of_workers_rescores_nothing(workers):
    request = make_request()
    change_debt(request, 70_000_000)
    before = request.prediction_id
    with pytest.raises(CommandError, match="from 1 to 32"):
        call_command("rescore_requests", workers=workers)
    request.refresh_from_db()
    assert request.prediction_id == before
