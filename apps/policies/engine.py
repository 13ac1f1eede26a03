"""Whether credit is given: the lender's published rules over what is known and how it was scored.

Pure: the same facts, assessment, policy and day give the same outcome, trace and terms, to the bit.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from apps.policies.evaluation import Function, Value, function_of, instalment
from apps.policies.expressions import Expression
from apps.policies.policy import KNOCKOUT, OUTCOMES, Band, Cap, Policy, Rule
from apps.scoring_engine.ml.grades import annual_probability

APPROVE, REFER, DECLINE = OUTCOMES
SEVERITY = {outcome: severity for severity, outcome in enumerate(OUTCOMES)}
NOT_ASSESSED = "not_assessed"
BARS = (
    NOT_ASSESSED, "fallback", "demonstration", "mock_source", "required_input_missing", "source_down", "stale_source",
    "other_currency",
)  # fmt: skip
OF_ASSESSMENT = ("score", "grade", "annual_probability_of_default")
OF_TERMS = ("requested_amount", "term_months", "annual_rate", "repayment_type")
CUT_OFF, CAP, PRICE = "cut_off", "cap", "price"
BASIS_POINTS = 10_000
MOST = 1e15  # the largest number a fact may have; with what is no number it is taken as not known
NOISE = 1e-6  # of a basis point or of a unit of money: what rounding up may overlook
Fact = float | int | bool | str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the scoring gave. bars: why it may not approve or decline by itself, of BARS."""

    score: int
    probability_of_default: float
    horizon_months: int
    grade: str
    bars: tuple[str, ...] = ()


class Step(NamedTuple):
    """What one rule said. fired is None where `missing` facts keep it from being known; outcome: what it asks for.

    values: what the rule speaks of, as far as it looked; of one that fired, what its reason shows too.
    """

    code: str
    kind: str
    fired: bool | None
    outcome: str
    values: dict[str, Fact]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """Offered, or what would be. Money in whole units, rate in basis points a year, the largest payment of a month."""

    amount: int
    term_months: int
    annual_rate_basis_points: int
    instalment: int | None
    capped_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """policy_outcome: what the rules gave before a bar turned it into refer. reasons: codes of what produced
    `outcome`, in the policy's order, then the bars as `bar:<name>`. expected_loss: of a year, on the amount offered.
    """

    outcome: str
    policy_outcome: str
    reasons: tuple[str, ...]
    trace: tuple[Step, ...]
    terms: Terms | None
    annual_probability_of_default: float | None
    loss_given_default: float | None
    expected_loss: int | None
    bars: tuple[str, ...]


def decide(facts: Mapping[str, Fact], assessment: Assessment | None, policy: Policy, on_date: date) -> Outcome:
    """The most severe of what the rules ask for. Facts that are not known are left out of `facts`.

    A bar of the assessment turns what would be approved, or declined without a knock-out, into refer.
    """
    bound = bind(policy, on_date)
    scope = bound.scope(facts, assessment)
    trace = [*bound.rule_steps(scope), *bound.band_steps(scope)]
    caps, amount, term = bound.capped(scope)
    trace += [*caps, *bound.price_steps(scope)]
    bars = (NOT_ASSESSED,) if assessment is None else assessment.bars
    spoken = max((step.outcome for step in trace), key=SEVERITY.__getitem__, default=APPROVE)
    outcome = _barred(spoken, trace) if bars else spoken
    terms = bound.terms(scope, amount, term, tuple(step.code for step in caps if step.outcome == APPROVE))
    annual, loss = scope["annual_probability_of_default"], scope["loss_given_default"]
    return Outcome(
        outcome=outcome,
        policy_outcome=spoken,
        reasons=_reasons(outcome, trace, bars),
        trace=tuple(trace),
        terms=terms,
        annual_probability_of_default=annual,
        loss_given_default=loss,
        expected_loss=expected_loss(terms and terms.amount, annual, loss),
        bars=bars,
    )


def expected_loss(amount: int | None, annual: float | None, loss: float | None) -> int | None:
    """amount * probability of default within a year * loss given default, rounded to whole units."""
    return None if amount is None or annual is None or loss is None else math.floor(amount * annual * loss + 0.5)


def _barred(spoken: str, trace: Sequence[Step]) -> str:
    return DECLINE if spoken == DECLINE and any(_is_fired_knockout(step) for step in trace) else REFER


def _is_fired_knockout(step: Step) -> bool:
    return step.kind == KNOCKOUT and step.fired is True and step.outcome == DECLINE


def _reasons(outcome: str, trace: Sequence[Step], bars: tuple[str, ...]) -> tuple[str, ...]:
    if outcome == APPROVE:
        return ()
    spoke = [step for step in trace if step.outcome == outcome]
    if bars and outcome == DECLINE:
        return tuple(step.code for step in spoke if _is_fired_knockout(step))
    return tuple(step.code for step in spoke) + tuple(f"bar:{bar}" for bar in bars)


