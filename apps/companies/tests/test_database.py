"""What the tables themselves keep: no name, number or contact in clear, and no figure out of bounds."""

from datetime import date

import pytest
from cryptography.exceptions import InvalidTag
from django.db import IntegrityError, transaction

from apps.accounts.tests.factories import make_branch
from apps.common.money import MOST_MONEY
from apps.common.tests.stored import everything_stored
from apps.companies.models import Company, FinancialStatement
from apps.companies.tests.factories import make_company

pytestmark = pytest.mark.django_db


def test_no_name_number_or_contact_stands_in_clear_anywhere():
    company = make_company(
        make_branch(),
        company_name="Canary Trade",
        contact={"name": "Canary Person", "phone": "+998931234567", "email": "canary@example.uz"},
        guarantor={"name": "Canary Guarantor", "inn": "201589828", "phone": None},
        parcel_ids=["11:22:33:44:55:6677"],
    )
    stored = everything_stored()
    assert b"2500000000" in stored  # figures of statements do stand in clear
    for canary in ["Canary", "canary", "201589828", "998931234567", "11:22:33:44:55:6677", company.profile["tax_id"]]:
        assert canary.encode() not in stored, canary


def test_a_sealed_profile_does_not_open_in_another_row():
    one, two = make_company(make_branch()), make_company(make_branch())
    Company.objects.filter(pk=two.pk).update(sealed=one.sealed, data_key=one.data_key)
    moved = Company.objects.get(pk=two.pk)
    with pytest.raises(InvalidTag):
        _ = moved.profile


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXX"},
        {"industry": "V"},
        {"industry": ""},
        {"version": 0},
        {"incorporated_date": None, "years_in_business_given": -0.1},
        {"incorporated_date": None, "years_in_business_given": 300.1},
        {"incorporated_date": date(2014, 5, 20), "years_in_business_given": 5},
    ],
)
def test_the_database_refuses_a_company_out_of_bounds(wrong):
    company = make_company(make_branch())
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.filter(pk=company.pk).update(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"year": 1989},
        {"year": 2101},
        {"year": 2023},  # the company's other statement has it
        {"revenue": -1},
        {"revenue": None},
        {"revenue": MOST_MONEY + 1},
        {"net_income": -MOST_MONEY - 1},
        {"net_income": MOST_MONEY + 1},
        {"assets": 0},
        {"assets": MOST_MONEY + 1},
        {"liabilities": -1},
        {"liabilities": MOST_MONEY + 1},
        {"current_assets": -1},
        {"current_assets": MOST_MONEY + 1},
        {"current_liabilities": -1},
        {"current_liabilities": MOST_MONEY + 1},
        {"retained_earnings": -MOST_MONEY - 1},
        {"retained_earnings": MOST_MONEY + 1},
        {"ebit": -MOST_MONEY - 1},
        {"ebit": MOST_MONEY + 1},
    ],
)
def test_the_database_refuses_a_statement_out_of_bounds(wrong):
    company = make_company(make_branch())
    with pytest.raises(IntegrityError), transaction.atomic():
        FinancialStatement.objects.filter(company=company, year=2024).update(**wrong)


def test_the_database_keeps_one_profile_per_tax_id():
    one, two = make_company(make_branch()), make_company(make_branch())
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.filter(pk=two.pk).update(tax_id_index=one.tax_id_index)
