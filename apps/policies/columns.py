"""The decisions of engine.py over columns of past requests, all at once, and to the bit the same.

A column of numbers is float64 with NaN for what is not known, one of texts holds str with "" for it, and one of flags
is uint8: 0 false, 1 not known, 2 true, so that and, or and not are the least, the greatest and 2 less. What is not
plain arithmetic (the factor of an instalment, a probability within a year) is worked out by the engine's own functions,
once for each of the few distinct values there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from apps.policies.engine import (
    APPROVE,
    BASIS_POINTS,
    DECLINE,
    MOST,
    NOISE,
    NOT_ASSESSED,
    REFER,
    SEVERITY,
    Bound,
    bind,
)
from apps.policies.evaluation import payment_factor
from apps.policies.expressions import Expression
from apps.policies.policy import KNOCKOUT, Policy
from apps.policies.trees import Any, Arithmetic, Call, Comparison, Constant, Every, Name, Negative, Node, Not, OneOf
from apps.scoring_engine.ml.grades import annual_probability

Column = np.ndarray
Columns = Mapping[str, Column]
FALSE, UNKNOWN, TRUE = np.uint8(0), np.uint8(1), np.uint8(2)
NO_REASON = ""


@dataclass(frozen=True, slots=True)
class Assessments:
    """One entry a request; NaN and "" where it was not assessed. bar: the first of its bars, "" if there is none."""

    score: Column
    probability_of_default: Column
    horizon_months: Column
    grade: Column
    bar: Column


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry a request. Outcomes as severities (0 approve, 1 refer, 2 decline).

    fired: of each rule, band and cap what it said (0 no, 1 not known, 2 yes), and asked: the outcome it asked for.
    Amount, term, rate in basis points, instalment and expected loss are NaN where they are not known.
    """

    outcome: Column
    policy_outcome: Column
    first_reason: Column
    fired: dict[str, Column]
    asked: dict[str, Column]
    amount: Column
    term_months: Column
    annual_rate_basis_points: Column
    instalment: Column
    annual_probability_of_default: Column
    loss_given_default: Column
    expected_loss: Column


def decide_columns(columns: Columns, assessments: Assessments, policy: Policy, on_date: date) -> Decided:
    """`columns`: of facts by name, all of one length; one that is absent is not known of anybody."""
    asked = _Asked(columns, assessments, bind(policy, on_date))
    amount, term = asked.steps()
    return asked.decided(amount, term, assessments.bar)


