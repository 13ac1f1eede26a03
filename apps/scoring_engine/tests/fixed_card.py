"""A small card whose every number can be worked out by hand; a retrained model changes nothing here."""

from typing import Any

from apps.scoring_engine.ml.vocabulary import as_input


def fixed_card(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "segment": "individual",
        "version": "individual-9.0.0",
        "purpose": "demonstration",
        "definition_of_bad": "Charged off before the end of the contract",
        "horizon": {"kind": "contract", "months": 36},
        "points_to_double_odds": 50,
        "base_points": 300,
        "reference": "all_applicants",
        "inputs": [
            as_input("individual", "yearly_income", required=True),
            as_input("individual", "requested_amount", required=True),
            as_input(
                "individual",
                "credit_history_score",
                scale="fico_300_850",
                special_codes={"other_scale": "the score is on another scale"},
            ),
            as_input("individual", "credit_history_scale"),
            as_input("individual", "purpose"),
        ],
        "features": [
            {
                "name": "amount_to_income",
                "kind": "ratio",
                "of": ["requested_amount", "yearly_income"],
                "multiplier": 1,
                "least": 0,
                "most": 10,
            }
        ],
        "characteristics": [_AMOUNT_TO_INCOME, _CREDIT_HISTORY_SCORE, _PURPOSE],
        "pairs": [],
        "provenance": {"recipe": "by hand"},
    } | changes


_AMOUNT_TO_INCOME = {
    "feature": "amount_to_income",
    "label": "Requested amount to yearly income",
    "unit": "percent",
    "edges": [0.2, 0.5],
    "points": [80, 50, 10],
    "missing_points": 10,
    "unavailable_points": 50,
    "reference_points": 50,
    "typical": 0.3,
    "direction": "higher_is_riskier",
    "code": "AMOUNT_TO_INCOME",
}
_CREDIT_HISTORY_SCORE = {
    "feature": "credit_history_score",
    "label": "Credit history score",
    "unit": "score",
    "edges": [600, 700],
    "points": [20, 60, 100],
    "missing_points": 20,
    "unavailable_points": 60,
    "special_points": {"other_scale": 60},
    "reference_points": 60,
    "typical": 650,
    "direction": "higher_is_safer",
    "code": "CREDIT_HISTORY_SCORE",
}
_PURPOSE = {
    "feature": "purpose",
    "label": "Purpose of the credit",
    "unit": "category",
    "groups": [["car", "wedding"], ["small_business"]],
    "points": [40, 15],
    "unseen_points": 25,
    "missing_points": 15,
    "unavailable_points": 40,
    "reference_points": 40,
    "typical": "car",
    "direction": "free",
    "code": "PURPOSE",
}
