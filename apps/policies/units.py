"""Which units an expression may have: currency is added to currency, and never to currency per month.

A bare number fits more than one unit (8 * monthly_income may be an income or the sum of eight months), so an
expression has a *set* of units it may have, and it is wrong once the set is empty.
"""

import ast
from collections.abc import Callable, Mapping

MONEY = frozenset({"currency", "currency per month", "currency per year"})
UNITS = MONEY | {
    "ratio", "ratio per year", "months", "years", "days", "count", "score", "probability", "m2", "flag", "category",
    "date",
}  # fmt: skip
NUMBER, ZERO, TEXT, FLAG = "number", "zero", "text", "flag"
Units = frozenset[str]

# A bare number may stand beside these; money, rates and probabilities ask for a value with a name, a date and a source.
_BESIDE_NUMBER = frozenset({"ratio", "count", "score", "months", "years", "days", "m2"})
_QUANTITIES = UNITS - {"flag", "category", "date"}
_SCALES = frozenset({NUMBER, ZERO, "ratio", "count"})

_PRODUCTS = {
    ("months", "currency per month"): "currency",
    ("years", "currency per year"): "currency",
    ("years", "ratio per year"): "ratio",
    ("probability", "currency"): "currency",
}
# The only probability a policy may speak of is that of a year: times a loss it is a rate.
_RATES = ("probability", "ratio")
_QUOTIENTS = {
    ("currency", "currency per month"): "months",
    ("currency", "currency per year"): "years",
    ("currency", "months"): "currency per month",
    ("currency", "years"): "currency per year",
}
_BY_TWELVE = {"currency per month": "currency per year", "years": "months"}
_TWELFTHS = {yearly: monthly for monthly, yearly in _BY_TWELVE.items()}


class UnitError(ValueError):
    """What does not fit, as a sentence that quotes the part of the expression."""


def units_of(node: ast.expr, names: Mapping[str, str]) -> Units:
    """The units that an expression may have, given those of names. Raises UnitError; an unknown name is a KeyError."""
    match node:
        case ast.Constant(value=bool()):
            return frozenset({FLAG})
        case ast.Constant(value=str()):
            return frozenset({TEXT})
        case ast.Constant(value=value):
            return frozenset({NUMBER if value else ZERO})
        case ast.Name(id="true" | "false"):
            return frozenset({FLAG})
        case ast.Name(id=name):
            return frozenset({names[name]})
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _flags([operand], names)
        case ast.UnaryOp(operand=operand):
            return _quantity(operand, names)
        case ast.BoolOp(values=values):
            return _flags(values, names)
        case ast.BinOp():
            return _calculated(node, names)
        case ast.Compare():
            return _compared(node, names)
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _called(node, function, arguments, names)
    raise UnitError(f"`{ast.unparse(node)}` is nothing that has a unit")


def fits(units: Units, unit: str) -> bool:
    """Whether an expression of these units may stand where `unit` is asked for."""
    if unit in units or ZERO in units:
        return True
    return NUMBER in units and unit in _BESIDE_NUMBER


def _flags(nodes: list[ast.expr], names: Mapping[str, str]) -> Units:
    for node in nodes:
        if FLAG not in units_of(node, names):
            raise UnitError(f"`{ast.unparse(node)}` is not true or false")
    return frozenset({FLAG})


def _quantity(node: ast.expr, names: Mapping[str, str]) -> Units:
    units = units_of(node, names)
    if not units & (_QUANTITIES | {NUMBER, ZERO}):
        raise UnitError(f"`{ast.unparse(node)}` is no number")
    return units


def _calculated(node: ast.BinOp, names: Mapping[str, str]) -> Units:
    left, right = _quantity(node.left, names), _quantity(node.right, names)
    match node.op:
        case ast.Add() | ast.Sub():
            units = _common(left, right, _BESIDE_NUMBER | {"probability"})
        case ast.Mult():
            units = _each(left, right, lambda a, b: _times(a, b, _is_twelve(node.left) or _is_twelve(node.right)))
        case _:
            units = _each(left, right, lambda a, b: _over(a, b, _is_twelve(node.right)))
    if not units:
        raise UnitError(f"`{ast.unparse(node)}` joins {_told(left)} and {_told(right)}")
    return units


