"""Which facts a request has, where each comes from, and what is unavailable instead of missing."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch
from apps.companies.tests.factories import make_company
from apps.credit_requests.facts import gather_facts
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.tests.factories import make_product, make_request
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.reading import record_facts
from apps.external_integrations.services import refresh_record
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.tests.factories import allow
from apps.external_integrations.tests.registry import by_contract, live_registry
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.ml.vocabulary import check_facts

pytestmark = pytest.mark.django_db
NO_INCOME = {"yearly_income": None, "salary": None, "incomes": []}


def gathered(request):
    return gather_facts(CreditRequest.objects.get(id=request.id), now=timezone.now())


def fetch_records():
    for record in ExternalRecord.objects.all():
        refresh_record(record_id=record.id)


def soliq_facts():
    return record_facts(ExternalRecord.objects.get(source="soliq"), now=timezone.now())


def test_facts_come_from_profile_request_and_records():
    request = make_request()
    fetch_records()
    found = gathered(request)
    assert found.unavailable == frozenset()
    sources = {name: fact.source for name, fact in found.facts.items()}
    assert {name: sources[name] for name in ("requested_amount", "existing_debt", "inquiries_6m", "tax_debt")} == {
        "requested_amount": "request",
        "existing_debt": "profile",
        "inquiries_6m": "bureau",
        "tax_debt": "soliq",
    }
    assert (sources["property_area"], found.facts["property_area"].origin) == ("kadastr", "mock")
    assert found.facts["requested_amount"].at == request.updated_at
    check_facts("individual", {name: fact.value for name, fact in found.facts.items()})


def test_a_source_that_never_answered_makes_its_facts_unavailable():
    found = gathered(make_request())
    assert found.unavailable == {"declared_yearly_income", "tax_debt", "property_area"}
    assert found.unavailable.isdisjoint(found.facts)


def test_a_source_that_answered_and_knows_nothing_leaves_them_missing():
    request = make_request()
    ExternalRecord.objects.update(checked_at=timezone.now())
    found = gathered(request)
    assert found.unavailable == frozenset()
    assert {"declared_yearly_income", "tax_debt", "property_area"}.isdisjoint(found.facts)


def test_a_record_of_long_ago_is_still_used():
    request = make_request()
    fetch_records()
    ExternalRecord.objects.update(checked_at=timezone.now() - timedelta(days=400))
    assert {"tax_debt", "property_area"} <= gathered(request).facts.keys()


def test_the_given_income_wins_over_the_declared_one():
    request = make_request()
    fetch_records()
    found = gathered(request).facts
    assert (found["yearly_income"].value, found["yearly_income"].source) == (120_000_000, "profile")
    assert found["declared_yearly_income"] == soliq_facts()["declared_yearly_income"]


def test_the_declared_income_stands_in_for_one_that_was_not_given():
    request = make_request(make_individual(make_branch(), **NO_INCOME))
    assert "yearly_income" in gathered(request).unavailable
    fetch_records()
    found = gathered(request)
    assert found.facts["yearly_income"] == soliq_facts()["declared_yearly_income"]
    assert (found.facts["yearly_income"].source, found.unavailable) == ("soliq", frozenset())


def test_the_declared_income_beats_net_pay_which_understates():
    request = make_request(make_individual(make_branch(), **NO_INCOME | {"salary": 9_000_000}))
    before = gathered(request)
    assert (before.facts["yearly_income"].value, "yearly_income" in before.unavailable) == (108_000_000, False)
    fetch_records()
    assert gathered(request).facts["yearly_income"].source == "soliq"


def test_an_income_that_nobody_knows_is_missing():
    request = make_request(make_individual(make_branch(), **NO_INCOME))
    ExternalRecord.objects.update(checked_at=timezone.now())
    found = gathered(request)
    assert "yearly_income" not in found.facts.keys() | found.unavailable


def test_the_areas_of_all_parcels_add_up():
    parcels = [f"10:01:02:03:04:{number:04}" for number in (55, 56, 57)]
    request = make_request(make_individual(make_branch(), parcel_ids=parcels))
    first, *others = ExternalRecord.objects.filter(source="kadastr")
    refresh_record(record_id=first.id)
    assert "property_area" in gathered(request).unavailable
    for record in others:
        refresh_record(record_id=record.id)
    records = ExternalRecord.objects.filter(source="kadastr")
    areas = [record_facts(record, now=timezone.now())["property_area"] for record in records]
    found = gathered(request).facts["property_area"]
    assert found.value == pytest.approx(sum(area.value for area in areas), abs=1e-6)
    assert found.at == min(area.at for area in areas)


def test_sums_in_another_currency_are_never_mixed_in():
    request = make_request(
        make_individual(make_branch(), currency="USD", **NO_INCOME), make_product(currency="USD"), term_months=12
    )
    fetch_records()
    found = gathered(request).facts
    assert {"tax_debt", "declared_yearly_income", "yearly_income"}.isdisjoint(found)
    assert "property_area" in found


def test_a_company_has_statements_and_declared_revenue():
    request = make_request(make_company(make_branch()), purpose="equipment")
    assert gathered(request).unavailable == {"declared_revenue", "tax_debt", "property_area"}
    fetch_records()
    found = gathered(request).facts
    assert (found["revenue"].value, found["revenue"].source) == (4_000_000_000, "profile")
    assert found["declared_revenue"] == soliq_facts()["declared_revenue"]
    check_facts("company", {name: fact.value for name, fact in found.items()})


def test_a_fact_of_a_record_that_was_not_renewed_is_marked():
    request = make_request()
    fetch_records()
    later = timezone.now() + timedelta(days=31)
    facts = gather_facts(CreditRequest.objects.get(id=request.id), now=later).facts
    assert {name for name, fact in facts.items() if fact.is_stale} == {
        name for name, fact in facts.items() if fact.source in ("soliq", "kadastr")
    }
    assert facts["tax_debt"].is_stale


def asked_of_the_bureau(**profile):
    """A request of somebody who allowed the bureau to be asked, once it has answered, and what it said."""
    person = make_individual(make_branch(), **profile)
    allow(person.profile["pinfl"], "bureau")
    request = make_request(person)
    fetch_records()
    return gathered(request), record_facts(ExternalRecord.objects.get(source="bureau"), now=timezone.now())


def test_without_a_consent_a_source_is_not_asked_and_its_facts_are_missing():
    person = make_individual(make_branch())
    request = make_request(person, consents=())
    assert list(request.external_records.values_list("source", flat=True)) == ["kadastr"]
    found = gathered(request)
    assert found.unavailable == {"property_area"}
    assert {"declared_yearly_income", "tax_debt"}.isdisjoint(found.facts)


def test_what_the_bureau_says_of_a_history_holds_over_what_was_told():
    found, bureau = asked_of_the_bureau()
    names = bureau.keys() - {"existing_debt", "monthly_debt_payments"}
    assert {"inquiries_6m", "open_accounts"} <= names
    assert {name: found.facts[name] for name in names} == {name: bureau[name] for name in names}
    check_facts("individual", {name: fact.value for name, fact in found.facts.items()})


def test_of_two_debts_the_larger_holds():
    told, bureau = asked_of_the_bureau(existing_debt=0, monthly_debt_payments=10**12)
    assert told.facts["existing_debt"] == bureau["existing_debt"]
    payments = told.facts["monthly_debt_payments"]
    assert (payments.value, payments.source) == (10**12, "profile")


def test_a_bureau_that_is_silent_makes_unavailable_only_what_nobody_told():
    person = make_individual(make_branch())
    allow(person.profile["pinfl"], "bureau")
    request = make_request(person)
    told = {name for name, fact in gathered(request).facts.items() if fact.source in ("profile", "bureau")}
    silent = {"credit_history_score", "inquiries_6m", "delinquencies_24m", "open_accounts", "public_records"}
    silent |= {"existing_debt", "monthly_debt_payments"}
    expected = {"declared_yearly_income", "tax_debt", "property_area"} | (silent - told)
    assert gathered(request).unavailable == expected


def test_a_bureau_without_a_score_leaves_the_one_that_was_told():
    person = make_individual(make_branch(), credit_history_score=702, credit_history_scale="fico_300_850")
    allow(person.profile["pinfl"], "bureau")
    request = make_request(person)
    with live_registry(without_a_score):
        fetch_records()
    facts = gathered(request).facts
    assert (facts["credit_history_score"].value, facts["credit_history_scale"].value) == (702, "fico_300_850")
    assert facts["inquiries_6m"].source == "bureau"


def without_a_score(handler, body):
    if not handler.path.startswith("/v1/people"):
        return by_contract(handler, body)
    document = json.loads(SOURCES["bureau"].invent(body["pinfl"], timezone.now()))
    return handler.answer(json.dumps(document | {"credit_history_score": None}))
