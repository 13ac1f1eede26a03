"""Invented companies, made by the service. Also used by the tests of other apps."""

from datetime import date
from itertools import count
from typing import Any

from apps.accounts.models import Branch
from apps.common.identifiers import build_inn
from apps.companies.models import Company
from apps.companies.services import create_company

_serials = count(1)
OPTIONS: dict[str, Any] = {
    "currency": "UZS",
    "actor": None,
    "is_demo": False,
    "industry": "G",
    "incorporated_date": date(2014, 5, 20),
    "years_in_business": None,
    "statements": None,
    "today": None,
}


def make_tax_id() -> str:
    return build_inn(serial=next(_serials))


def statement_of(year: int = 2024, **overrides: Any) -> dict[str, Any]:
    return {
        "year": year,
        "revenue": 4_000_000_000,
        "net_income": 320_000_000,
        "assets": 2_500_000_000,
        "liabilities": 1_100_000_000,
        "current_assets": 1_200_000_000,
        "current_liabilities": 700_000_000,
        "retained_earnings": 600_000_000,
        "ebit": 450_000_000,
    } | overrides


def company_profile_of(**overrides: Any) -> dict[str, Any]:
    return {
        "company_name": "Zarafshon Savdo MCHJ",
        "tax_id": make_tax_id(),
        "contact": {"name": "Nodira Yusupova", "phone": "+998712345678", "email": "nodira@example.uz"},
        "existing_debt": 300_000_000,
        "monthly_debt_payments": 12_000_000,
        "collateral_value": 900_000_000,
        "guarantor": None,
        "parcel_ids": ["10:01:02:03:04:0077"],
    } | overrides


def make_company(branch: Branch, **overrides: Any) -> Company:
    """`overrides`: fields of the profile, and the OPTIONS of the service. Statements: 2023 and 2024 by default."""
    options = OPTIONS | {name: overrides.pop(name) for name in list(overrides) if name in OPTIONS}
    if options["statements"] is None:
        options["statements"] = [statement_of(2023, revenue=3_500_000_000), statement_of(2024)]
    return create_company(profile=company_profile_of(**overrides), branch=branch, **options)
