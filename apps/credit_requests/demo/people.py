"""Invented people and companies, the same for the same seed and day. Figures hang together through one hidden trait."""

from datetime import date, timedelta
from math import exp
from random import Random
from typing import Any

from apps.common.identifiers import build_inn, build_pinfl
from apps.credit_requests.demo.names import (
    CYRILLIC_FAMILIES,
    FAMILIES,
    FIRMS,
    MEN,
    TRADES,
    WOMEN,
    family_name,
    is_cyrillic,
)

Profile = dict[str, Any]
GROSS_OF_NET = 1 / 0.88  # 12 % income tax


def invent_person(rng: Random, number: int, *, today: date) -> Profile:
    """A profile as the service takes it. `number` (0..999) keeps identifiers and phones apart."""
    sex = rng.choice(("male", "female"))
    birth_date = _day_years_ago(rng, today, least=20, most=68)
    prudence = rng.gauss(0, 1)
    salary = round(exp(rng.gauss(15.7 + 0.15 * prudence, 0.45)), -4)
    return {
        "full_name": _full_name(rng, sex),
        "pinfl": build_pinfl(birth_date=birth_date, sex=sex, area=998, serial=number),
        "birth_date": birth_date.isoformat(),
        "phone": f"+99890000{number:04}",
        "email": f"demo{number:03}@example.com",
        **_income(rng, int(salary), today),
        **_obligations(rng, int(salary), prudence),
        **_history(rng, prudence, birth_date, today),
        "guarantor": _guarantor(rng, number) if rng.random() < 0.25 else None,
        "parcel_ids": [_parcel(rng)] if rng.random() < 0.4 else [],
    }


def invent_company(rng: Random, number: int, *, today: date) -> tuple[Profile, dict[str, Any]]:
    """A profile, and the other arguments of the service: industry, incorporated_date, statements."""
    trade = rng.choice(tuple(TRADES))
    health = rng.gauss(0, 1)
    revenue = int(round(exp(rng.gauss(22, 1)), -6))
    profile = {
        "company_name": f"{rng.choice(FIRMS)} {trade} MCHJ",
        "tax_id": build_inn(serial=9_900_000 + number),
        "contact": {
            "name": _full_name(rng, "female"),
            "phone": f"+99871000{number:04}",
            "email": f"firm{number:03}@example.com",
        },
        "existing_debt": _share(rng, revenue, 0.15),
        "monthly_debt_payments": _share(rng, revenue, 0.01),
        "collateral_value": _share(rng, revenue, 0.3),
        "guarantor": None,
        "parcel_ids": [_parcel(rng)] if rng.random() < 0.5 else [],
    }
    statements = [_statement(rng, revenue, health, today.year - ago) for ago in (3, 2, 1)]
    incorporated = _day_years_ago(rng, today, least=1, most=20)
    return profile, {"industry": TRADES[trade], "incorporated_date": incorporated, "statements": statements}


def _full_name(rng: Random, sex: str) -> str:
    first = rng.choice(MEN if sex == "male" else WOMEN)
    cyrillic = is_cyrillic(first)
    stem = rng.choice(CYRILLIC_FAMILIES if cyrillic else FAMILIES)
    return f"{first} {family_name(stem, sex=sex, cyrillic=cyrillic)}"


def _day_years_ago(rng: Random, today: date, *, least: int, most: int) -> date:
    return today - timedelta(days=rng.randint(least * 366, most * 365))


def _share(rng: Random, whole: int, share: float) -> int:
    """Around `share` of `whole`, to the thousand."""
    return max(0, int(round(whole * share * rng.uniform(0.3, 1.7), -3)))


def _income(rng: Random, salary: int, today: date) -> Profile:
    """Most bring twelve monthly rows, some only name a figure."""
    if rng.random() < 0.3:
        return {"salary": salary, "yearly_income": int(round(salary * GROSS_OF_NET * 12, -4))}
    basis = rng.choice(("net", "gross"))
    month = salary if basis == "net" else round(salary * GROSS_OF_NET)
    source = "official" if rng.random() < 0.85 else "other"
    rows = [
        {"month": name, "amount": int(round(month * rng.uniform(0.9, 1.1), -3)), "basis": basis, "source": source}
        for name in _last_months(today, 12)
    ]
    return {"incomes": rows}


