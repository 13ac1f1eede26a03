"""What a feature of a card measures, told from its derivation: "12 * monthly_debt_payments / yearly_income".

Two cards may call one thing by different names and codes, or different things by one; the measure tells them apart.
"""

from collections.abc import Mapping

from .cards import Feature

# How the value of a measure is put into words, whatever unit a card's author gave it.
UNITS = {
    "term_months": "months",
    "purpose": "category",
    "inquiries_6m": "count",
    "delinquencies_24m": "count",
    "public_records": "count",
    "open_accounts": "count",
    "revolving_utilisation": "percent",
    "credit_history_score": "score",
    "employment_years": "years",
    "requested_amount / yearly_income": "percent",
    "existing_debt / yearly_income": "percent",
    "12 * monthly_debt_payments / yearly_income": "percent",
    "years since oldest_account_date": "years",
    "years_in_business": "years",
    "liabilities / assets": "percent",
    "(liabilities - net_income) / assets": "percent",
    "(liabilities - current_liabilities) / assets": "percent",
    "net_income / current_assets": "percent",
    "net_income / assets": "percent",
    "net_income / revenue": "percent",
    "ebit / revenue": "percent",
    "ebit / assets": "percent",
    "retained_earnings / assets": "percent",
    "revenue / assets": "percent",
    "current_assets / current_liabilities": "percent",
    "current_assets / revenue": "percent",
    "requested_amount / revenue": "percent",
}


def measure_of(features: Mapping[str, Feature], name: str) -> str:
    """`features` by name; an input is its own measure."""
    feature = features.get(name)
    if feature is None:
        return name
    first = _part(features, feature.of[0])
    if feature.kind == "years_between":
        return f"years since {first}"
    second = _part(features, feature.of[1])
    if feature.kind == "difference":
        return f"{first} - {second}"
    return f"{first} / {second}" if feature.multiplier == 1 else f"{feature.multiplier} * {first} / {second}"


def _part(features: Mapping[str, Feature], name: str) -> str:
    measure = measure_of(features, name)
    return f"({measure})" if name in features else measure