class _Asked:
    def __init__(self, columns: Columns, assessments: Assessments, bound: Bound) -> None:
        self.bound, self.policy = bound, bound.policy
        self.rows = len(assessments.score)
        self.known: dict[str, Column] = {name: _sound(columns[name]) for name in bound.asked if name in columns}
        if self.policy.price is not None:
            self.known["product_rate"] = self.known.pop("annual_rate", self._nothing())
        self.known["score"], self.known["grade"] = assessments.score, assessments.grade
        self.known["annual_probability_of_default"] = _annual(assessments)
        self.formulas = {feature.name: feature.formula.tree for feature in self.policy.features}
        self.tables = {value.name: value for value in self.policy.values.values() if value.by}
        self.fired: dict[str, Column] = {}
        self.asked: dict[str, Column] = {}
        self.knocked_out = np.zeros(self.rows, dtype=bool)

    def _nothing(self) -> Column:
        return np.full(self.rows, np.nan)

    # --- Names and formulas -----------------------------------------------------------------------------------

    def column(self, name: str) -> Column:
        if name not in self.known:
            self.known[name] = self._derived(name)
        return self.known[name]

    def _derived(self, name: str) -> Column:
        if name in self.bound.constants:
            value = self.bound.constants[name]
            return np.full(self.rows, np.nan if value is None else value)
        if name in self.formulas:
            return self.value(self.formulas[name])
        if name in self.bound.numbers_by:
            return self._by_category(*self.bound.numbers_by[name])
        if name == "loss_given_default":
            return np.clip(self.value(self.policy.loss_given_default.tree), 0.0, 1.0)
        if name == "annual_rate" and self.policy.price is not None:
            found = self.value(self.policy.price.annual_rate.tree)
            rate = np.maximum(np.where(found > MOST, np.nan, found), self.policy.price.least)
            return np.ceil(rate * BASIS_POINTS - NOISE) / BASIS_POINTS
        return self._not_known(name)

    def _not_known(self, name: str) -> Column:
        kind = self.policy.kinds.get(name)
        if kind == "flag":
            return np.full(self.rows, UNKNOWN)
        return np.full(self.rows, "") if kind == "text" else self._nothing()

    def _by_category(self, by: str, numbers: Mapping[str, float]) -> Column:
        category = self.column(by)
        named = {name: number for name, number in numbers.items() if name != "otherwise"}
        found = np.select(
            [category == name for name in named], list(named.values()), default=numbers.get("otherwise", np.nan)
        )
        return np.where(category == "", np.nan, found)

    def value(self, node: Node) -> Column:
        match node:
            case Constant(value):
                return self._constant(value)
            case Name(name):
                return self.column(name)
            case Negative(operand):
                return -self.value(operand)
            case Arithmetic(operator, left, right):
                return _finite(_ARITHMETIC[operator](self.value(left), self.value(right)))
            case Comparison(operator, left, right):
                return _compared(_COMPARISON[operator], self.value(left), self.value(right))
            case OneOf(operand, texts):
                found = self.value(operand)
                return _three(np.isin(found, texts), found == "")
            case Every(parts):
                return np.minimum.reduce([self.value(part) for part in parts])
            case Any(parts):
                return np.maximum.reduce([self.value(part) for part in parts])
            case Not(operand):
                return TRUE - self.value(operand)
            case Call(name, arguments):
                return _CALLS[name]([self.value(argument) for argument in arguments])

    def _constant(self, value: float | str | bool) -> Column:
        if isinstance(value, bool):
            return np.full(self.rows, TRUE if value else FALSE)
        return np.full(self.rows, value)

    # --- Steps, in the engine's order -------------------------------------------------------------------------

    def steps(self) -> tuple[Column, Column]:
        """Notes what each rule, band, cap and the price asks for. Returns the amount and term that are left."""
        for rule in self.policy.rules:
            fired = self.value(rule.when.tree)
            unknown = APPROVE if rule.unknown == "pass" else rule.unknown
            self._note(rule.code, fired, rule.outcome, unknown)
            if rule.kind == KNOCKOUT and rule.outcome == DECLINE:
                self.knocked_out |= fired == TRUE
        self._bands()
        left = self._caps()
        self._price()
        return left

    def _note(self, code: str, fired: Column, outcome: str, unknown: str = REFER) -> None:
        asked = np.array([SEVERITY[APPROVE], SEVERITY[unknown], SEVERITY[outcome]], dtype=np.uint8)
        self.fired[code], self.asked[code] = fired, asked[fired]

    def _bands(self) -> None:
        if not self.policy.bands:
            return
        value = self.column(self.policy.cut_offs_on)
        open_ = ~np.isnan(value)
        for band in self.policy.bands:
            start, below = (
                (-np.inf if band.start is None else band.start),
                (np.inf if band.below is None else band.below),
            )
            within = open_ & (value >= start) & (value < below)
            open_ &= ~within
            self._note(band.code, _three(within), band.outcome)
        self._note("cut_off_gap", np.where(open_, UNKNOWN, FALSE), REFER)

    def _caps(self) -> tuple[Column, Column]:
        amount, term, grade = self.column("requested_amount"), self.column("term_months"), self.column("grade")
        if not self.bound.caps:
            return amount, term
        complete = ~np.isnan(amount) & ~np.isnan(term)
        self._note("grade_unknown", np.where(complete & (grade == ""), UNKNOWN, FALSE), REFER)
        left_amount, left_term = amount.copy(), term.copy()
        for cap in self.policy.caps:
            here = complete & np.isin(grade, cap.grades)
            limits = (_most(self, cap.most_amount, amount), _most(self, cap.most_term_months, term))
            unknown = here & (np.isnan(limits[0]) | np.isnan(limits[1]))
            capped = here & ~unknown & ((limits[0] != amount) | (limits[1] != term))
            refers = capped & ((limits[0] == 0) | (limits[1] == 0) | (cap.over == REFER))
            self.fired[cap.code] = np.where(unknown, UNKNOWN, np.where(capped, TRUE, FALSE))
            self.asked[cap.code] = (unknown | refers).astype(np.uint8) * np.uint8(SEVERITY[REFER])
            offered = capped & ~refers
            left_amount, left_term = np.where(offered, limits[0], left_amount), np.where(offered, limits[1], left_term)
        return left_amount, left_term

    def _price(self) -> None:
        if self.policy.price is None:
            return
        rate = self.column("annual_rate")
        self._note("price_unknown", np.where(np.isnan(rate), UNKNOWN, FALSE), REFER)
        self._note("price_above_most", _three(rate > self.policy.price.most), REFER)

    # --- Together ---------------------------------------------------------------------------------------------

    def decided(self, amount: Column, term: Column, bar: Column) -> Decided:
        steps = list(self.asked.values())
        spoken = np.maximum.reduce(steps) if steps else np.zeros(self.rows, dtype=np.uint8)
        bar = np.where(np.isnan(self.column("score")), NOT_ASSESSED, bar)
        is_barred, declined = bar != "", spoken == SEVERITY[DECLINE]
        barred = np.where(declined & self.knocked_out, SEVERITY[DECLINE], SEVERITY[REFER])
        outcome = np.where(is_barred, barred, spoken).astype(np.uint8)
        rate, annual = self._rate(), self.column("annual_probability_of_default")
        complete = ~(np.isnan(amount) | np.isnan(term) | np.isnan(rate))
        loss = self.column("loss_given_default")
        offered = np.where(complete, amount, np.nan)
        return Decided(
            outcome=outcome,
            policy_outcome=spoken,
            first_reason=self._first_reasons(outcome, bar),
            fired=self.fired,
            asked=self.asked,
            amount=offered,
            term_months=np.where(complete, term, np.nan),
            annual_rate_basis_points=np.where(complete, np.floor(rate * BASIS_POINTS + 0.5), np.nan),
            instalment=np.where(complete, _instalment([amount, rate, term, self.column("repayment_type")]), np.nan),
            annual_probability_of_default=annual,
            loss_given_default=loss,
            expected_loss=np.floor(offered * annual * loss + 0.5),
        )

    def _rate(self) -> Column:
        rate = self.column("annual_rate")
        return rate if self.policy.price is None else np.where(np.isnan(rate), self.column("product_rate"), rate)

    def _first_reasons(self, outcome: Column, bar: Column) -> Column:
        """The code of the first step that produced the outcome, else `bar:<name>`; "" for an approval."""
        knockouts = {rule.code for rule in self.policy.rules if rule.kind == KNOCKOUT}
        found = np.where((bar != "") & (outcome == SEVERITY[REFER]), np.char.add("bar:", bar), NO_REASON).astype(object)
        only_knockouts = (bar != "") & (outcome == SEVERITY[DECLINE])
        for code, asked in reversed(self.asked.items()):
            spoke = (asked == outcome) & (outcome != SEVERITY[APPROVE])
            if code not in knockouts:
                spoke &= ~only_knockouts
            else:
                spoke &= ~only_knockouts | (self.fired[code] == TRUE)
            found[spoke] = code
        return found


