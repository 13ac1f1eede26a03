"""What the policy is asked with: what was scored, what only it asks for, and why the assessment may not decide."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.common.days import lender_today
from apps.companies.tests.factories import make_company
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.policy_facts import Asked, gather_policy_facts, months_after
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.deciders import (
    GOOD,
    GREY,
    TEXT,
    answer_register,
    make_scored,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import change_debt, make_product, make_request, status_guard_lifted
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.services import find_or_fetch_record
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.tests.factories import allow
from apps.external_integrations.tests.registry import live_registry, saying
from apps.individuals.tests.factories import make_individual
from apps.policies.documents import read_policy
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import ModelVersion
from apps.scoring_engine.tests.factories import empty_registry, put_in_service, validate

pytestmark = pytest.mark.django_db
POLICY = read_policy(TEXT)


def gathered(request, policy=POLICY, now=None, asked=None):
    request = read(request)
    return gather_policy_facts(request, request.prediction, policy, now or timezone.now(), asked)


@pytest.fixture
def own_model():
    return put_in_service(small_card(), on_own_data=True)


# --- Facts ----------------------------------------------------------------------------------------------------


def test_the_facts_are_those_that_were_scored_and_those_that_only_a_policy_asks_for(own_model):
    product = make_product(kind="microloan", repayment_type="annuity", annual_rate_basis_points=2_650)
    request = make_scored(GREY, product=product, channel="phone", birth_date="1985-03-14")
    facts = gathered(request).facts
    scored = request.prediction.opened()["facts"]
    assert {name: facts[name] for name in scored} == scored
    age = (lender_today() - date(1985, 3, 14)).days // 365.2425
    claim = max(facts["yearly_income"], facts["salary"] * 12)
    assert {name: facts[name] for name in facts if name not in scored} == {
        "product_kind": "microloan",
        "repayment_type": "annuity",
        "annual_rate": 0.265,
        "channel": "phone",
        "age_years": age,
        "age_at_maturity": facts["age_at_maturity"],
        "self_banned": False,
        "online_requests_today": 0,
        "income_contradiction": claim * 10 >= facts["declared_yearly_income"] * 14,
    }
    assert facts["age_at_maturity"] - age in (2, 3)


def asked_of_the_bureau(*, noted, says):
    """The policy's fact of a request whose register answer a person `noted`, and of which the bureau `says`."""
    request = make_scored(GREY, banned=noted)
    pinfl = request.individual.profile["pinfl"]
    document = json.loads(SOURCES["bureau"].invent(pinfl, timezone.now())) | {"self_banned": says}
    allow(pinfl, "bureau")
    with live_registry(saying(json.dumps(document))):
        record, _ = find_or_fetch_record(source="bureau", identifier=pinfl, actor=None)
        request.external_records.add(record)
        now = gathered(request).facts.get("self_banned")
        later = gathered(request, now=timezone.now() + timedelta(days=2)).facts.get("self_banned")
    return now, later


@pytest.mark.parametrize(
    ("noted", "says", "known"),
    [(None, True, True), (None, False, False), (None, None, None), (False, True, True), (True, False, True)],
)
def test_a_bureau_tells_of_bans_while_it_is_fresh(own_model, noted, says, known):
    assert asked_of_the_bureau(noted=noted, says=says) == (known, None)


def test_what_changed_since_is_not_in_them(own_model):
    request = make_scored(GREY)
    change_debt(request, 99_000_000)
    assert gathered(request).facts["existing_debt"] == 20_000_000


def test_age_counts_birthdays_to_the_end_of_the_term(own_model):
    request = make_scored(GREY, birth_date="1985-03-14")
    now = datetime(2026, 3, 13, 20, 0, tzinfo=UTC)  # 01:00 of the 14th in Tashkent
    for at, asked, ages in (
        (now - timedelta(days=1), None, (40, 42)),
        (now, None, (41, 43)),
        (now, Asked(30_000_000, 12), (41, 42)),
        (now - timedelta(days=1), Asked(30_000_000, 13), (40, 42)),
    ):
        facts = gathered(request, now=at, asked=asked).facts
        assert (facts["age_years"], facts["age_at_maturity"]) == ages


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 7), 24, date(2028, 12, 7)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_months_end_where_the_month_does(day, months, expected):
    assert months_after(day, months) == expected


def test_other_terms_are_asked_about_as_they_would_be(own_model):
    facts = gathered(make_scored(GREY), asked=Asked(5_000_000, 6)).facts
    assert (facts["requested_amount"], facts["term_months"]) == (5_000_000, 6)


def test_a_company_has_no_age():
    request = make_request(make_company(make_branch()))
    facts = gathered(request).facts
    assert not {"age_years", "age_at_maturity", "self_banned"} & facts.keys()
    assert (facts["revenue"], facts["online_requests_today"]) == (4_000_000_000, 0)


# --- The register ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_listed", [True, False])
def test_the_newest_answer_of_the_register_counts_while_it_is_fresh(own_model, is_listed):
    request, now = make_scored(GREY, banned=None), timezone.now()
    assert "self_banned" not in gathered(request, now=now).facts
    answer_register(request, not is_listed, now=now - timedelta(hours=3))
    answer_register(request, is_listed, now=now - timedelta(hours=2))
    assert gathered(request, now=now).facts["self_banned"] is is_listed
    assert gathered(request, now=now + timedelta(hours=21, minutes=59)).facts["self_banned"] is is_listed
    assert "self_banned" not in gathered(request, now=now + timedelta(hours=22, minutes=1)).facts


