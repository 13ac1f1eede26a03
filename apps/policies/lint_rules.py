"""Checks of whether each rule can ever speak, as far as comparisons of one name with a constant tell."""

import math
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from apps.common.sentences import Sentence
from apps.policies.evaluation import Value
from apps.policies.findings import Finding, error, warning
from apps.policies.names import names_of
from apps.policies.outline import Outline
from apps.policies.policy import KNOCKOUT, LEGAL, OUTCOMES, Policy, Rule
from apps.policies.regions import Box, Domain, Range, boxes_of, is_covered
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.vocabulary import FACTS

_BOUNDS = {
    "annual_probability_of_default": Range(0.0, 1.0),
    "loss_given_default": Range(0.0, 1.0),
    "annual_rate": Range(low=0.0),
    "online_requests_today": Range(low=0.0),
    "age_years": Range(low=0.0, high=150.0),
    "age_at_maturity": Range(low=0.0, high=200.0),
}


def check_rules(outline: Outline) -> Iterator[Finding]:
    reader = _Reader(outline.policy)
    for rule in outline.policy.rules:
        where = f"rules.{rule.code}"
        if not reader.boxes[rule.code]:
            yield error(where, Sentence("can never fire: no value of what it names makes it true"))
        elif harsher := reader.harsher_that_covers(rule):
            yield error(
                where,
                Sentence(
                    "never decides: where it fires, {code} fires too and asks for {outcome}",
                    code=harsher.code,
                    outcome=harsher.outcome,
                ),
            )
        if rule.kind in (KNOCKOUT, LEGAL) and rule.unknown == "pass":
            yield error(where, Sentence("is of the kind {kind} and must not pass what is not known", kind=rule.kind))


def check_caps(outline: Outline) -> Iterator[Finding]:
    caps = outline.policy.caps
    capped = {grade for cap in caps for grade in cap.grades}
    if caps and (missing := [letter for letter, _ in GRADES if letter not in capped]):
        yield warning(
            "caps", Sentence("say nothing of the grades {grades}, which are then not capped at all", grades=missing)
        )
    for grade, times in Counter(grade for cap in caps for grade in cap.grades).items():
        if times > 1:
            yield error(
                "caps",
                Sentence(
                    "name the grade {grade} {times} times; only one cap can hold for it", grade=grade, times=times
                ),
            )
    for cap in caps:
        if cap.most_term_months and cap.over == "offer_less":
            yield warning(
                f"caps.{cap.code}", Sentence("may shorten a term, and so raise a payment that was found affordable")
            )


class _Reader:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @cached_property
    def boxes(self) -> dict[str, list[Box]]:
        return {rule.code: boxes_of(rule.when.tree, self.domains, self.constants) for rule in self.policy.rules}

    def harsher_that_covers(self, rule: Rule) -> Rule | None:
        severity = OUTCOMES.index(rule.outcome)
        harsher = (other for other in self.policy.rules if OUTCOMES.index(other.outcome) > severity)
        return next((other for other in harsher if is_covered(self.boxes[rule.code], self.boxes[other.code])), None)

    @cached_property
    def constants(self) -> dict[str, Value]:
        """The values in force when the policy starts; those by category are left out."""
        in_force = {value.name: value.on(self.policy.valid_from) for value in self.policy.values.values()}
        return {name: number for name, number in in_force.items() if isinstance(number, float)}

    @cached_property
    def domains(self) -> dict[str, Domain]:
        known = {name: self._domain(name) for name in names_of(self.policy.segment)}
        features = {feature.name: feature for feature in self.policy.features}
        return known | {
            name: Domain(frozenset({True, False})) if feature.unit == "flag" else Domain(Range())
            for name, feature in features.items()
            if feature.unit != "category"
        }

    def _domain(self, name: str) -> Domain:
        known = names_of(self.policy.segment)[name]
        if known.unit == "flag":
            return Domain(frozenset({True, False}))
        if known.unit == "category":
            return Domain(frozenset(known.values))
        fact = FACTS[self.policy.segment].get(name)
        if fact is None:
            return Domain(_BOUNDS.get(name, Range()), whole=known.unit in ("count", "score"))
        least = -math.inf if fact.least is None else float(fact.least)
        most = math.inf if fact.most is None else float(fact.most)
        return Domain(Range(least, most), whole=fact.kind in ("integer", "money"))
