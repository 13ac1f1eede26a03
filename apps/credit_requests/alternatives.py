"""What else the applicant could have asked for: another amount or another term, with which the rules answer better.

Each is found by asking again, card and policy as they were: nothing is guessed from a formula.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import floor, log10
from typing import Any

from apps.credit_requests.models import CreditRequest, Decision
from apps.policies.documents import Policy
from apps.policies.engine import OUTCOMES, Assessment, decide
from apps.scoring_engine.ml.grades import grade
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import known_facts
from apps.scoring_engine.ml.vocabulary import check_facts
from apps.scoring_engine.presentation import scorecard_of

STEPS = 100  # amounts tried below the requested one
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Amount in whole units of the request's currency, term in months; `outcome` is what the policy gives for them."""

    amount: int
    term_months: int
    outcome: str


def find_alternatives(decision: Decision, policy: Policy) -> list[Alternative]:
    """At most one other amount and one other term, the nearest that give the best answer any of them gives.

    What the rules themselves say is compared, before a bar of the assessment asks for a person whatever they say.
    Empty where nothing helps, where a person is asked for all the same, and where the score came from no scorecard.
    """
    asked = _Asked.of(decision, policy)
    if asked is None or decision.outcome == "approve" or (decision.outcome == "refer" and decision.is_barred):
        return []
    request = decision.credit_request
    roads = (
        [(amount, request.term_months) for amount in _smaller_amounts(request)],
        [(request.requested_amount, term) for term in _other_terms(request)],
    )
    for outcome in OUTCOMES[: OUTCOMES.index(decision.policy_outcome or decision.outcome)]:
        found = [each for road in roads if (each := asked.first(road, outcome)) is not None]
        if found:
            return found
    return []


def _smaller_amounts(request: CreditRequest) -> Iterator[int]:
    """In steps of a hundredth, largest first, cut to three leading digits so that they read well."""
    for step in range(STEPS - 1, 0, -1):
        amount = _readable(request.requested_amount * step // STEPS)
        if request.product.least_amount <= amount < request.requested_amount:
            yield amount


def _readable(amount: int) -> int:
    unit = 10 ** max(0, floor(log10(max(amount, 1))) - 2)
    return amount // unit * unit


def _other_terms(request: CreditRequest) -> list[int]:
    """Every term of the product, the nearest first."""
    product = request.product
    terms = set(range(product.least_term_months, product.most_term_months + 1)) - {request.term_months}
    return sorted(terms, key=lambda term: (abs(term - request.term_months), -term))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request as it was decided, ready to be asked again with another amount or term."""

    policy: Policy
    on_date: date
    facts: Facts
    assessment: Facts
    card: Scorecard
    scored: Facts
    as_of: date
    unavailable: frozenset[str]

    @classmethod
    def of(cls, decision: Decision, policy: Policy) -> "_Asked | None":
        card = decision.prediction and scorecard_of(decision.prediction.card_id)
        if not card:
            return None
        opened, sealed = decision.opened(), decision.prediction.opened()
        as_of = date.fromisoformat(sealed["as_of"])
        scored = check_facts(card.segment, known_facts(card, sealed["facts"]), as_of=as_of, own=card.own)
        unavailable = frozenset(sealed["unavailable"])
        return cls(policy, decision.on_date, opened["facts"], opened["assessment"], card, scored, as_of, unavailable)

    def first(self, road: Iterable[tuple[int, int]], policy_outcome: str) -> Alternative | None:
        """The first of which the rules themselves say so."""
        for amount, term in road:
            said, outcome = self._answers(amount, term)
            if said == policy_outcome:
                return Alternative(amount, term, outcome)
        return None

    def _answers(self, amount: int, term: int) -> tuple[str, str]:
        """What the rules say of it, and what comes of it once the bars are counted."""
        terms = {"requested_amount": amount, "term_months": term}
        scoring = self.card.score({**self.scored, **terms}, as_of=self.as_of, unavailable=self.unavailable)
        months = self.card.horizon_months(term)
        assessment = Assessment(
            score=scoring.score,
            probability_of_default=scoring.probability_of_default,
            horizon_months=months,
            grade=grade(scoring.probability_of_default, months),
            bars=tuple(self.assessment["bars"]),
        )
        facts = {**self.facts, **terms}
        if "age_at_maturity" in facts:
            facts["age_at_maturity"] += (term - self.facts["term_months"]) / 12
        decided = decide(facts, assessment, self.policy, self.on_date)
        offered = (decided.terms.amount, decided.terms.term_months)
        if decided.policy_outcome == "approve" and offered != (amount, term):
            # A better answer for less than was asked for is another alternative, not this one.
            return "refer", "refer"
        return decided.policy_outcome, decided.outcome
