"""Cards to export, applicants for them, and what the engine says of these: what every export has to say too."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Assessment, Scorecard
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF, Applicant, EdgeApplicants
from apps.scoring_engine.ml.tests.examples import wide_card

GOLDEN = Path(__file__).resolve().parents[4] / "tests/golden/card_format_1.json"
ROWS = 10_000
# How many applicants to draw by card; the golden card has texts that would break out of any careless quoting.
DRAWN = {"golden": ROWS, "individual": ROWS, "company": 2000, "expert": 2000, "wide": 2000}


@cache
def exported_card(name: str) -> Scorecard:
    if name == "golden":
        return Scorecard.from_dict(json.loads(GOLDEN.read_text())["card"])
    if name == "wide":
        return Scorecard.from_dict(wide_card())
    return expert_card("company") if name == "expert" else card_in_service(name).card


@dataclass(frozen=True, slots=True)
class Case:
    facts: dict[str, Any]
    unavailable: frozenset[str]
    assessment: Assessment

    def plain(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in self.facts.items()}


@cache
def cases(name: str) -> list[Case]:
    card = exported_card(name)
    return [_case(card, applicant) for applicant in EdgeApplicants(card, 1).take(DRAWN[name])]


def _case(card: Scorecard, applicant: Applicant) -> Case:
    facts, unavailable = applicant
    return Case(facts, unavailable, card.score(facts, as_of=AS_OF, unavailable=unavailable))
