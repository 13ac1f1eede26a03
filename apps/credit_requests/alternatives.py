"""What else the applicant could have asked for: another amount or another term, with which the rules answer better."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from math import floor, log10

from apps.credit_requests.deciding import Evaluation
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.trying import Trial
from apps.policies.engine import APPROVE, OUTCOMES
from apps.policies.policy import Policy

Answers = Callable[[int, int], tuple[str, str]]  # of amount and term: what the rules say, and what comes of it
STEPS = 100  # amounts tried below the requested one


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
    if decision.outcome == "approve" or (decision.outcome == "refer" and decision.is_barred):
        return []
    trial = Trial.of_decision(decision, policy)
    said = decision.policy_outcome or decision.outcome
    return [] if trial is None else _better(decision.credit_request, trial, said)


def find_alternatives_now(credit_request: CreditRequest, evaluation: Evaluation) -> list[Alternative]:
    """The same before anything is decided, and where a bar leaves the last word to people: rules still guide them."""
    said = evaluation.outcome.policy_outcome
    trial = None if said == APPROVE else Trial.of_evaluation(credit_request, evaluation)
    return [] if trial is None else _better(credit_request, trial, said)


def _better(request: CreditRequest, trial: Trial, said: str) -> list[Alternative]:
    """Than what the rules `said` of what was asked for."""
    roads = (
        [(amount, request.term_months) for amount in _smaller_amounts(request)],
        [(request.requested_amount, term) for term in _other_terms(request)],
    )
    answers = cache(partial(_answers, trial))
    for outcome in OUTCOMES[: OUTCOMES.index(said)]:
        found = [each for road in roads if (each := _first(answers, road, outcome)) is not None]
        if found:
            return found
    return []


def _first(answers: Answers, road: Iterable[tuple[int, int]], policy_outcome: str) -> Alternative | None:
    """The first of which the rules themselves say so."""
    for amount, term in road:
        said, outcome = answers(amount, term)
        if said == policy_outcome:
            return Alternative(amount, term, outcome)
    return None


def _answers(trial: Trial, amount: int, term: int) -> tuple[str, str]:
    """What the rules say of it, and what comes of it once the bars are counted."""
    decided = trial.answer(amount, term).outcome
    offered = (decided.terms.amount, decided.terms.term_months)
    if decided.policy_outcome == APPROVE and offered != (amount, term):
        # A better answer for less than was asked for is another alternative, not this one.
        return "refer", "refer"
    return decided.policy_outcome, decided.outcome


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
