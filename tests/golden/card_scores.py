"""Scores of the shipped cards for fixed applicants, kept in card_scores.json.

A change of any of them must be meant: `python -m tests.golden.card_scores --overwrite` writes them anew.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

FILE = Path(__file__).with_name("card_scores.json")
AS_OF = dt.date(2024, 1, 1)

_PERSON = {
    "yearly_income": 60_000_000,
    "requested_amount": 12_000_000,
    "existing_debt": 20_000_000,
    "monthly_debt_payments": 700_000,
    "term_months": 36,
    "purpose": "car",
    "credit_history_score": 700,
    "credit_history_scale": "fico_300_850",
    "employment_years": 6.5,
    "inquiries_6m": 1,
    "delinquencies_24m": 0,
    "open_accounts": 7,
    "public_records": 0,
    "revolving_utilisation": 0.35,
    "oldest_account_date": "2012-03-01",
}
_COMPANY = {
    "revenue": 9_000_000_000,
    "net_income": 400_000_000,
    "assets": 7_000_000_000,
    "liabilities": 3_500_000_000,
    "current_assets": 2_500_000_000,
    "current_liabilities": 1_600_000_000,
    "retained_earnings": 900_000_000,
    "ebit": 600_000_000,
    "years_in_business": 9,
    "industry": "G",
    "requested_amount": 800_000_000,
    "term_months": 24,
    "purpose": "working_capital",
}
APPLICANTS: dict[str, dict[str, dict[str, Any]]] = {
    "individual": {
        "usual": _PERSON,
        "the README's": {
            "yearly_income": 50000, "existing_debt": 5000, "requested_amount": 10000,
            "credit_history_score": 650, "credit_history_scale": "fico_300_850",
        },
        "strong": _PERSON | {
            "requested_amount": 2_000_000, "existing_debt": 0, "monthly_debt_payments": 0,
            "credit_history_score": 810, "inquiries_6m": 0, "revolving_utilisation": 0.05,
            "employment_years": 20, "oldest_account_date": "1998-01-01",
        },
        "weak": _PERSON | {
            "requested_amount": 55_000_000, "existing_debt": 150_000_000, "monthly_debt_payments": 3_500_000,
            "credit_history_score": 560, "inquiries_6m": 9, "delinquencies_24m": 5, "public_records": 2,
            "revolving_utilisation": 1.2, "employment_years": 0, "oldest_account_date": "2023-09-01",
        },
        "no income": _PERSON | {"yearly_income": 0},
        "thin file": {"yearly_income": 60_000_000, "requested_amount": 12_000_000, "existing_debt": 0},
        "another scale": _PERSON | {"credit_history_scale": "katm_0_500", "credit_history_score": 400},
        "nothing": {},
    },
    "company": {
        "usual": _COMPANY,
        "strong": _COMPANY | {
            "net_income": 1_500_000_000, "ebit": 2_000_000_000, "liabilities": 1_000_000_000,
            "retained_earnings": 3_000_000_000, "current_liabilities": 500_000_000, "years_in_business": 30,
        },
        "weak": _COMPANY | {
            "net_income": -1_500_000_000, "ebit": -1_000_000_000, "liabilities": 8_000_000_000,
            "retained_earnings": -3_000_000_000, "current_liabilities": 6_000_000_000, "years_in_business": 0.5,
            "requested_amount": 20_000_000_000,
        },
        "no revenue": _COMPANY | {"revenue": 0},
        "required only": {
            "revenue": 9_000_000_000, "net_income": 400_000_000, "assets": 7_000_000_000,
            "liabilities": 3_500_000_000,
        },
        "nothing": {},
    },
}  # fmt: skip


def shipped_cards() -> list[Scorecard]:
    cards = {}
    for segment in APPLICANTS:
        for card in (expert_card(segment), card_in_service(segment).card):
            cards[card.version] = card
    return list(cards.values())


def scores_of(card: Scorecard) -> dict[str, Any]:
    """The card's digest, and score and points by feature of every applicant of its segment."""
    applicants = APPLICANTS[card.segment].items()
    return {"digest": card.digest, "applicants": {name: _scored(card, facts) for name, facts in applicants}}


def _scored(card: Scorecard, facts: dict[str, Any]) -> dict[str, Any]:
    assessment = card.score(check_facts(card.segment, facts, as_of=AS_OF), as_of=AS_OF)
    points = {entry["feature"]: entry["points"] for entry in assessment.explanation}
    return {"score": assessment.score, "points": dict(sorted(points.items()))}


def main(arguments: list[str]) -> int:
    found = {card.version: scores_of(card) for card in shipped_cards()}
    if arguments == ["--overwrite"]:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
        sys.stdout.write(f"wrote {FILE.name}: {', '.join(found)}\n")
        return 0
    same = FILE.exists() and json.loads(FILE.read_text()) == found
    sys.stdout.write("scores are as kept\n" if same else "scores differ; --overwrite keeps the new ones\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
