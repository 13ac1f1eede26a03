"""Other terms, asked of card and policy again as they were: nothing is guessed from a formula, logged or written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from apps.credit_requests.deciding import Evaluation, evaluate, within_product
from apps.credit_requests.models import CreditRequest, Decision, Product
from apps.credit_requests.policy_facts import Asked
from apps.credit_requests.services import check_terms
from apps.policies.engine import Assessment, Outcome, decide
from apps.policies.policy import Policy
from apps.scoring_engine.ml.grades import grade
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import known_facts
from apps.scoring_engine.ml.vocabulary import check_facts
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.presentation import scorecard_of

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """Amount in whole units of the request's currency, term in months, and what `policy` would make of them."""

    policy: Policy
    amount: int
    term_months: int
    assessment: Assessment
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Trial:
    """A request as it was scored and as the policy was asked about it, ready to be asked again."""

    product: Product
    policy: Policy
    on_date: date
    facts: Facts
    bars: tuple[str, ...]
    card: Scorecard
    scored: Facts
    as_of: date
    unavailable: frozenset[str]

    @classmethod
    def of_decision(cls, decision: Decision, policy: Policy) -> "Trial | None":
        """None where the score came from no scorecard."""
        opened, product = decision.opened(), decision.credit_request.product
        bars = opened["assessment"]["bars"] if opened["assessment"] else ()
        return _trial(decision.prediction, product, policy, decision.on_date, opened["facts"], tuple(bars))

    @classmethod
    def of_evaluation(cls, credit_request: CreditRequest, evaluation: Evaluation) -> "Trial | None":
        """None where the score came from no scorecard."""
        told, product = evaluation.gathered, credit_request.product
        return _trial(credit_request.prediction, product, evaluation.policy, evaluation.on_date, told.facts, told.bars)

    def answer(self, amount: int, term_months: int) -> Tried:
        terms = {"requested_amount": amount, "term_months": term_months}
        assessment = self._assess(terms)
        facts = {**self.facts, **terms}
        if "age_at_maturity" in facts:
            facts["age_at_maturity"] += (term_months - self.facts["term_months"]) / 12
        outcome = decide(facts, assessment, self.policy, self.on_date)
        return Tried(self.policy, amount, term_months, assessment, within_product(self.product, outcome))

    def _assess(self, terms: Facts) -> Assessment:
        scoring = self.card.score({**self.scored, **terms}, as_of=self.as_of, unavailable=self.unavailable)
        months = self.card.horizon_months(terms["term_months"])
        return Assessment(
            score=scoring.score,
            probability_of_default=scoring.probability_of_default,
            horizon_months=months,
            grade=grade(scoring.probability_of_default, months),
            bars=self.bars,
        )


def _trial(
    prediction: PredictionLog | None,
    product: Product,
    policy: Policy,
    on_date: date,
    facts: Facts,
    bars: tuple[str, ...],
) -> Trial | None:
    card = prediction and scorecard_of(prediction.card_id)
    if not card:
        return None
    sealed = prediction.opened()
    as_of = date.fromisoformat(sealed["as_of"])
    scored = check_facts(card.segment, known_facts(card, sealed["facts"]), as_of=as_of, own=card.own)
    return Trial(product, policy, on_date, facts, bars, card, scored, as_of, frozenset(sealed["unavailable"]))


def try_terms(*, credit_request: CreditRequest, amount: int, term_months: int, now: datetime) -> Tried | None:
    """What card and policy in force would say of these terms, within the product's bounds. None where the score came
    from no scorecard. Raises InvalidInput for terms that the product has not, Conflict without a policy, DataErased.
    """
    check_terms(credit_request.product, amount, term_months)
    evaluation = evaluate(credit_request, now, Asked(amount, term_months))
    trial = Trial.of_evaluation(credit_request, evaluation)
    return trial and trial.answer(amount, term_months)
