"""Where a condition is true, as far as its simple comparisons tell: a list of boxes, each a range or a choice by name.

What is not a comparison of one name with a constant (two facts, arithmetic) narrows nothing and leaves a box inexact.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from apps.policies.evaluation import Value
from apps.policies.trees import Any as AnyOf
from apps.policies.trees import Comparison, Constant, Every, Name, Negative, Node, Not, OneOf

# Past this many alternatives of `or` the reasoning stops, and nothing is claimed of the condition.
MOST_BOXES = 64


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


def boxes_of(condition: Node, domains: Mapping[str, Domain], constants: Mapping[str, Value]) -> list[Box]:
    """Outside of these boxes the condition is never true; an empty list means that it is never true at all."""
    return _Reader(domains, constants).boxes(condition, True)


def is_covered(boxes: Iterable[Box], by: list[Box]) -> bool:
    return all(any(box.is_within(other) for other in by) for box in boxes)


_ANYWHERE = [Box({}, exact=False)]
_OPPOSITES = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


class _Reader:
    def __init__(self, domains: Mapping[str, Domain], constants: Mapping[str, Value]) -> None:
        self.domains = domains
        self.constants = constants

    def boxes(self, node: Node, wanted: bool) -> list[Box]:
        """Where the node is true (`wanted`), or where it is false."""
        match node:
            case Not(operand):
                return self.boxes(operand, not wanted)
            case Every(parts) | AnyOf(parts):
                read = [self.boxes(part, wanted) for part in parts]
                return _all_of(read) if isinstance(node, Every) == wanted else _any_of(read)
            case Comparison(operator, left, right):
                return self._compared(left, operator if wanted else _OPPOSITES[operator], right)
            case OneOf(Name(name), texts):
                return self._choice(name, frozenset(texts), wanted)
            case Name(name):
                return self._choice(name, frozenset({True}), wanted)
            case Constant(bool(value)):
                return [Box({})] if value == wanted else []
        return _ANYWHERE

    def _compared(self, left: Node, operator: str, right: Node) -> list[Box]:
        if self._constant(right) is None:
            left, operator, right = right, _MIRRORED[operator], left
        constant = self._constant(right)
        if constant is None or not (isinstance(left, Name) and left.name in self.domains):
            return _ANYWHERE
        if isinstance(constant, bool | str):
            return self._choice(left.name, frozenset({constant}), operator == "==")
        return self._ranged(left.name, operator, constant)

    def _choice(self, name: str, chosen: Choice, wanted: bool) -> list[Box]:
        domain = self.domains.get(name)
        if domain is None or not isinstance(domain.limits, frozenset):
            return _ANYWHERE
        values = domain.limits & chosen if wanted else domain.limits - chosen
        return [Box({name: values})] if values else []

    def _ranged(self, name: str, operator: str, bound: float) -> list[Box]:
        if operator == "!=":
            return self._ranged(name, "<", bound) + self._ranged(name, ">", bound)
        limit = Range(
            low=bound if operator in (">", ">=", "==") else -math.inf,
            high=bound if operator in ("<", "<=", "==") else math.inf,
            low_open=operator == ">",
            high_open=operator == "<",
        )
        domain = self.domains[name]
        narrowed = domain.limits.narrowed(limit)
        narrowed = narrowed.rounded() if domain.whole else narrowed
        return [] if narrowed.is_empty() else [Box({name: narrowed})]

    def _constant(self, node: Node) -> Value:
        match node:
            case Constant(value):
                return value
            case Name(name):
                return self.constants.get(name)
            case Negative(operand):
                value = self._constant(operand)
                return None if value is None else -value
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