@dataclass(frozen=True, slots=True)
class BoundCap:
    """names: those of its limits; shown: what its step tells."""

    cap: Cap
    amount: Function | None
    term: Function | None
    names: tuple[str, ...]
    shown: tuple[str, ...]


class Scope(dict):
    """What is known, by name; what is derived is worked out when it is first asked for. None: not known."""

    __slots__ = ("derived",)

    def __init__(self, known: Mapping[str, Value], derived: Mapping[str, Callable[["Scope"], Value]]) -> None:
        super().__init__(known)
        self.derived = derived

    def __missing__(self, name: str) -> Value:
        derive = self.derived.get(name)
        value = self[name] = None if derive is None else derive(self)
        return value


@lru_cache(maxsize=256)
def bind(policy: Policy, on_date: date) -> "Bound":
    return Bound(policy, on_date)


class Bound:
    """A policy with the values in force on one day, ready to decide."""

    def __init__(self, policy: Policy, on_date: date) -> None:
        self.policy = policy
        self.constants: dict[str, float | None] = {}
        self.numbers_by: dict[str, tuple[str, Mapping[str, float]]] = {}  # name -> (category, number by its values)
        self.derived: dict[str, Function] = {}
        self.depends: dict[str, tuple[str, ...]] = {}
        self._bind_values(on_date)
        for feature in policy.features:
            self._derive(feature.name, feature.formula)
        self._derive("loss_given_default", policy.loss_given_default)
        self.derived["loss_given_default"] = _bounded_loss(self.derived["loss_given_default"])
        if policy.price is not None:
            self._derive("annual_rate", policy.price.annual_rate)
            self.derived["annual_rate"] = _priced(self.derived["annual_rate"], policy.price.least)
        self.rules = [
            (rule, self._function(rule.when), _shown_names(rule.when.names, rule.reason)) for rule in policy.rules
        ]
        self.caps = {grade: self._bound_cap(cap) for cap in policy.caps for grade in cap.grades}
        self.asked = self._asked_of_facts()

    def _function(self, expression: Expression) -> Function:
        return function_of(expression.tree, self.constants)

    def _derive(self, name: str, expression: Expression) -> None:
        self.derived[name], self.depends[name] = self._function(expression), expression.names

    def _bound_cap(self, cap: Cap) -> BoundCap:
        limits = [limit for limit in (cap.most_amount, cap.most_term_months) if limit is not None]
        names = tuple(dict.fromkeys(name for limit in limits for name in limit.names))
        return BoundCap(
            cap=cap,
            amount=cap.most_amount and self._function(cap.most_amount),
            term=cap.most_term_months and self._function(cap.most_term_months),
            names=names,
            shown=_shown_names(("grade", *names), cap.reason),
        )

    def _asked_of_facts(self) -> tuple[str, ...]:
        """The facts that the policy looks at: others that are known are none of its business."""
        shown = [name for _, _, names in self.rules for name in names]
        shown += [name for cap in self.caps.values() for name in cap.shown]
        behind = [name for names in self.depends.values() for name in names]
        every = dict.fromkeys((*OF_TERMS, *shown, *behind))
        taken = {*self.constants, *self.derived, *OF_ASSESSMENT} - {"annual_rate"}
        return tuple(name for name in every if name not in taken)

    def _bind_values(self, on_date: date) -> None:
        for value in self.policy.values.values():
            found = value.on(on_date)
            if isinstance(found, Mapping):
                self.numbers_by[value.name] = (value.by, found)
                self.derived[value.name] = _by_category(value.by, found)
                self.depends[value.name] = (value.by,)
            else:
                self.constants[value.name] = found

    def scope(self, facts: Mapping[str, Fact], assessment: Assessment | None) -> Scope:
        # As float64 throughout, which holds every whole number of the vocabulary, so that columns give the same bits.
        known: dict[str, Any] = {
            name: float(value) if type(value) is int else value
            for name in self.asked
            if (value := facts.get(name)) is not None and (type(value) is str or -MOST <= value <= MOST)
        }
        known |= self.constants
        if self.policy.price is not None:
            known["product_rate"] = known.pop("annual_rate", None)
        if assessment is not None:
            known["score"], known["grade"] = float(assessment.score), assessment.grade
            known["annual_probability_of_default"] = annual_probability(
                assessment.probability_of_default, assessment.horizon_months
            )
        return Scope(known, self.derived)

    def rule_steps(self, scope: Scope) -> list[Step]:
        return [self._step(rule, when, names, scope) for rule, when, names in self.rules]

    def _step(self, rule: Rule, when: Function, names: tuple[str, ...], scope: Scope) -> Step:
        fired = when(scope)
        if fired is False:
            return Step(rule.code, rule.kind, False, APPROVE, _seen_of(rule.when.names, scope))
        values = _known_of(names, scope)
        if fired:
            return Step(rule.code, rule.kind, True, rule.outcome, values)
        outcome = APPROVE if rule.unknown == "pass" else rule.unknown
        return Step(rule.code, rule.kind, None, outcome, values, self._missing(rule.when.names, scope))

    def _missing(self, names: Iterable[str], scope: Scope) -> tuple[str, ...]:
        """The facts behind `names` that are not known, not what is derived from them."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            if scope[name] is None and name not in found:
                found[name] = None
                waiting += self.depends.get(name, ())
        return tuple(name for name in found if name not in self.depends)

    def band_steps(self, scope: Scope) -> list[Step]:
        """None without an assessment: its bar says so."""
        if not self.policy.bands or (value := scope[self.policy.cut_offs_on]) is None:
            return []
        band = next((band for band in self.policy.bands if _holds(band, value)), None)
        if band is None:
            return [Step("cut_off_gap", CUT_OFF, None, REFER, {self.policy.cut_offs_on: value})]
        return [Step(band.code, CUT_OFF, True, band.outcome, {self.policy.cut_offs_on: value})]

    def capped(self, scope: Scope) -> tuple[list[Step], float | None, float | None]:
        """The steps of the cap of the grade, and the amount and term that it leaves."""
        amount, term, grade = scope["requested_amount"], scope["term_months"], scope["grade"]
        if not self.caps or amount is None or term is None:
            return [], amount, term
        if grade is None:
            return [Step("grade_unknown", CAP, None, REFER, {}, ("grade",))], amount, term
        bound = self.caps.get(grade)
        return ([], amount, term) if bound is None else self._cap(bound, scope, amount, term)

    def _cap(self, bound: BoundCap, scope: Scope, amount: float, term: float) -> tuple[list[Step], float, float]:
        code, values = bound.cap.code, _known_of(bound.shown, scope)
        left = _most(bound.amount, scope, amount), _most(bound.term, scope, term)
        if None in left:
            return [Step(code, CAP, None, REFER, values, self._missing(bound.names, scope))], amount, term
        if left == (amount, term):
            return [], amount, term
        if bound.cap.over == REFER or 0 in left:
            return [Step(code, CAP, True, REFER, values)], amount, term
        return [Step(code, CAP, True, APPROVE, values)], *left

    def price_steps(self, scope: Scope) -> Iterator[Step]:
        price = self.policy.price
        if price is None:
            return
        rate = scope["annual_rate"]
        if rate is None:
            yield Step("price_unknown", PRICE, None, REFER, {}, self._missing(price.annual_rate.names, scope))
        elif rate > price.most:
            yield Step("price_above_most", PRICE, True, REFER, {"annual_rate": rate})

    def terms(self, scope: Scope, amount: float | None, term: float | None, capped_by: tuple[str, ...]) -> Terms | None:
        """The product's rate stands where there is no price, or none that is known. None for an incomplete request."""
        rate = scope["annual_rate"]
        rate = scope["product_rate"] if rate is None else rate
        if amount is None or term is None or rate is None:
            return None
        repayment = scope["repayment_type"]
        payment = None if repayment is None else instalment(amount, rate, term, repayment)
        return Terms(
            amount=int(amount),
            term_months=int(term),
            annual_rate_basis_points=math.floor(rate * BASIS_POINTS + 0.5),
            instalment=None if payment is None else int(payment),
            capped_by=capped_by,
        )


