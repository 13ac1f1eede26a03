"""The tree of an expression: what may stand in it, and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class OneOf:
    operand: "Node"
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All of them are true."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One of them at least is true."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Node", ...]


Node = Constant | Name | Negative | Arithmetic | Comparison | OneOf | Every | Any | Not | Call


def parts_of(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(operand) | Not(operand) | OneOf(operand, _):
            return (operand,)
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Every(parts) | Any(parts) | Call(_, parts):
            return parts
    return ()
