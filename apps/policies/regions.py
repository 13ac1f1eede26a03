"""Where a condition is true, as far as its simple comparisons tell: a list of boxes, each a range or a choice by name.

What is not a comparison of one name with a constant (two facts, arithmetic) narrows nothing and leaves a box inexact.
"""

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

# Past this many alternatives of `or` the reasoning stops, and nothing is claimed of the condition.
MOST_BOXES = 64
Constant = float | int | bool | str


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two bounds; `whole`: only whole numbers are meant, and the bounds are then inclusive."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def narrowed(self, other: "Range") -> "Range":
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not high_closed)

    def rounded(self) -> "Range":
        """The same whole numbers with inclusive bounds."""
        low = self.low + 1 if self.low_open and self.low == math.floor(self.low) else _ceil(self.low)
        high = self.high - 1 if self.high_open and self.high == math.floor(self.high) else _floor(self.high)
        return Range(low, high)

    def is_within(self, other: "Range") -> bool:
        return self.narrowed(other) == self


Choice = frozenset[bool | str]


@dataclass(frozen=True, slots=True)
class Domain:
    """What a name can be: numbers (whole ones only), or one of a few values."""

    limits: Range | Choice
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """`exact`: the condition is true everywhere in the box, not only somewhere."""

    limits: Mapping[str, Range | Choice]
    exact: bool = True

    def is_within(self, other: "Box") -> bool:
        return other.exact and all(
            name in self.limits and _is_within(self.limits[name], limit) for name, limit in other.limits.items()
        )


def boxes_of(condition: ast.expr, domains: Mapping[str, Domain], constants: Mapping[str, Constant]) -> list[Box]:
    """Outside of these boxes the condition is never true; an empty list means that it is never true at all."""
    return _Reader(domains, constants).boxes(condition, True)


def is_covered(boxes: Iterable[Box], by: list[Box]) -> bool:
    return all(any(box.is_within(other) for other in by) for box in boxes)


_ANYWHERE = [Box({}, exact=False)]
_OPPOSITES = {ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
_MIRRORED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}


class _Reader:
    def __init__(self, domains: Mapping[str, Domain], constants: Mapping[str, Constant]) -> None:
        self.domains = domains
        self.constants = constants

    def boxes(self, node: ast.expr, wanted: bool) -> list[Box]:
        """Where the node is true (`wanted`), or where it is false."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.boxes(operand, not wanted)
            case ast.BoolOp(op=operator, values=values):
                parts = [self.boxes(value, wanted) for value in values]
                return _all_of(parts) if isinstance(operator, ast.And) == wanted else _any_of(parts)
            case ast.Compare():
                return self._compared(node, wanted)
            case ast.Name(id=name) if name in self.domains:
                return self._choice(name, frozenset({wanted}))
            case ast.Name(id="true" | "false") | ast.Constant(value=bool()):
                is_true = node.id == "true" if isinstance(node, ast.Name) else node.value
                return [Box({})] if is_true == wanted else []
        return _ANYWHERE

    def _compared(self, node: ast.Compare, wanted: bool) -> list[Box]:
        operands = [node.left, *node.comparators]
        links = zip(operands, node.ops, operands[1:], strict=False)
        parts = [self._link(left, type(operator), right, wanted) for left, operator, right in links]
        return _all_of(parts) if wanted else _any_of(parts)

    def _link(self, left: ast.expr, operator: type[ast.cmpop], right: ast.expr, wanted: bool) -> list[Box]:
        if operator in (ast.In, ast.NotIn):
            return self._one_of(left, right, wanted == (operator is ast.In))
        operator = operator if wanted else _OPPOSITES[operator]
        if isinstance(right, ast.Name) and right.id in self.domains:
            left, right, operator = right, left, _MIRRORED[operator]
        constant = self._constant(right)
        if not (isinstance(left, ast.Name) and left.id in self.domains) or constant is None:
            return _ANYWHERE
        if isinstance(self.domains[left.id].limits, frozenset):
            return self._chosen(left.id, constant, operator)
        return self._ranged(left.id, constant, operator)

    def _one_of(self, left: ast.expr, right: ast.expr, wanted: bool) -> list[Box]:
        options = [self._constant(option) for option in getattr(right, "elts", [right])]
        if not (isinstance(left, ast.Name) and left.id in self.domains) or None in options:
            return _ANYWHERE
        if not isinstance(self.domains[left.id].limits, frozenset):
            return _ANYWHERE
        chosen = frozenset(options)
        return self._choice(left.id, chosen if wanted else self.domains[left.id].limits - chosen)

    def _chosen(self, name: str, value: Constant, operator: type[ast.cmpop]) -> list[Box]:
        if operator is ast.Eq:
            return self._choice(name, frozenset({value}))
        return self._choice(name, self.domains[name].limits - {value}) if operator is ast.NotEq else _ANYWHERE

    def _choice(self, name: str, values: Choice) -> list[Box]:
        limits = self.domains[name].limits
        if not isinstance(limits, frozenset):
            return _ANYWHERE
        return [Box({name: limits & values})] if limits & values else []

    def _ranged(self, name: str, bound: Constant, operator: type[ast.cmpop]) -> list[Box]:
        if isinstance(bound, str):
            return _ANYWHERE
        if operator is ast.NotEq:
            return self._ranged(name, bound, ast.Lt) + self._ranged(name, bound, ast.Gt)
        limit = {
            ast.Lt: Range(high=bound, high_open=True),
            ast.LtE: Range(high=bound),
            ast.Gt: Range(low=bound, low_open=True),
            ast.GtE: Range(low=bound),
            ast.Eq: Range(bound, bound),
        }[operator]
        domain = self.domains[name]
        narrowed = domain.limits.narrowed(limit)
        narrowed = narrowed.rounded() if domain.whole else narrowed
        return [] if narrowed.is_empty() else [Box({name: narrowed})]

    def _constant(self, node: ast.expr) -> Constant | None:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return {"true": True, "false": False}.get(name, self.constants.get(name))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self._constant(operand)
                return None if value is None or isinstance(value, str) else -value
        return None


def _any_of(parts: list[list[Box]]) -> list[Box]:
    boxes = [box for part in parts for box in part]
    return boxes if len(boxes) <= MOST_BOXES else _ANYWHERE


def _all_of(parts: list[list[Box]]) -> list[Box]:
    if math.prod(len(part) for part in parts) > MOST_BOXES:
        return _ANYWHERE
    joined = (_joined(combination) for combination in product(*parts))
    return [box for box in joined if box is not None]


def _joined(boxes: Iterable[Box]) -> Box | None:
    limits: dict[str, Range | Choice] = {}
    exact = True
    for box in boxes:
        exact = exact and box.exact
        for name, limit in box.limits.items():
            limits[name] = _narrowed(limits[name], limit) if name in limits else limit
    return Box(limits, exact) if all(_is_possible(limit) for limit in limits.values()) else None


def _narrowed(one: Range | Choice, other: Range | Choice) -> Range | Choice:
    return one & other if isinstance(one, frozenset) else one.narrowed(other)


def _is_possible(limit: Range | Choice) -> bool:
    return bool(limit) if isinstance(limit, frozenset) else not limit.is_empty()


def _is_within(one: Range | Choice, other: Range | Choice) -> bool:
    return one <= other if isinstance(one, frozenset) else one.is_within(other)


def _ceil(number: float) -> float:
    return number if math.isinf(number) else math.ceil(number)


def _floor(number: float) -> float:
    return number if math.isinf(number) else math.floor(number)
