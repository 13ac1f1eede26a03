"""What a person wants decided, beside what the policy says of it at that moment, and how many people it takes."""

from dataclasses import dataclass
from datetime import datetime

from apps.common.errors import Conflict, FieldProblem, InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.deciding import KNOCKOUT, Evaluation, evaluate, may_be_offered
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.models.decisions import APPROVE, DECLINE, HIGH_SIDE, LOW_SIDE
from apps.credit_requests.policy_facts import Asked
from apps.policies.engine import Step, Terms

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


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What it would take to decide so now, on the terms that were asked for.

    blocked_by: codes of the rules that nobody may overrule; refusal: why it is impossible, else None. direction:
    against the policy, which way; reason_codes: those that may be given, and have to be where there is a direction.
    """

    outcome: str
    direction: str
    reason_codes: tuple[str, ...]
    second_person_for: list[str]
    blocked_by: list[str]
    refusal: str | None


def foresee(held: CreditRequest, outcome: str, evaluation: Evaluation) -> Foreseen:
    """Before anybody wishes for it: the same checks as `weigh`, told instead of raised."""
    wish, people = Wish(outcome), evaluation.policy.people
    blocking = _blocking(evaluation) if outcome == APPROVE else []
    refusal = _refusal(held, wish, evaluation) if outcome == APPROVE else None
    direction = DIRECTIONS.get((outcome, evaluation.outcome.policy_outcome), "")
    return Foreseen(
        outcome=outcome,
        direction=direction,
        reason_codes=people.low_side_reasons if outcome == APPROVE else people.high_side_reasons,
        second_person_for=[] if refusal else _second_person_for(held, wish, direction, evaluation),
        blocked_by=[step.code for step in blocking],
        refusal=refusal,
    )


def _refusal(held: CreditRequest, wish: Wish, evaluation: Evaluation) -> str | None:
    try:
        _check_knockouts(evaluation)
        _check_offer(held, wish, evaluation.outcome.terms)
    except Conflict as error:
        return error.detail
    return None


def _asked(held: CreditRequest, wish: Wish) -> Asked:
    """At most what was asked for, at least what the product starts with: more is a new request."""
    bounds = [
        ("amount", wish.amount, held.product.least_amount, held.requested_amount),
        ("term_months", wish.term_months, held.product.least_term_months, held.term_months),
    ]
    problems = [
        FieldProblem(
            f"terms.{name}",
            Sentence(
                "{value} was given; allowed is {least} to {most}, which was asked for.",
                value=value,
                least=least,
                most=most,
            ),
        )
        for name, value, least, most in bounds
        if value is not None and not least <= value <= most
    ]
    if problems:
        raise InvalidInput(Sentence("These terms cannot be offered on this request."), problems)
    return Asked(wish.amount or held.requested_amount, wish.term_months or held.term_months)


def _check_knockouts(evaluation: Evaluation) -> None:
    """Nobody approves against a rule that the policy lets nobody overrule, nor before such a knock-out is known."""
    for step in _blocking(evaluation):
        if step.outcome == DECLINE:
            raise Conflict(
                Sentence(
                    "The rule {rule} of {policy} declines, and nobody may overrule it.",
                    rule=step.code,
                    policy=evaluation.version,
                )
            )
        raise Conflict(
            Sentence(
                "The knock-out {rule} cannot be judged while {facts} is not known; find it out first.",
                rule=step.code,
                facts=step.missing,
            )
        )


def _blocking(evaluation: Evaluation) -> list[Step]:
    overridable = {rule.code: rule.overridable for rule in evaluation.policy.rules}
    return [
        step
        for step in evaluation.outcome.trace
        if not overridable.get(step.code, True)
        and (step.outcome == DECLINE or (step.kind == KNOCKOUT and step.fired is None))
    ]


def _check_offer(held: CreditRequest, wish: Wish, offered: Terms | None) -> None:
    """What the policy caps cannot be exceeded; what it leaves must still be what the product offers."""
    if offered is None:
        raise Conflict(Sentence("The policy cannot say what to offer: its rate is not known. It cannot be approved."))
    by, product = ", ".join(offered.capped_by), held.product
    problems = [
        FieldProblem(
            f"terms.{name}",
            Sentence("{given} was given; the policy offers at most {most} ({by}).", given=given, most=most, by=by),
        )
        for name in ("amount", "term_months")
        if (given := getattr(wish, name)) is not None and given > (most := getattr(offered, name))
    ]
    if problems:
        raise InvalidInput(Sentence("The policy does not offer these terms."), problems)
    if not may_be_offered(product, offered):
        raise Conflict(
            Sentence(
                "The policy offers {amount} over {term_months} months; the product {product} starts with "
                "{least_amount} over {least_term_months}. It cannot be approved.",
                amount=offered.amount,
                term_months=offered.term_months,
                product=product.code,
                least_amount=product.least_amount,
                least_term_months=product.least_term_months,
            )
        )


def _check_reason(wish: Wish, direction: str, evaluation: Evaluation) -> None:
    people = evaluation.policy.people
    allowed = people.low_side_reasons if wish.outcome == APPROVE else people.high_side_reasons
    if (direction or wish.reason_code) and wish.reason_code not in allowed:
        code = wish.reason_code
        given = Sentence('"{code}" was given', code=code) if code else Sentence("It was left out")
        raise InvalidInput.of(
            reason_code=Sentence(
                "{given}; to {outcome} the policy allows {override_reasons}.",
                given=given,
                outcome=wish.outcome,
                override_reasons=allowed,
            )
        )


def _second_person_for(held: CreditRequest, wish: Wish, direction: str, evaluation: Evaluation) -> list[str]:
    """An amount in another currency than the policy's cannot be compared: it always takes two."""
    limit, reasons = evaluation.policy.people.second_person_above, []
    amount = evaluation.outcome.terms.amount if wish.outcome == APPROVE else held.requested_amount
    if limit is not None and (amount > limit or held.currency != evaluation.policy.currency):
        reasons.append(BY_OVERRIDE if direction else BY_AMOUNT)
    if wish.outcome == APPROVE and evaluation.knockouts:
        reasons.append(BY_KNOCKOUT)
    return reasons
