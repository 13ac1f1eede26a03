"""The policy speaks of a request, or a person asks that people look at it. What people decide stands in overriding.py.

Each writes one row of Decision, which never changes, and moves the status with it.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import seal
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests import transitions
from apps.credit_requests.models import CreditRequest, Decision, Override, Product
from apps.credit_requests.models.decisions import APPROVE, DECLINE, POLICY, REFER, REFERRAL, REVIEW
from apps.credit_requests.policy_facts import Asked, Gathered, gather_policy_facts
from apps.credit_requests.rescoring import check_not_erased, lock_request, score_request
from apps.credit_requests.staff_links import check_may_speak
from apps.policies.engine import Outcome, Step, Terms, decide
from apps.policies.models import PolicyVersion
from apps.policies.policy import Policy
from apps.policies.services import policy_in_force, policy_of
from apps.webhooks.models import DECIDED, REFERRED
from apps.webhooks.services import publish_event

KNOCKOUT = "knockout"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the policy in force says of a request on `on_date`, a day of the lender's."""

    version: PolicyVersion
    policy: Policy
    gathered: Gathered
    outcome: Outcome
    on_date: date

    @property
    def knockouts(self) -> list[Step]:
        """Those that fired and decline."""
        steps = self.outcome.trace
        return [step for step in steps if step.kind == KNOCKOUT and step.fired and step.outcome == DECLINE]

    def asking_for(self, outcome: str) -> list[str]:
        """Codes of the rules that ask for it, in the policy's order."""
        return [step.code for step in self.outcome.trace if step.outcome == outcome]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a decision says beside what it rests on."""

    kind: str
    outcome: str
    comment: str = ""
    reasons: tuple[str, ...] = ()
    direction: str = ""
    reason_code: str = ""
    maker: User | None = None
    checker: User | None = None
    override: Override | None = None


# --- The policy speaks ----------------------------------------------------------------------------------------


@transaction.atomic
def decide_by_policy(*, credit_request: CreditRequest, version: int, actor: User | None, now: datetime) -> Decision:
    """A pending request, decided on what is stored by now: it is scored anew first if that has changed."""
    held = hold(credit_request, version)
    transitions.check_move(action="decide", source=held.status, actor=actor)
    if actor is not None:
        check_may_speak(held, actor, service=True)
    bring_up_to_date(held, actor, now)
    evaluation = evaluate(held, now)
    spoken = evaluation.outcome
    judgement = Judgement(POLICY, spoken.outcome, reasons=spoken.reasons, maker=actor)
    return record_decision(held, judgement, evaluation, now=now)


def evaluate(credit_request: CreditRequest, now: datetime, asked: Asked | None = None) -> Evaluation:
    """What the policy in force says of the newest prediction; nothing is stored. Raises Conflict without a policy."""
    check_not_erased(credit_request.applicant)
    on_date = lender_today(now)
    version = policy_in_force(credit_request.segment, now)
    policy = policy_of(version)
    gathered = gather_policy_facts(credit_request, credit_request.prediction, policy, now, asked)
    outcome = within_product(credit_request.product, decide(gathered.facts, gathered.assessment, policy, on_date))
    return Evaluation(version, policy, gathered, outcome, on_date)


def within_product(product: Product, spoken: Outcome) -> Outcome:
    """A cap may leave less than the product starts with: that is for people to talk about with the applicant."""
    if spoken.outcome != APPROVE or may_be_offered(product, spoken.terms):
        return spoken
    return replace(spoken, outcome=REFER, reasons=spoken.terms.capped_by)


def may_be_offered(product: Product, terms: Terms) -> bool:
    return terms.amount >= product.least_amount and terms.term_months >= product.least_term_months


def bring_up_to_date(held: CreditRequest, actor: User | None, now: datetime) -> None:
    """Score a request that this transaction holds on what is stored now; unchanged inputs make no row."""
    score_request(credit_request=held, cause=f"decide:{held.prediction_id}", actor=actor, now=now)


# --- People ask people ----------------------------------------------------------------------------------------


@transaction.atomic
def refer_request(*, credit_request: CreditRequest, version: int, comment: str, actor: User, now: datetime) -> Decision:
    """An officer wants people to decide, before the policy spoke."""
    return _look_again(credit_request, version, "refer", Judgement(REFERRAL, REFER, comment, maker=actor), now)


@transaction.atomic
def review_request(*, credit_request: CreditRequest, version: int, reason: str, actor: User, now: datetime) -> Decision:
    """What was approved or rejected goes back to people, who decide anew."""
    return _look_again(credit_request, version, "review", Judgement(REVIEW, REFER, reason, maker=actor), now)


def _look_again(
    credit_request: CreditRequest, version: int, action: str, judgement: Judgement, now: datetime
) -> Decision:
    held = hold(credit_request, version)
    transitions.check_move(action=action, source=held.status, actor=judgement.maker)
    check_may_speak(held, judgement.maker)
    check_said({"comment" if action == "refer" else "reason": judgement.comment})
    check_not_erased(held.applicant)
    return record_decision(held, judgement, None, now=now)


# --- What they share ------------------------------------------------------------------------------------------


def hold(credit_request: CreditRequest, version: int) -> CreditRequest:
    """Held by this transaction, and still as the caller read it."""
    held = lock_request(credit_request.id)
    transitions.check_version(stored=held.version, given=version)
    return held


def check_said(texts: dict[str, str]) -> None:
    silent = [name for name, text in texts.items() if not text.strip()]
    if silent:
        raise InvalidInput.of(**dict.fromkeys(silent, Sentence("Say why; the record keeps it.")))


def record_decision(
    held: CreditRequest, judgement: Judgement, evaluation: Evaluation | None, *, now: datetime
) -> Decision:
    """The row, the status that follows from it, the audit event and the webhook, in the caller's transaction."""
    last = held.decisions.order_by("-number").first()
    decision = Decision(
        credit_request=held,
        number=last.number + 1 if last else 1,
        kind=judgement.kind,
        outcome=judgement.outcome,
        reasons=list(judgement.reasons),
        direction=judgement.direction,
        reason_code=judgement.reason_code,
        made_by=judgement.maker,
        checked_by=judgement.checker,
        override=judgement.override,
        prediction=held.prediction,
        data_key=held.applicant.data_key,
        on_date=lender_today(now),
        created_at=now,
        **(_rests_on(evaluation) if evaluation else {}),
        **(_offered(evaluation.outcome.terms) if evaluation and judgement.outcome != DECLINE else {}),
    )
    document = {"comment": judgement.comment} | _weighed(evaluation)
    decision.sealed = seal(decision.data_key, document, f"decision:{decision.id}")
    decision.save(force_insert=True)
    _move(held, decision)
    return decision


