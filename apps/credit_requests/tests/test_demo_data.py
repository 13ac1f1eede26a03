"""Invented people and companies: the same for the same seed, and such as the API would take."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from apps.common.identifiers import check_pinfl, inn_warnings, parcel_warnings
from apps.companies.api import CompanySerializer
from apps.credit_requests.demo import portfolio, visits
from apps.credit_requests.demo.decisions import APPROVAL, CAUTION, REFUSAL
from apps.credit_requests.demo.names import family_name
from apps.credit_requests.demo.people import invent_company, invent_person
from apps.individuals.api import IndividualSerializer
from apps.policies.documents import read_policy
from apps.policies.services import DEFAULTS

TODAY = date(2026, 1, 31)


def people() -> list[dict]:
    rng = Random(portfolio.SEED)
    return [invent_person(rng, number, today=TODAY) for number in range(portfolio.PEOPLE)]


def test_the_same_seed_invents_the_same_people():
    assert people() == people()


def test_identifiers_are_valid_and_apart():
    profiles = people()
    for profile in profiles:
        check_pinfl(profile["pinfl"], today=TODAY)
        assert [parcel_warnings(parcel) for parcel in profile["parcel_ids"]] in ([], [[]])
    assert len({profile["pinfl"] for profile in profiles}) == portfolio.PEOPLE


@pytest.mark.django_db
def test_the_api_would_take_every_person():
    for profile in people():
        given = IndividualSerializer(data=profile)
        assert given.is_valid(), (profile, given.errors)


@pytest.mark.django_db
def test_the_api_would_take_every_company():
    rng = Random(1)
    for number in range(portfolio.COMPANIES):
        profile, others = invent_company(rng, number, today=TODAY)
        body = profile | others | {"incorporated_date": others["incorporated_date"].isoformat()}
        given = CompanySerializer(data=body)
        assert given.is_valid(), (body, given.errors)
        assert inn_warnings(profile["tax_id"]) == []


@pytest.mark.parametrize(
    ("stem", "sex", "cyrillic", "name"),
    [
        ("Karim", "male", False, "Karimov"),
        ("Karim", "female", False, "Karimova"),
        ("Boboyev", "female", False, "Boboyeva"),
        ("Abdullay", "male", False, "Abdullayev"),
        ("Серге", "female", True, "Сергеева"),
        ("Васил", "male", True, "Василов"),
    ],
)
def test_family_names_have_their_endings(stem, sex, cyrillic, name):
    assert family_name(stem, sex=sex, cyrillic=cyrillic) == name


def test_what_people_of_the_demo_decide_is_what_the_shipped_policies_let_them():
    for name in ("uz_individual", "uz_company"):
        people = read_policy((DEFAULTS / f"{name}.toml").read_text(encoding="utf-8")).people
        assert APPROVAL.reason_code in people.low_side_reasons
        assert CAUTION.reason_code in people.high_side_reasons
    assert APPROVAL.comment.strip()
    assert REFUSAL.comment.strip()


@pytest.mark.parametrize("now", [datetime(2026, 11, 23, 14, tzinfo=UTC), datetime(2026, 1, 3, 1, tzinfo=UTC)])
def test_everybody_came_in_order_on_a_working_day_and_before_now(now):
    found = visits.moments(400, now)
    assert len(found) == 400
    assert found == sorted(found)
    assert visits.began(now) <= found[0]
    assert found[-1] <= now - visits.LATEST
    local = [moment + timedelta(hours=5) for moment in found]
    early = [moment for moment in local if moment < now + timedelta(hours=4)]
    assert all(moment.weekday() < 6 and 9 <= moment.hour < 18 for moment in early if moment.date() > TODAY)