def _last_months(today: date, count: int) -> list[str]:
    """The `count` full months before this one, oldest first, as YYYY-MM."""
    last = today.year * 12 + today.month - 2
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(last - count + 1, last + 1)]


def _obligations(rng: Random, salary: int, prudence: float) -> Profile:
    burden = exp(-0.4 * prudence)
    debt = 0 if rng.random() < 0.2 else _share(rng, salary * 12, 0.35 * burden)
    return {
        "existing_debt": debt,
        "monthly_debt_payments": min(debt, _share(rng, salary, 0.2 * burden)) if debt else 0,
        "collateral_value": _share(rng, salary * 12, 1.5) if rng.random() < 0.35 else None,
        "property_net_worth": _share(rng, salary * 12, 4.0) if rng.random() < 0.5 else None,
        "employment_years": round(min(abs(rng.gauss(5 + 2 * prudence, 3)), 40), 1),
        "criminal_history": False,
    }


def _history(rng: Random, prudence: float, birth_date: date, today: date) -> Profile:
    """A bureau's score on one of two scales, and what stands behind it; some have no history."""
    if rng.random() < 0.12:
        return {"credit_history_score": None, "credit_history_scale": None, "bureau": None}
    if rng.random() < 0.8:
        score, scale = max(300, min(850, round(690 + 65 * prudence + rng.gauss(0, 25)))), "fico_300_850"
    else:
        score, scale = max(0, min(500, round(330 + 70 * prudence + rng.gauss(0, 25)))), "katm_0_500"
    return {
        "credit_history_score": score,
        "credit_history_scale": scale,
        "bureau": _bureau(rng, prudence, birth_date, today) if rng.random() < 0.85 else None,
    }


def _bureau(rng: Random, prudence: float, birth_date: date, today: date) -> Profile:
    trouble = exp(-0.9 * prudence)
    adult_days = (today - birth_date).days - 18 * 365
    return {
        "source": "Demo bureau",
        "observed_at": (today - timedelta(days=rng.randint(1, 40))).isoformat(),
        "inquiries_6m": min(int(rng.expovariate(1 / trouble)), 12),
        "delinquencies_24m": min(int(rng.expovariate(1 / (0.35 * trouble))), 9),
        "open_accounts": rng.randint(1, 9),
        "revolving_utilisation": round(min(max(rng.gauss(0.4 - 0.15 * prudence, 0.2), 0), 1.2), 2),
        "oldest_account_date": (today - timedelta(days=rng.randint(90, max(adult_days, 200)))).isoformat(),
        "public_records": 1 if rng.random() < 0.04 * trouble else 0,
    }


def _guarantor(rng: Random, number: int) -> Profile:
    sex = rng.choice(("male", "female"))
    return {"name": _full_name(rng, sex), "inn": build_inn(serial=9_800_000 + number), "phone": None}


def _parcel(rng: Random) -> str:
    """A cadastral number of the legacy form."""
    parts = [f"{rng.randint(1, 20):02}" for _ in range(5)]
    return ":".join([*parts, f"{rng.randint(1, 9999):04}"])


def _statement(rng: Random, revenue: int, health: float, year: int) -> dict[str, int]:
    """One year of a company; a healthy one earns more and owes less."""
    turnover = int(round(revenue * rng.uniform(0.75, 1.15), -6))
    assets = max(1, int(round(turnover * rng.uniform(0.5, 1.1), -6)))
    owed = min(max(0.55 - 0.15 * health + rng.gauss(0, 0.08), 0.05), 1.3)
    ebit = int(round(turnover * (0.07 + 0.04 * health + rng.gauss(0, 0.02)), -5))
    liabilities = int(round(assets * owed, -5))
    return {
        "year": year,
        "revenue": turnover,
        "net_income": int(round(ebit * 0.8, -5)),
        "assets": assets,
        "liabilities": liabilities,
        "current_assets": int(round(assets * rng.uniform(0.35, 0.6), -5)),
        "current_liabilities": int(round(liabilities * rng.uniform(0.4, 0.8), -5)),
        "retained_earnings": int(round(assets * (0.15 + 0.12 * health), -5)),
        "ebit": ebit,
    }
