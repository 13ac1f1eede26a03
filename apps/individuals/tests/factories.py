"""Invented people, made by the service. Also used by the tests of other apps."""

from datetime import date
from itertools import count
from typing import Any

from apps.accounts.models import Branch
from apps.common.identifiers import build_pinfl
from apps.individuals.models import Individual
from apps.individuals.services import create_individual

BIRTH_DATE = date(1985, 3, 14)
_serials = count(1)


def make_pinfl(birth_date: date = BIRTH_DATE, sex: str = "male", serial: int | None = None) -> str:
    """A valid PINFL; without a serial (0..999999), a new one with each call."""
    number = next(_serials) if serial is None else serial
    return build_pinfl(birth_date=birth_date, sex=sex, area=number // 1000, serial=number % 1000)


def profile_of(**overrides: Any) -> dict[str, Any]:
    """A full profile whose PINFL and birth date agree; pass `birth_date` (ISO) alone and the PINFL follows."""
    birth_date = overrides.get("birth_date", BIRTH_DATE.isoformat())
    return {
        "full_name": "Dilshod Karimov",
        "pinfl": make_pinfl(date.fromisoformat(birth_date)),
        "birth_date": birth_date,
        "phone": "+998901234567",
        "email": "dilshod@example.uz",
        "incomes": [],
        "salary": 9_000_000,
        "yearly_income": 120_000_000,
        "existing_debt": 20_000_000,
        "monthly_debt_payments": 1_500_000,
        "collateral_value": 60_000_000,
        "property_net_worth": 250_000_000,
        "guarantor": {"name": "Aziza Karimova", "inn": "201589828", "phone": "+998907654321"},
        "credit_history_score": 690,
        "credit_history_scale": "fico_300_850",
        "criminal_history": False,
        "employment_years": 6.5,
        "bureau": {
            "source": "Invented bureau",
            "observed_at": "2026-01-15",
            "inquiries_6m": 1,
            "delinquencies_24m": 0,
            "open_accounts": 4,
            "revolving_utilisation": 0.35,
            "oldest_account_date": "2012-06-01",
            "public_records": 0,
        },
        "parcel_ids": ["10:01:02:03:04:0055"],
    } | overrides


def make_individual(branch: Branch, **overrides: Any) -> Individual:
    """`overrides`: fields of the profile, and currency, actor, is_demo of the service."""
    options = {"currency": "UZS", "actor": None, "is_demo": False}
    options |= {name: overrides.pop(name) for name in list(overrides) if name in options}
    return create_individual(profile=profile_of(**overrides), branch=branch, **options)
