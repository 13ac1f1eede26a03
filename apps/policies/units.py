"""Which units an expression may have: currency is added to currency, and never to currency per month.

A bare number fits more than one unit (8 * monthly_income may be an income or the sum of eight months), so an
expression has a *set* of units it may have, and it is wrong once the set is empty.
"""

from collections.abc import Callable, Mapping
from itertools import product

from apps.common.sentences import Sentence
from apps.policies.expressions import FLAG
from apps.policies.policy import UNITS
from apps.policies.trees import Any as AnyOf
from apps.policies.trees import Arithmetic, Call, Comparison, Constant, Every, Name, Negative, Node, Not, OneOf

NUMBER, ZERO, CATEGORY = "a number", "0", "category"
Units = frozenset[str]

# A bare number may stand beside these; money, rates and probabilities ask for a value with a name, a date and a source.
_BESIDE_NUMBER = frozenset({"ratio", "count", "score", "months", "years", "days", "m2"})
_IN_SUMS = _BESIDE_NUMBER | {"probability"}
_QUANTITIES = frozenset(UNITS) - {FLAG, CATEGORY}
_SCALES = frozenset({NUMBER, ZERO, "ratio", "count"})

_PRODUCTS = {
    frozenset({"months", "currency per month"}): {"currency"},
    frozenset({"years", "currency per year"}): {"currency"},
    frozenset({"years", "ratio per year"}): {"ratio"},
    frozenset({"probability", "currency"}): {"currency"},
    # The only probability that a policy speaks of is that of a year: times a loss it is a rate.
    frozenset({"probability", "ratio"}): {"probability", "ratio per year"},
    frozenset({NUMBER, "currency per month"}): {"currency per month", "currency"},
}
_QUOTIENTS = {
    ("currency", "currency per month"): "months",
    ("currency", "currency per year"): "years",
    ("currency", "months"): "currency per month",
    ("currency", "years"): "currency per year",
}
_TWELVE = Constant(12.0)
_YEARLY = {"currency per month": "currency per year", "years": "months"}
_MONTHLY = {yearly: monthly for monthly, yearly in _YEARLY.items()}
_OF_INSTALMENT = (("amount", "currency"), ("rate", "ratio per year"), ("term", "months"), ("repayment", CATEGORY))


class UnitError(ValueError):
    """What does not fit, as a clause that quotes the part of the expression."""


def units_of(node: Node, names: Mapping[str, str]) -> Units:
    """The units that an expression of known names and right kinds may have. Raises UnitError."""
    match node:
        case Constant(value):
            return frozenset({_of_constant(value)})
        case Name(name):
            return frozenset({names[name]})
        case Negative(operand):
            return units_of(operand, names)
        case Arithmetic():
            return _calculated(node, names)
        case Comparison(_, left, right):
            return _compared(left, right, names)
        case OneOf() | Not() | Every() | AnyOf():
            return _flag(node, names)
        case Call(function, arguments):
            return _called(function, arguments, names)


def fits(units: Units, unit: str) -> bool:
    """Whether an expression of these units may stand where `unit` is asked for."""
    return unit in units or ZERO in units or (NUMBER in units and unit in _BESIDE_NUMBER)


def told(units: Units) -> str:
    return " or ".join(sorted(units))


def _of_constant(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, str):
        return CATEGORY
    return NUMBER if value else ZERO


def _flag(node: OneOf | Not | Every | AnyOf, names: Mapping[str, str]) -> Units:
    for part in node.parts if isinstance(node, Every | AnyOf) else (node.operand,):
        units_of(part, names)
    return frozenset({FLAG})


def _calculated(node: Arithmetic, names: Mapping[str, str]) -> Units:
    left, right = units_of(node.left, names), units_of(node.right, names)
    match node.operator:
        case "+" | "-":
            units = _common(left, right, _IN_SUMS)
        case "*":
            twelve = _TWELVE in (node.left, node.right)
            units = _each(left, right, lambda a, b: _times(a, b, twelve))
        case _:
            units = _each(left, right, lambda a, b: _over(a, b, node.right == _TWELVE))
    if not units:
        raise UnitError(
            Sentence("`{formula}` joins {unit} with {other}", formula=text_of(node), unit=told(left), other=told(right))
        )
    return units


