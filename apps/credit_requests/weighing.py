"""What a person wants decided, beside what the policy says of it at that moment, and how many people it takes."""

from dataclasses import dataclass
from datetime import datetime

from apps.common.errors import Conflict, FieldProblem, InvalidInput
from apps.credit_requests.deciding import KNOCKOUT, Evaluation, evaluate, may_be_offered
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.models.decisions import APPROVE, DECLINE, HIGH_SIDE, LOW_SIDE
from apps.credit_requests.policy_facts import Asked
from apps.policies.engine import Terms

BY_AMOUNT, BY_OVERRIDE, BY_KNOCKOUT = "amount", "override", "knockout"
DIRECTIONS = {(APPROVE, DECLINE): LOW_SIDE, (DECLINE, APPROVE): HIGH_SIDE}  # of what is wanted and what the policy says


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants decided. Terms that are left out are what the policy offers; a decline has none."""

    outcome: str
    amount: int | None = None
    term_months: int | None = None
    reason_code: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The wish beside the policy: whether it goes against it, and why one person would not be enough."""

    evaluation: Evaluation
    direction: str
    second_person_for: list[str]


def weigh(held: CreditRequest, wish: Wish, now: datetime) -> Weighed:
    """Raises InvalidInput for terms or a reason that the policy has not, Conflict where it cannot be overruled."""
    asked = _asked(held, wish)
    evaluation = evaluate(held, now, asked)
    said = evaluation.outcome
    if wish.outcome == APPROVE:
        _check_knockouts(evaluation)
        _check_offer(held, wish, said.terms)
    direction = DIRECTIONS.get((wish.outcome, said.policy_outcome), "")
    _check_reason(wish, direction, evaluation)
    return Weighed(evaluation, direction, _second_person_for(held, wish, direction, evaluation))


def _asked(held: CreditRequest, wish: Wish) -> Asked:
    """At most what was asked for, at least what the product starts with: more is a new request."""
    bounds = [
        ("amount", wish.amount, held.product.least_amount, held.requested_amount),
        ("term_months", wish.term_months, held.product.least_term_months, held.term_months),
    ]
    problems = [
        FieldProblem(f"terms.{name}", f"{value} was given; allowed is {least} to {most}, which was asked for.")
        for name, value, least, most in bounds
        if value is not None and not least <= value <= most
    ]
    if problems:
        raise InvalidInput("These terms cannot be offered on this request.", problems)
    return Asked(wish.amount or held.requested_amount, wish.term_months or held.term_months)


def _check_knockouts(evaluation: Evaluation) -> None:
    """Nobody approves against a rule that the policy lets nobody overrule, nor before such a knock-out is known."""
    overridable = {rule.code: rule.overridable for rule in evaluation.policy.rules}
    for step in evaluation.outcome.trace:
        if overridable.get(step.code, True):
            continue
        if step.outcome == DECLINE:
            raise Conflict(f"The rule {step.code} of {evaluation.version} declines, and nobody may overrule it.")
        if step.kind == KNOCKOUT and step.fired is None:
            missing = ", ".join(step.missing)
            raise Conflict(
                f"The knock-out {step.code} cannot be judged while {missing} is not known; find it out first."
            )


def _check_offer(held: CreditRequest, wish: Wish, offered: Terms | None) -> None:
    """What the policy caps cannot be exceeded; what it leaves must still be what the product offers."""
    if offered is None:
        raise Conflict("The policy cannot say what to offer: its rate is not known. It cannot be approved.")
    by, product = ", ".join(offered.capped_by), held.product
    problems = [
        FieldProblem(f"terms.{name}", f"{given} was given; the policy offers at most {most} ({by}).")
        for name in ("amount", "term_months")
        if (given := getattr(wish, name)) is not None and given > (most := getattr(offered, name))
    ]
    if problems:
        raise InvalidInput("The policy does not offer these terms.", problems)
    if not may_be_offered(product, offered):
        raise Conflict(
            f"The policy offers {offered.amount} over {offered.term_months} months; the product {product.code} starts "
            f"with {product.least_amount} over {product.least_term_months}. It cannot be approved."
        )


def _check_reason(wish: Wish, direction: str, evaluation: Evaluation) -> None:
    people = evaluation.policy.people
    allowed = people.low_side_reasons if wish.outcome == APPROVE else people.high_side_reasons
    if (direction or wish.reason_code) and wish.reason_code not in allowed:
        given = f'"{wish.reason_code}" was given' if wish.reason_code else "It was left out"
        raise InvalidInput.of(reason_code=f"{given}; to {wish.outcome} the policy allows {', '.join(allowed)}.")


def _second_person_for(held: CreditRequest, wish: Wish, direction: str, evaluation: Evaluation) -> list[str]:
    """An amount in another currency than the policy's cannot be compared: it always takes two."""
    limit, reasons = evaluation.policy.people.second_person_above, []
    amount = evaluation.outcome.terms.amount if wish.outcome == APPROVE else held.requested_amount
    if limit is not None and (amount > limit or held.currency != evaluation.policy.currency):
        reasons.append(BY_OVERRIDE if direction else BY_AMOUNT)
    if wish.outcome == APPROVE and evaluation.knockouts:
        reasons.append(BY_KNOCKOUT)
    return reasons