def _sound(column: Column) -> Column:
    """A number beyond MOST, or none, is not known: as engine.Bound.scope."""
    return np.where(np.abs(column) <= MOST, column, np.nan) if column.dtype == np.float64 else column


def _three(truth: Column, unknown: Column | None = None) -> Column:
    found = np.where(truth, TRUE, FALSE)
    return found if unknown is None else np.where(unknown, UNKNOWN, found)


def _finite(numbers: Column) -> Column:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _quotient(left: Column, right: Column) -> Column:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(right == 0, np.nan, left / right)


_ARITHMETIC: dict[str, Callable[[Column, Column], Column]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _quotient,
}
_COMPARISON: dict[str, Callable[[Column, Column], Column]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def _is_unknown(column: Column) -> Column:
    if column.dtype == np.uint8:
        return column == UNKNOWN
    return np.isnan(column) if column.dtype == np.float64 else column == ""


def _compared(operation: Callable[[Column, Column], Column], left: Column, right: Column) -> Column:
    return _three(operation(left, right), _is_unknown(left) | _is_unknown(right))


def _first(columns: Sequence[Column]) -> Column:
    found = columns[-1]
    for column in reversed(columns[:-1]):
        found = np.where(_is_unknown(column), found, column)
    return found


def _instalment(given: Sequence[Column]) -> Column:
    """As evaluation.instalment."""
    amount, rate, months, repayment = given
    payment = amount * _by_distinct(payment_factor, rate, months, repayment)
    return _finite(np.ceil(payment - NOISE))


def _by_distinct(function: Callable[..., float | None], *columns: Column) -> Column:
    """`function` of each row, asked once for each distinct row; NaN where one of its values is not known."""
    known = ~np.logical_or.reduce([_is_unknown(column) for column in columns])
    key, levels = np.zeros(int(known.sum()), dtype=np.int64), []
    for column in columns:
        names, places = np.unique(column[known], return_inverse=True)
        levels.append(names)
        key = key * max(len(names), 1) + places
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    rows = np.flatnonzero(known)[first]
    answers = [function(*(column[row].item() for column in columns)) for row in rows]
    found = np.full(len(known), np.nan)
    found[known] = np.array([np.nan if answer is None else answer for answer in answers], dtype=float)[place]
    return found


def _annual(assessments: Assessments) -> Column:
    return _by_distinct(annual_probability, assessments.probability_of_default, assessments.horizon_months)


def _most(asked: _Asked, limit: Expression | None, wanted: Column) -> Column:
    if limit is None:
        return wanted
    return np.minimum(wanted, np.floor(np.maximum(asked.value(limit.tree), 0.0) + NOISE))


_CALLS: dict[str, Callable[[Sequence[Column]], Column]] = {
    "min": np.minimum.reduce,
    "max": np.maximum.reduce,
    "first": _first,
    "known": lambda columns: _three(~_is_unknown(columns[0])),
    "instalment": _instalment,
}
