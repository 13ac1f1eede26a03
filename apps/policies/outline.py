"""A policy laid open for the checks before publishing: its formulas, and what each of them rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from apps.policies.expressions import Expression
from apps.policies.policy import Policy

FEATURE, CAP, LOSS, PRICE = "feature", "cap", "loss", "price"


@dataclass(frozen=True, slots=True)
class Formula:
    """kind: of the rule it belongs to, else feature | cap | loss | price; unit: what it must give."""

    where: str
    kind: str
    expression: Expression
    unit: str


class Outline:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        return tuple(self._formulas())

    def rests_on(self, names: tuple[str, ...] | frozenset[str]) -> frozenset[str]:
        """The names and all that they are worked out from."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self._parts.get(name, ()))
        return frozenset(found)

    @cached_property
    def _parts(self) -> Mapping[str, tuple[str, ...]]:
        policy = self.policy
        parts = {feature.name: feature.formula.names for feature in policy.features}
        parts |= {value.name: (value.by,) for value in policy.values.values() if value.by}
        parts["loss_given_default"] = policy.loss_given_default.names
        return parts | ({"annual_rate": policy.price.annual_rate.names} if policy.price else {})

    def _formulas(self) -> Iterator[Formula]:
        policy = self.policy
        for feature in policy.features:
            yield Formula(f"features.{feature.name}", FEATURE, feature.formula, feature.unit)
        for rule in policy.rules:
            yield Formula(f"rules.{rule.code}", rule.kind, rule.when, "flag")
        for cap in policy.caps:
            if cap.most_amount:
                yield Formula(f"caps.{cap.code}.most_amount", CAP, cap.most_amount, "currency")
            if cap.most_term_months:
                yield Formula(f"caps.{cap.code}.most_term_months", CAP, cap.most_term_months, "months")
        yield Formula("loss.given_default", LOSS, policy.loss_given_default, "ratio")
        if policy.price:
            yield Formula("price.annual_rate", PRICE, policy.price.annual_rate, "ratio per year")
