from datetime import UTC, date, datetime

import pytest

from apps.accounts.tests.factories import make_branch
from apps.common.facts import Found
from apps.companies.facts import company_facts
from apps.companies.tests.factories import make_company, statement_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 5, 19)
END_OF_2024 = datetime(2024, 12, 30, 19, 0, tzinfo=UTC)


def test_a_full_profile_gives_each_fact_of_the_latest_year():
    company = make_company(make_branch(), statements=[statement_of(2024), statement_of(2023, revenue=1)])
    at = company.updated_at
    assert company_facts(company, today=TODAY) == {
        "existing_debt": Found(300_000_000, "profile", at),
        "monthly_debt_payments": Found(12_000_000, "profile", at),
        "collateral_value": Found(900_000_000, "profile", at),
        "has_guarantor": Found(False, "profile", at),
        "industry": Found("G", "profile", at),
        "years_in_business": Found(11, "profile", at),
        "revenue": Found(4_000_000_000, "profile", END_OF_2024),
        "net_income": Found(320_000_000, "profile", END_OF_2024),
        "assets": Found(2_500_000_000, "profile", END_OF_2024),
        "liabilities": Found(1_100_000_000, "profile", END_OF_2024),
        "current_assets": Found(1_200_000_000, "profile", END_OF_2024),
        "current_liabilities": Found(700_000_000, "profile", END_OF_2024),
        "retained_earnings": Found(600_000_000, "profile", END_OF_2024),
        "ebit": Found(450_000_000, "profile", END_OF_2024),
    }


def test_years_in_business_follow_from_the_date_and_move_on_its_day():
    company = make_company(make_branch(), incorporated_date=date(2014, 5, 20))
    assert company_facts(company, today=date(2026, 5, 19))["years_in_business"].value == 11
    assert company_facts(company, today=date(2026, 5, 20))["years_in_business"].value == 12


def test_years_that_were_given_alone_are_the_fact():
    company = make_company(make_branch(), incorporated_date=None, years_in_business=3.5)
    assert company_facts(company, today=TODAY)["years_in_business"].value == 3.5


def test_what_is_not_known_is_no_fact():
    unknown = dict.fromkeys(["existing_debt", "monthly_debt_payments", "collateral_value", "industry"])
    company = make_company(make_branch(), statements=[], incorporated_date=None, **unknown)
    assert company_facts(company, today=TODAY) == {"has_guarantor": Found(False, "profile", company.updated_at)}


def test_a_figure_that_the_latest_year_lacks_is_not_taken_from_an_older_one():
    company = make_company(make_branch(), statements=[statement_of(2024, ebit=None), statement_of(2023, ebit=7)])
    assert "ebit" not in company_facts(company, today=TODAY)


def test_the_running_year_is_as_of_the_last_change():
    company = make_company(make_branch(), statements=[statement_of(2026)], today=TODAY)
    company.updated_at = datetime(2026, 5, 19, 12, 0, tzinfo=UTC)
    assert company_facts(company, today=TODAY)["revenue"].at == company.updated_at