def _weighed(evaluation: Evaluation | None) -> dict[str, Any]:
    """All that the policy was asked with, and what each of its rules said: enough to ask it again."""
    if evaluation is None:
        return {"trace": []}
    assessment = evaluation.gathered.assessment
    return {
        "trace": [step._asdict() for step in evaluation.outcome.trace],
        "facts": evaluation.gathered.facts,
        "assessment": assessment and asdict(assessment),
        "contradictions": evaluation.gathered.contradictions,
    }


def _rests_on(evaluation: Evaluation) -> dict[str, Any]:
    said = evaluation.outcome
    return {
        "policy": evaluation.version,
        "policy_outcome": said.policy_outcome,
        "is_barred": bool(said.bars),
        "has_fired_knockout": bool(evaluation.knockouts),
        "records": evaluation.gathered.records,
        "annual_probability_of_default": said.annual_probability_of_default,
        "loss_given_default": said.loss_given_default,
        "expected_loss": said.expected_loss,
    }


def _offered(terms: Terms | None) -> dict[str, Any]:
    """Or what would be."""
    if terms is None:
        return {}
    return {
        "amount": terms.amount,
        "term_months": terms.term_months,
        "annual_rate_basis_points": terms.annual_rate_basis_points,
        "instalment": terms.instalment,
    }


ACTIONS = {POLICY: "decide", REFERRAL: "refer", REVIEW: "review"}


def _move(held: CreditRequest, decision: Decision) -> None:
    action = ACTIONS.get(decision.kind) or decision.outcome
    source, target = held.status, transitions.STATUS_OF[decision.outcome]
    held.status, held.version = target, held.version + 1
    held.save(update_fields=["status", "version", "updated_at"])
    details = {
        "version": held.version,
        "from": source,
        "to": target,
        "decision": str(decision.id),
        "outcome": decision.outcome,
        "policy": decision.policy and str(decision.policy),
    }
    maker = decision.checked_by or decision.made_by
    record_event(actor=maker, action=f"credit_request.{action}", subject=held, details=details)
    _publish(held, decision)


def _publish(held: CreditRequest, decision: Decision) -> None:
    """To the lender's other systems, which ask the API for what more there is to know."""
    payload = {
        "credit_request": str(held.id),
        "decision": str(decision.id),
        "kind": decision.kind,
        "outcome": decision.outcome,
        "status": held.status,
    }
    kind = REFERRED if decision.outcome == REFER else DECIDED
    publish_event(type=kind, payload=payload, occurred_at=decision.created_at)