def test_an_answer_about_another_request_says_nothing(own_model):
    request = make_scored(GREY, banned=None)
    make_scored(GREY, banned=True)
    assert "self_banned" not in gathered(request).facts


# --- Other online requests ------------------------------------------------------------------------------------


def others(request, **options):
    return make_request(request.individual, **{"channel": "online"} | options)


def made_at(request, moment):
    CreditRequest.objects.filter(id=request.id).update(created_at=moment)


@pytest.mark.parametrize(
    ("status", "counts"), [("pending", 1), ("referred", 1), ("approved", 1), ("rejected", 0), ("withdrawn", 0)]
)
def test_other_online_requests_of_the_day_count_while_they_may_come_to_something(own_model, status, counts):
    request = make_scored(GREY, channel="online")
    other = others(request)
    with status_guard_lifted():
        CreditRequest.objects.filter(id=other.id).update(status=status)
    assert gathered(request).facts["online_requests_today"] == counts


def test_neither_another_person_nor_another_channel_counts(own_model):
    request = make_scored(GREY, channel="online")
    others(request, channel="branch")
    make_request(make_individual(make_branch()), channel="online")
    assert gathered(request).facts["online_requests_today"] == 0


def test_the_day_is_the_lenders(own_model):
    request = make_scored(GREY, channel="online")
    other = others(request)
    noon = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    made_at(request, noon)
    for moment, counts in (
        (datetime(2026, 3, 1, 18, 59, tzinfo=UTC), 0),
        (datetime(2026, 3, 1, 19, 0, tzinfo=UTC), 1),
        (datetime(2026, 3, 2, 18, 59, tzinfo=UTC), 1),
        (datetime(2026, 3, 2, 19, 0, tzinfo=UTC), 0),
    ):
        made_at(other, moment)
        assert gathered(request, now=noon).facts["online_requests_today"] == counts, moment


def test_waiting_past_midnight_gives_no_second_loan_on_one_day():
    put_policy_in_force()
    request = make_scored(GOOD, channel="branch")
    other = others(request)
    made_at(other, timezone.now() - timedelta(days=3))
    assert gathered(request).facts["online_requests_today"] == 0
    answer_register(other, False)
    decide_by_policy(credit_request=other, version=1, actor=None, now=timezone.now())
    assert read(other).status == "approved"
    assert gathered(request).facts["online_requests_today"] == 1
    assert gathered(request, now=timezone.now() + timedelta(days=2)).facts["online_requests_today"] == 0
    withdraw_credit_request(credit_request=other, version=2, actor=None)
    assert gathered(request).facts["online_requests_today"] == 0


# --- Bars -----------------------------------------------------------------------------------------------------


def test_nothing_bars_an_own_model_with_fresh_records(own_model):
    request = make_scored(GREY)
    result = gathered(request)
    assert (result.bars, result.assessment.bars) == ((), ())
    prediction = request.prediction
    assert (result.assessment.score, result.assessment.grade) == (prediction.score, prediction.grade)
    assert result.assessment.probability_of_default == prediction.probability_of_default
    assert result.assessment.horizon_months == 24


def test_a_demonstration_is_barred_until_that_version_is_validated_on_own_data():
    request = make_scored(GREY)
    assert gathered(request).bars == ("demonstration",)
    shipped = ModelVersion.objects.get(segment="individual", state="champion")
    analyst = make_user("analyst")
    validate(ModelVersion.objects.get(segment="company", state="champion"), analyst, on_own_data=True)
    assert gathered(request).bars == ("demonstration",)
    validate(shipped, analyst, on_own_data=True)
    assert gathered(request).bars == ()
    validate(shipped, analyst, passed=False, on_own_data=True)
    assert gathered(request).bars == ("demonstration",)


def test_a_fallback_is_barred():
    empty_registry()
    assert gathered(make_scored(GREY)).bars == ("fallback", "demonstration")


def test_an_invented_record_is_barred_in_production_only(own_model, settings):
    request = make_scored(GREY)
    assert gathered(request).bars == ()
    settings.PRODUCTION = True
    assert gathered(request).bars == ("mock_source",)


def test_a_required_input_that_is_missing_is_barred(own_model):
    request = make_scored(GREY, yearly_income=None, salary=None)
    prediction = request.prediction.opened()
    expected = ("required_input_missing",) if prediction["missing_required"] else ()
    assert gathered(request).bars == expected


def test_a_source_that_is_down_is_barred(own_model):
    request = make_request(make_individual(make_branch()))
    assert gathered(request).bars == ("source_down",)
    assert gathered(request).records == []


def test_a_record_is_stale_by_the_policys_own_limit(own_model):
    request, now = make_scored(GREY), timezone.now()
    ExternalRecord.objects.filter(source="kadastr").update(checked_at=now - timedelta(days=179))
    assert gathered(request, now=now).bars == ()
    ExternalRecord.objects.filter(source="kadastr").update(checked_at=now - timedelta(days=181))
    result = gathered(request, now=now)
    assert result.bars == ("stale_source",)
    assert {record["source"]: record["is_stale"] for record in result.records} == {"kadastr": True, "soliq": False}
    ExternalRecord.objects.filter(source="soliq").update(checked_at=now - timedelta(days=31))
    assert {record["source"]: record["is_stale"] for record in gathered(request, now=now).records}["soliq"] is True


def test_another_currency_than_the_policys_is_barred(own_model):
    request = make_scored(GREY, currency="USD", product=make_product(currency="USD"))
    assert "other_currency" in gathered(request).bars
