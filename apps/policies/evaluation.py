"""From the tree of an expression to a function of what is known.

A value is a number (float), a text, a flag, or None, which says that it is not known. A division by zero, and a result
that is not finite, is not known either; and, or and not follow Kleene's logic.
"""

import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import isfinite
from operator import itemgetter
from types import MappingProxyType

from apps.policies.trees import Any, Arithmetic, Call, Comparison, Constant, Every, Name, Negative, Node, Not, OneOf

Value = float | str | bool | None
Known = Mapping[str, Value]
Function = Callable[[Known], Value]


def function_of(node: Node, constants: Known = MappingProxyType({})) -> Function:
    """Asks `known` for each name by its key: what is not there is a KeyError, what is not known a None.

    `constants`: names whose value is known beforehand, such as the limits in force on a day.
    """

    def of(part: Node) -> Function:
        return function_of(part, constants)

    match node:
        case Constant(value):
            return lambda known: value
        case Name(name) if name in constants:
            return of(Constant(constants[name]))
        case Name(name):
            return itemgetter(name)
        case Negative(operand):
            return _negative(of(operand))
        case Arithmetic("/", left, right):
            return _quotient(of(left), of(right))
        case Arithmetic(operator, left, right):
            return _of_two(_ARITHMETIC[operator], of(left), of(right), is_number=True)
        case Comparison(operator, left, right):
            return _of_two(_COMPARISON[operator], of(left), of(right), is_number=False)
        case OneOf(operand, texts):
            return _one_of(of(operand), frozenset(texts))
        case Every(parts):
            return _every([of(part) for part in parts])
        case Any(parts):
            return _any([of(part) for part in parts])
        case Not(operand):
            return _not(of(operand))
        case Call(name, arguments):
            return _CALLS[name]([of(argument) for argument in arguments])


def _negative(operand: Function) -> Function:
    def value(known: Known) -> Value:
        number = operand(known)
        return None if number is None else -number

    return value


_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_COMPARISON = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _of_two(operation: Callable[..., Value], left: Function, right: Function, *, is_number: bool) -> Function:
    """None where either side is."""

    def value(known: Known) -> Value:
        one, other = left(known), right(known)
        return None if one is None or other is None else operation(one, other)

    def finite(known: Known) -> Value:
        one, other = left(known), right(known)
        if one is None or other is None:
            return None
        number = operation(one, other)
        return number if isfinite(number) else None

    return finite if is_number else value


def _quotient(left: Function, right: Function) -> Function:
    def value(known: Known) -> Value:
        one, other = left(known), right(known)
        if one is None or not other:
            return None
        number = one / other
        return number if isfinite(number) else None

    return value


def _one_of(operand: Function, texts: frozenset[str]) -> Function:
    def value(known: Known) -> Value:
        text = operand(known)
        return None if text is None else text in texts

    return value


def _every(parts: list[Function]) -> Function:
    def value(known: Known) -> Value:
        found: Value = True
        for part in parts:
            truth = part(known)
            if truth is False:
                return False
            if truth is None:
                found = None
        return found

    return value


def _any(parts: list[Function]) -> Function:
    def value(known: Known) -> Value:
        found: Value = False
        for part in parts:
            truth = part(known)
            if truth is True:
                return True
            if truth is None:
                found = None
        return found

    return value


def _not(operand: Function) -> Function:
    def value(known: Known) -> Value:
        truth = operand(known)
        return None if truth is None else not truth

    return value


def _extreme(choose: Callable[..., float]) -> Callable[[list[Function]], Function]:
    def build(arguments: list[Function]) -> Function:
        def value(known: Known) -> Value:
            numbers = [argument(known) for argument in arguments]
            return None if None in numbers else choose(numbers)

        return value

    return build


def _first(arguments: list[Function]) -> Function:
    def value(known: Known) -> Value:
        return next((found for argument in arguments if (found := argument(known)) is not None), None)

    return value


def _known(arguments: list[Function]) -> Function:
    (argument,) = arguments
    return lambda known: argument(known) is not None


def _instalment(arguments: list[Function]) -> Function:
    def value(known: Known) -> Value:
        given = [argument(known) for argument in arguments]
        return None if None in given else instalment(*given)

    return value


_CALLS = {
    "min": _extreme(min),
    "max": _extreme(max),
    "first": _first,
    "known": _known,
    "instalment": _instalment,
}


def instalment(amount: float, annual_rate: float, months: float, repayment_type: str) -> float | None:
    """The largest payment of a month, in whole units rounded up: what the applicant must be able to bear.

    annuity: equal payments. differentiated: the first, amount / months and a month's interest on all of it. bullet:
    a month's interest, for the principal comes at the end. None for less than a month or an unknown type.
    """
    factor = payment_factor(annual_rate, months, repayment_type)
    if factor is None:
        return None
    payment = amount * factor
    return float(math.ceil(payment - 1e-6)) if isfinite(payment) else None


@lru_cache(maxsize=65536)
def payment_factor(annual_rate: float, months: float, repayment_type: str) -> float | None:
    """The largest payment of a month on one unit of money."""
    if months < 1 or annual_rate < 0:
        return None
    monthly = annual_rate / 12
    if repayment_type == "bullet":
        return monthly
    if repayment_type == "differentiated":
        return 1 / months + monthly
    if repayment_type != "annuity":
        return None
    return monthly / (1 - (1 + monthly) ** -months) if monthly else 1 / months