def _each(left: Units, right: Units, join: Callable[[str, str], set[str]]) -> Units:
    return frozenset().union(*(join(a, b) for a, b in product(left, right)))


def _times(a: str, b: str, by_twelve: bool) -> set[str]:
    other = b if a in (NUMBER, ZERO) else a
    if by_twelve and NUMBER in (a, b) and other in _YEARLY:
        return {_YEARLY[other]}
    if joined := _PRODUCTS.get(frozenset({a, b})):
        return joined
    if a in _SCALES or b in _SCALES:
        return {b if a in (NUMBER, ZERO) or (a in _SCALES and b not in _SCALES) else a}
    return set()


def _over(a: str, b: str, by_twelve: bool) -> set[str]:
    if by_twelve and a in _MONTHLY:
        return {_MONTHLY[a]}
    if (a, b) in _QUOTIENTS:
        return {_QUOTIENTS[a, b]}
    if a == b and b != NUMBER:
        return {"ratio"}
    return {a} if b in _SCALES else set()


def _common(left: Units, right: Units, beside_number: frozenset[str]) -> Units:
    """The units in which two things can be added or compared."""
    common = set(left & right)
    for units, others in ((left, right), (right, left)):
        if ZERO in units:
            common |= others
        if NUMBER in units:
            common |= others & (beside_number | {ZERO})
    return frozenset(common)


def _compared(left: Node, right: Node, names: Mapping[str, str]) -> Units:
    units, others = units_of(left, names), units_of(right, names)
    if _common(units, others, _BESIDE_NUMBER):
        return frozenset({FLAG})
    shown = Sentence("`{left}` is compared with `{right}`", left=text_of(left), right=text_of(right))
    measured = (units | others) & _QUANTITIES
    if NUMBER in units | others and measured:
        raise UnitError(
            Sentence(
                "{shown}: {unit} needs a value with a name, a day and a source, not a bare number",
                shown=shown,
                unit=told(measured),
            )
        )
    raise UnitError(Sentence("{shown}: {unit} with {other}", shown=shown, unit=told(units), other=told(others)))


def _called(function: str, arguments: tuple[Node, ...], names: Mapping[str, str]) -> Units:
    every = [units_of(argument, names) for argument in arguments]
    if function == "known":
        return frozenset({FLAG})
    if function == "instalment":
        return _instalment(arguments, every)
    units = every[0]
    for others in every[1:]:
        units = _common(units, others, _IN_SUMS)
    if not units:
        raise UnitError(
            Sentence("{function} is given {units}", function=function, units=[told(each) for each in every])
        )
    return units


def _instalment(arguments: tuple[Node, ...], every: list[Units]) -> Units:
    for argument, units, (role, unit) in zip(arguments, every, _OF_INSTALMENT, strict=True):
        if not fits(units, unit):
            raise UnitError(
                Sentence(
                    "the {role} of instalment, `{formula}`, is {unit} and not {asked}",
                    role=role,
                    formula=text_of(argument),
                    unit=told(units),
                    asked=unit,
                )
            )
    return frozenset({"currency per month"})


def text_of(node: Node) -> str:
    """A tree as it would be written."""
    match node:
        case Constant(bool(value)):
            return "true" if value else "false"
        case Constant(float(value)):
            return f"{value:.15g}"
        case Constant(value):
            return repr(value)
        case Name(name):
            return name
        case Negative(operand):
            return f"-{_held(operand)}"
        case Not(operand):
            return f"not {_held(operand)}"
        case Arithmetic(operator, left, right) | Comparison(operator, left, right):
            return f"{_held(left)} {operator} {_held(right)}"
        case OneOf(operand, texts):
            return f"{_held(operand)} in {texts}"
        case Every(parts):
            return " and ".join(_held(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_held(part) for part in parts)
        case Call(function, arguments):
            return f"{function}({', '.join(text_of(argument) for argument in arguments)})"


def _held(node: Node) -> str:
    return text_of(node) if isinstance(node, Constant | Name | Call) else f"({text_of(node)})"
