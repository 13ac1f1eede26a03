"""What a stored decision's policy said, as the engine gave it then."""

from apps.credit_requests.models import Decision
from apps.policies.engine import APPROVE, CAP, Outcome, Step, Terms


def recorded_outcome(decision: Decision) -> Outcome:
    """Of a decision that a policy or people made, with the decision's own outcome and reasons. Raises DataErased."""
    trace = tuple(Step(**step | {"missing": tuple(step["missing"])}) for step in decision.opened()["trace"])
    return Outcome(
        outcome=decision.outcome,
        policy_outcome=decision.policy_outcome or decision.outcome,
        reasons=tuple(decision.reasons),
        trace=trace,
        terms=_terms(decision, trace),
        annual_probability_of_default=decision.annual_probability_of_default,
        loss_given_default=decision.loss_given_default,
        expected_loss=decision.expected_loss,
        bars=tuple(code.removeprefix("bar:") for code in decision.reasons if code.startswith("bar:")),
    )


def _terms(decision: Decision, trace: tuple[Step, ...]) -> Terms | None:
    """None where nothing was offered."""
    if decision.amount is None:
        return None
    capped_by = tuple(step.code for step in trace if step.kind == CAP and step.fired and step.outcome == APPROVE)
    return Terms(
        decision.amount, decision.term_months, decision.annual_rate_basis_points, decision.instalment, capped_by
    )
