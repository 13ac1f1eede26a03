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


def wide_card() -> dict[str, Any]:
    """The small card with facts of a lender's own, a special code outside the bounds of its fact, and pairs.

    Reference score 475 + 10 (housing) + 5 (months_at_address) + 4 + 3 + 0 (pairs) = 497.
    """
    card = small_card()
    card["inputs"] += [
        {
            "name": "housing",
            "kind": "category",
            "unit": "category",
            "required": False,
            "least": None,
            "most": None,
            "special_codes": {},
            "values": ["own", "rent", "with parents"],
        },
        {
            "name": "months_at_address",
            "kind": "integer",
            "unit": "months",
            "required": True,
            "least": 0,
            "most": 900,
            "special_codes": {"9999": "abroad until now"},
        },
        {
            "name": "savings",
            "kind": "money",
            "unit": "currency",
            "required": False,
            "least": -(10**6),
            "most": 10**9,
            "special_codes": {"-9000000": "not asked"},
        },
        {
            "name": "load",
            "kind": "number",
            "unit": "ratio",
            "required": False,
            "least": -0.5,
            "most": 4.5,
            "special_codes": {},
        },
        {"name": "has_car", "kind": "flag", "unit": "flag", "required": False, "least": None, "most": None},
        {"name": "customer_since", "kind": "date", "unit": "date", "required": False, "least": None, "most": None},
    ]
    card["features"].append({"name": "years_known", "kind": "years_between", "of": ["customer_since", "as_of"]})
    card["characteristics"] += [
        _characteristic(
            "housing",
            "Housing",
            "category",
            "free",
            groups=[["own"], ["rent", "with parents"]],
            points=[10, -5],
            unseen_points=-6,
            missing_points=-5,
            unavailable_points=10,
            reference_points=10,
            typical="own",
        ),
        _characteristic(
            "months_at_address",
            "Time at the address",
            "months",
            "higher_is_safer",
            edges=[1, 12],
            points=[-9, 5, 8],
            missing_points=-9,
            unavailable_points=5,
            reference_points=5,
            typical=30,
            special_points={"9999": -2},
        ),
    ]
    card["pairs"] = [
        _pair(
            ["amount_to_income", "months_at_address"],
            ["higher_is_riskier", "higher_is_safer"],
            [{"edges": [0.3]}, {"edges": [12, 60]}],
            [[4, 5, 6], [-7, 0, 0]],
            missing_points=-7,
            reference_points=4,
        ),
        _pair(
            ["has_car", "housing"],
            ["free", "free"],
            [{"groups": [[True], [False]]}, {"groups": [["own"], ["rent"]]}],
            [[3, -1], [0, 1]],
            missing_points=-2,
            reference_points=3,
        ),
        _pair(
            ["savings", "years_known"],
            ["higher_is_safer", "free"],
            [{"edges": [0, 1200.5]}, {"edges": [2]}],
            [[-8, -6], [0, 0], [2, 9]],
            missing_points=-6,
            reference_points=0,
        ),
    ]
    return card  # fmt: skip


def _pair(features: list[str], directions: list[str], axes: list[dict], points: list[list[int]],
          *, missing_points: int, reference_points: int) -> dict[str, Any]:  # fmt: skip
    return {
        "features": features, "label": " with ".join(features), "code": "_X_".join(features).upper(), "axes": axes,
        "points": points, "missing_points": missing_points, "unavailable_points": reference_points,
        "reference_points": reference_points, "directions": directions,
    }  # fmt: skip


def _characteristic(feature: str, label: str, unit: str, direction: str, **rest: Any) -> dict[str, Any]:
    named = {"feature": feature, "label": label, "unit": unit, "direction": direction, "code": feature.upper()}
    return {**named, "special_points": {}, **rest}


OWN_FACTS = {
    "housing": "own",
    "months_at_address": 11,
    "savings": 100,
    "load": 0.4,
    "has_car": True,
    "customer_since": dt.date(2023, 1, 1),
}


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
