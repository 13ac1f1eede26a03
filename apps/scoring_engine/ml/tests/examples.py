"""A small card with every kind of part, and applicants for it."""

import datetime as dt
from typing import Any

from apps.scoring_engine.ml.vocabulary import as_input

AS_OF = dt.date(2024, 1, 1)
OTHER_SCALE = {"other_scale": "the score is on another scale"}


def small_card() -> dict[str, Any]:
    """Reference score 400 + 20 + 30 + 10 + 15 = 475; a fresh dict on each call."""
    return {
        "format": 1,
        "segment": "individual",
        "version": "test-1.0.0",
        "purpose": "own",
        "definition_of_bad": "Written off within the term",
        "horizon": {"kind": "contract", "months": 36},
        "points_to_double_odds": 50,
        "base_points": 400,
        "reference": "all_applicants",
        "inputs": [
            as_input("individual", "yearly_income", required=True),
            as_input("individual", "requested_amount", required=True),
            as_input(
                "individual", "credit_history_score", scale="fico_300_850",
                special_codes={**OTHER_SCALE, "850": "the bureau's code for a frozen file"},
            ),
            as_input("individual", "purpose"),
            as_input("individual", "oldest_account_date"),
        ],
        "features": [
            {"name": "amount_to_income", "kind": "ratio", "of": ["requested_amount", "yearly_income"],
             "multiplier": 1, "least": 0, "most": 5},
            {"name": "credit_age", "kind": "years_between", "of": ["oldest_account_date", "as_of"]},
        ],
        "characteristics": [
            _characteristic(
                "amount_to_income", "Requested amount to yearly income", "percent", "higher_is_riskier",
                edges=[0.2, 0.35, 0.5], points=[30, 20, 5, -40], missing_points=-10, unavailable_points=20,
                reference_points=20, typical=0.18,
            ),
            _characteristic(
                "credit_history_score", "Credit history score", "score", "higher_is_safer",
                edges=[600, 700], points=[-20, 30, 60], missing_points=0, unavailable_points=30,
                reference_points=30, typical=690, special_points={"other_scale": 30, "850": 12},
            ),
            _characteristic(
                "purpose", "Purpose of the credit", "category", "free",
                groups=[["car", "wedding"], ["small_business"]], points=[10, -15], unseen_points=-5,
                missing_points=-15, unavailable_points=10, reference_points=10, typical="car",
            ),
            _characteristic(
                "credit_age", "Age of the oldest credit account", "years", "higher_is_safer",
                edges=[1, 4.5], points=[0, 15, 25], missing_points=0, unavailable_points=15,
                reference_points=15, typical=4,
            ),
        ],
        "pairs": [],
        "provenance": {"data": "none"},
    }  # fmt: skip


def _characteristic(feature: str, label: str, unit: str, direction: str, **rest: Any) -> dict[str, Any]:
    named = {"feature": feature, "label": label, "unit": unit, "direction": direction, "code": feature.upper()}
    return {**named, "special_points": {}, **rest}


def applicant(**changes: Any) -> dict[str, Any]:
    """An applicant whose every characteristic lies in its reference bin, with `changes`."""
    facts = {
        "yearly_income": 1000,
        "requested_amount": 200,
        "credit_history_score": 650,
        "credit_history_scale": "fico_300_850",
        "purpose": "car",
        "oldest_account_date": dt.date(2020, 1, 1),
    }
    return {name: value for name, value in (facts | changes).items() if value is not None}
