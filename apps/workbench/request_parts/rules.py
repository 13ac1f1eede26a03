"""What the policy says of a request, rule by rule, in the language of the page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from apps.common.crypto import DataErased
from apps.common.errors import Conflict
from apps.common.errors import DataErased as ApplicantErased
from apps.credit_requests.deciding import Evaluation, evaluate
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.outcomes import recorded_outcome
from apps.policies.conditions import Conditions
from apps.policies.engine import APPROVE, CAP, CUT_OFF, REFER, Outcome, Step
from apps.policies.models import PolicyVersion
from apps.policies.policy import DatedValue, Policy
from apps.policies.services import policy_of
from apps.policies.texts import reason_texts
from apps.scoring_engine.ml.words import sentence

BAR = "bar:"


@dataclass(frozen=True, slots=True)
class Limit:
    """A dated value that the rule compares with: in force since that day, and where it comes from."""

    text: str
    since: date
    source: str
    to_confirm: bool


@dataclass(frozen=True, slots=True)
class RuleTold:
    """`fired` is None where `missing` facts keep it from being known. spoke: it is why the outcome is what it is."""

    code: str
    kind: str
    condition: str
    values: list[tuple[str, str]]
    fired: bool | None
    outcome: str
    missing: list[str]
    spoke: bool
    limits: list[Limit]
    source: str


@dataclass(frozen=True, slots=True)
class PolicyTold:
    """`is_past`: as it was decided, and not what the policy says now. outcome: after the bars; said: before."""

    version: PolicyVersion
    on_date: date
    is_past: bool
    outcome: str
    said: str
    bars: list[str]
    reasons: list[str]
    rules: list[RuleTold]
    terms: Any
    expected_loss: int | None


def evaluation_of(credit_request: CreditRequest, now: datetime) -> Evaluation | None:
    """None without a policy in force, and once the applicant was erased."""
    try:
        return evaluate(credit_request, now)
    except (Conflict, ApplicantErased, DataErased):
        return None


def told_now(evaluation: Evaluation, currency: str, language: str) -> PolicyTold:
    told = (evaluation.policy, evaluation.outcome, evaluation.on_date, language, currency)
    return _told(evaluation.version, *told, is_past=False)


def told_then(decision: Decision, currency: str, language: str) -> PolicyTold | None:
    """None for a decision without a policy, and once the applicant was erased."""
    if decision.policy is None:
        return None
    try:
        outcome = recorded_outcome(decision)
    except DataErased:
        return None
    policy = policy_of(decision.policy)
    return _told(decision.policy, policy, outcome, decision.on_date, language, currency, is_past=True)


def _told(
    version: PolicyVersion,
    policy: Policy,
    outcome: Outcome,
    on_date: date,
    language: str,
    currency: str,
    *,
    is_past: bool,
) -> PolicyTold:
    told = (language, currency)
    return PolicyTold(
        version=version,
        on_date=on_date,
        is_past=is_past,
        outcome=outcome.outcome,
        said=outcome.policy_outcome,
        bars=bars_told(policy, outcome, *told),
        reasons=reasons_told(policy, outcome, *told),
        rules=rules_told(policy, outcome, on_date, *told),
        terms=outcome.terms,
        expected_loss=outcome.expected_loss,
    )


def reasons_told(policy: Policy, outcome: Outcome, language: str, currency: str) -> list[str]:
    """Why the rules say what they say, before a bar leaves the last word to a person; where less is offered, why."""
    said = replace(outcome, outcome=outcome.policy_outcome, reasons=asking(outcome))
    if outcome.policy_outcome == outcome.outcome or not outcome.bars:
        said = replace(outcome, reasons=tuple(code for code in outcome.reasons if not code.startswith(BAR)))
    return [each["text"] for each in reason_texts(policy, said, language, currency=currency)]


def bars_told(policy: Policy, outcome: Outcome, language: str, currency: str) -> list[str]:
    """Why the assessment may not decide by itself."""
    barred = replace(outcome, outcome=REFER, reasons=tuple(f"{BAR}{bar}" for bar in outcome.bars))
    return [each["text"] for each in reason_texts(policy, barred, language, currency=currency)]


def asking(outcome: Outcome) -> tuple[str, ...]:
    """Codes of the steps that ask for what the rules say in the end; none of an approval."""
    said = outcome.policy_outcome
    return tuple(step.code for step in outcome.trace if step.outcome == said) if said != APPROVE else ()


def rules_told(policy: Policy, outcome: Outcome, on_date: date, language: str, currency: str) -> list[RuleTold]:
    """What spoke stands first, then what is not known, then what passed; each in the policy's order."""
    teller = _Teller(policy, Conditions(policy, language, on_date, currency), on_date, outcome)
    return sorted((teller.rule(step) for step in outcome.trace), key=_rank)


def _rank(rule: RuleTold) -> int:
    return 0 if rule.spoke else 1 if rule.outcome != "approve" else 2 if rule.fired else 3


@dataclass(frozen=True, slots=True)
class _Teller:
    policy: Policy
    conditions: Conditions
    on_date: date
    outcome: Outcome

    def rule(self, step: Step) -> RuleTold:
        rule = next((each for each in self.policy.rules if each.code == step.code), None)
        names = rule.when.names if rule else tuple(step.values)
        words = self.conditions.words
        return RuleTold(
            code=step.code,
            kind=step.kind,
            condition=sentence(self._condition(step)).removesuffix("."),
            values=[
                (words.name(name), words.value(name, value))
                for name, value in step.values.items()
                if name not in self.policy.values
            ],
            fired=step.fired,
            outcome=step.outcome,
            missing=[words.name(name) for name in step.missing],
            spoke=step.code in self._spoke(),
            limits=list(self._limits(names, step.values)),
            source=rule.source if rule else "",
        )

    def _spoke(self) -> Sequence[str]:
        """What the rules say in the end is asked for by these; of an approval, the caps that left less."""
        outcome = self.outcome
        capped = outcome.terms.capped_by if outcome.terms and outcome.policy_outcome == APPROVE else ()
        return (*asking(outcome), *capped)

    def _condition(self, step: Step) -> str:
        """Codes of the engine's own (no price, no grade) have no condition: the texts of reasons say what is so."""
        policy, conditions = self.policy, self.conditions
        for rule in policy.rules:
            if rule.code == step.code:
                return conditions.of_rule(rule.when, step.values)
        for band in policy.bands if step.kind == CUT_OFF else ():
            if band.code == step.code:
                return conditions.of_band(policy.cut_offs_on, band)
        for cap in policy.caps if step.kind == CAP else ():
            if cap.code == step.code:
                return conditions.of_cap(cap, step.values)
        return conditions.words.texts["reasons"].get(step.code, step.code)

    def _limits(self, names: Sequence[str], values: Mapping[str, Any]) -> Iterator[Limit]:
        for name in names:
            dated = self.policy.values.get(name)
            if dated is not None and (since := _since(dated, self.on_date)) is not None:
                text = self.conditions.limit(name, values)
                yield Limit(text, since, dated.source, dated.to_confirm)


def _since(dated: DatedValue, day: date) -> date | None:
    return max((start for start, _ in dated.dated if start <= day), default=None)