def _each(left: Units, right: Units, join: Callable[[str, str], Units]) -> Units:
    return frozenset().union(*(join(a, b) for a in left for b in right))


def _is_twelve(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 12


def _times(a: str, b: str, by_twelve: bool) -> Units:
    if {a, b} == set(_RATES):
        return frozenset({"probability", "ratio per year"})
    for one, other in ((a, b), (b, a)):
        if (one, other) in _PRODUCTS:
            return frozenset({_PRODUCTS[one, other]})
        if one == NUMBER and by_twelve and other in _BY_TWELVE:
            return frozenset({_BY_TWELVE[other]})
        if one == NUMBER and other == "currency per month":
            return frozenset({"currency per month", "currency"})
        if one in _SCALES and other not in (TEXT, FLAG):
            return frozenset({other})
    return frozenset()


def _over(a: str, b: str, by_twelve: bool) -> Units:
    if by_twelve and b == NUMBER and a in _TWELFTHS:
        return frozenset({_TWELFTHS[a]})
    if (a, b) in _QUOTIENTS:
        return frozenset({_QUOTIENTS[a, b]})
    if b in _SCALES:
        return frozenset({a} if a != b or b == NUMBER else {"ratio"})
    return frozenset({"ratio"}) if a == b else frozenset()


def _common(left: Units, right: Units, beside_number: frozenset[str]) -> Units:
    """The units in which two things can be added or compared."""
    common = set(left & right)
    for units, others in ((left, right), (right, left)):
        if ZERO in units:
            common |= others
        if NUMBER in units:
            common |= others & (beside_number | {ZERO})
    return frozenset(common)


def _compared(node: ast.Compare, names: Mapping[str, str]) -> Units:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        if isinstance(operator, ast.In | ast.NotIn):
            options = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
            for option in options:
                _compare(left, ast.Eq(), option, names)
        else:
            _compare(left, operator, right, names)
    return frozenset({FLAG})


def _compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, names: Mapping[str, str]) -> None:
    units, others = units_of(left, names), units_of(right, names)
    shown = f"`{ast.unparse(left)}` with `{ast.unparse(right)}`"
    if units | others <= {"category", TEXT}:
        if not isinstance(operator, ast.Eq | ast.NotEq):
            raise UnitError(f"compares {shown} by size, and a category has none")
        return
    if _common(units, others, _BESIDE_NUMBER):
        return
    measured = (units | others) & _QUANTITIES
    if NUMBER in units | others and measured:
        raise UnitError(f"compares {shown}: {_told(measured)} must be a value with a name, not a bare number")
    raise UnitError(f"compares {shown}: {_told(units)} with {_told(others)}")


def _called(node: ast.Call, function: str, arguments: list[ast.expr], names: Mapping[str, str]) -> Units:
    if function == "known":
        units_of(arguments[0], names)
        return frozenset({FLAG})
    if function == "instalment":
        return _instalment(node, arguments, names)
    every = [units_of(argument, names) for argument in arguments]
    units = every[0]
    for others in every[1:]:
        units = _common(units, others, _BESIDE_NUMBER | {"probability", "ratio per year"})
    if not units:
        raise UnitError(f"`{ast.unparse(node)}` chooses between {', '.join(_told(each) for each in every)}")
    return units


_OF_INSTALMENT = (("amount", "currency"), ("rate", "ratio per year"), ("term", "months"), ("repayment", "category"))


def _instalment(node: ast.Call, arguments: list[ast.expr], names: Mapping[str, str]) -> Units:
    for argument, (role, unit) in zip(arguments, _OF_INSTALMENT, strict=False):
        units = units_of(argument, names)
        if not fits(units, unit) and not (unit == "category" and TEXT in units):
            raise UnitError(f"the {role} in `{ast.unparse(node)}` is {_told(units)}, not {unit}")
    return frozenset({"currency per month"})


def _told(units: Units) -> str:
    return " or ".join(sorted({"a number" if unit in (NUMBER, ZERO) else unit for unit in units}))
