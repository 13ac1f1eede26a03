"""What decisions, overrides and the policy say, for the lender's own people, in the language they ask for."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from apps.common.crypto import DataErased
from apps.credit_requests.contradiction_presentation import render_contradictions
from apps.credit_requests.deciding import Evaluation
from apps.credit_requests.models import Decision, Override
from apps.credit_requests.outcomes import recorded_outcome
from apps.external_integrations.models import Origin
from apps.policies.models import PolicyVersion
from apps.policies.services import policy_of
from apps.policies.texts import reason_texts

LENDER = "lender"
TERMS = ("amount", "term_months", "annual_rate_basis_points")


def render_decision(decision: Decision, language: str) -> dict[str, Any]:
    """The part that a request shows of its newest decision."""
    return {
        "id": decision.id,
        "number": decision.number,
        "kind": decision.kind,
        "outcome": decision.outcome,
        "rests_on_mock": rests_on_mock(decision.records),
        "terms": _terms(decision),
        "reasons": render_reasons(decision, language),
    }


def rests_on_mock(records: Iterable[Mapping[str, Any]]) -> bool:
    """`records`: as Decision keeps them."""
    return any(record["origin"] == Origin.MOCK for record in records)


def render_decision_record(decision: Decision, language: str) -> dict[str, Any]:
    """All of it. What was sealed is null once the applicant was erased."""
    sealed = _opened(decision)
    copied = (
        *("policy_outcome", "is_barred", "on_date", "records", "annual_probability_of_default", "loss_given_default"),
        *("expected_loss", "direction", "reason_code", "created_at"),
    )
    return render_decision(decision, language) | {
        **{name: getattr(decision, name) for name in copied},
        "policy": render_policy_version(decision.policy),
        "prediction": decision.prediction_id,
        "made_by": decision.made_by_id,
        "checked_by": decision.checked_by_id,
        "override": decision.override_id,
        "comment": sealed and sealed["comment"],
        "trace": sealed and render_trace(sealed["trace"]),
        "contradictions": sealed and _contradictions(decision, sealed, language),
    }


def _contradictions(decision: Decision, sealed: Mapping[str, Any], language: str) -> list[dict[str, Any]] | None:
    """None where no policy was asked, or before they were sealed."""
    found, currency = sealed.get("contradictions"), decision.credit_request.currency
    if found is None:
        return None
    return render_contradictions(found, now=decision.created_at, language=language, currency=currency)


def render_reasons(decision: Decision, language: str) -> list[dict[str, str | None]]:
    """Codes with their sentences; without sentences where no policy spoke, or the applicant was erased."""
    bare = [{"code": code, "text": None} for code in decision.reasons]
    if decision.policy is None or not decision.reasons:
        return bare
    try:
        outcome = recorded_outcome(decision)
    except DataErased:
        return bare
    currency = decision.credit_request.currency
    return reason_texts(policy_of(decision.policy), outcome, language, audience=LENDER, currency=currency)


def render_evaluation(evaluation: Evaluation, currency: str, language: str, now: datetime) -> dict[str, Any]:
    """What the policy would say `now`."""
    found = evaluation.gathered.contradictions
    said, terms = evaluation.outcome, evaluation.outcome.terms
    reasons = reason_texts(evaluation.policy, said, language, audience=LENDER, currency=currency)
    return {
        "policy": render_policy_version(evaluation.version),
        "on_date": evaluation.on_date,
        "outcome": said.outcome,
        "policy_outcome": said.policy_outcome,
        "bars": list(said.bars),
        "reasons": reasons,
        "terms": terms and {name: getattr(terms, name) for name in (*TERMS, "instalment", "capped_by")},
        "annual_probability_of_default": said.annual_probability_of_default,
        "loss_given_default": said.loss_given_default,
        "expected_loss": said.expected_loss,
        "rests_on_mock": rests_on_mock(evaluation.gathered.records),
        "records": evaluation.gathered.records,
        "contradictions": render_contradictions(found, now=now, language=language, currency=currency),
        "trace": render_trace([step._asdict() for step in said.trace]),
    }


def render_trace(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **{name: step[name] for name in ("code", "kind", "fired", "outcome")},
            "values": [{"name": name, "value": value} for name, value in step["values"].items()],
            "missing": list(step["missing"]),
        }
        for step in steps
    ]


def render_override(override: Override) -> dict[str, Any]:
    """What was said is null once the applicant was erased."""
    copied = (
        *("id", "state", "outcome", "direction", "reason_code", "second_person_for", "requested_at", "expires_at"),
        "closed_at",
    )
    sealed = _opened(override)
    return {name: getattr(override, name) for name in copied} | {
        "credit_request": override.credit_request_id,
        "against": override.against_id,
        "prediction": override.prediction_id,
        "terms": {name: getattr(override, name) for name in TERMS},
        "comment": sealed and sealed["comment"],
        "closing_comment": sealed and override.closing_comment(),
        "requested_by": override.requested_by_id,
        "closed_by": override.closed_by_id,
    }


def render_policy_version(version: PolicyVersion | None) -> dict[str, Any] | None:
    return version and {"id": version.id, "code": version.code, "version": version.version}


def _terms(decision: Decision) -> dict[str, Any] | None:
    if decision.amount is None:
        return None
    return {name: getattr(decision, name) for name in (*TERMS, "instalment")}


def _opened(row: Decision | Override) -> dict[str, Any] | None:
    try:
        return row.opened()
    except DataErased:
        return None