def _shown_names(names: Sequence[str], texts: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a formula, and those in the braces of its reason."""
    in_braces = (found for text in texts.values() for found in re.findall(r"{(\w+)}", text))
    return tuple(dict.fromkeys((*names, *in_braces)))


def _known_of(names: Iterable[str], scope: Scope) -> dict[str, Fact]:
    return {name: value for name in names if (value := scope[name]) is not None}


def _seen_of(names: Iterable[str], scope: Scope) -> dict[str, Fact]:
    """As far as the rule had to look: what decided nothing is not worked out for the trace alone."""
    seen = scope.get
    return {name: value for name in names if (value := seen(name)) is not None}


def _most(limit: Function | None, scope: Scope, asked: float) -> float | None:
    """What is left of what was asked, in whole units; None where the limit is not known."""
    if limit is None:
        return asked
    most = limit(scope)
    return None if most is None else min(asked, float(math.floor(max(most, 0.0) + NOISE)))


def _priced(rate: Function, least: float) -> Function:
    """Never below `least`, rounded up to a whole basis point."""

    def value(scope: Mapping[str, Value]) -> Value:
        found = rate(scope)
        if found is None or found > MOST:
            return None
        return math.ceil(max(found, least) * BASIS_POINTS - NOISE) / BASIS_POINTS

    return value


def _holds(band: Band, value: float) -> bool:
    return (band.start is None or value >= band.start) and (band.below is None or value < band.below)


def _by_category(by: str, numbers: Mapping[str, float]) -> Function:
    otherwise = numbers.get("otherwise")

    def value(scope: Mapping[str, Value]) -> Value:
        category = scope[by]
        return None if category is None else numbers.get(category, otherwise)

    return value


def _bounded_loss(loss: Function) -> Function:
    """A share of what is owed: from 0 to 1, whatever the formula gives."""

    def value(scope: Mapping[str, Value]) -> Value:
        share = loss(scope)
        return None if share is None else min(max(share, 0.0), 1.0)

    return value
