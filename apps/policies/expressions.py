"""Expressions of a policy: a text becomes a checked tree, and the tree a function of what is known.

Nothing of the text is ever run by Python: `ast` only parses it, and what is not on the list below is refused.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from apps.common.sentences import Sentence
from apps.policies.evaluation import Function, function_of
from apps.policies.trees import (
    Any,
    Arithmetic,
    Call,
    Comparison,
    Constant,
    Every,
    Name,
    Negative,
    Node,
    Not,
    OneOf,
    parts_of,
)

MOST_CHARACTERS, MOST_DEPTH = 500, 20
FUNCTIONS = {"min": (1, 8), "max": (1, 8), "first": (1, 8), "known": (1, 1), "instalment": (4, 4)}
ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
ALLOWED = Sentence(
    "names, numbers, 'texts', true, false, + - * /, < <= > >= == !=, and, or, not, in, and the functions min, max,"
    " first, known, instalment"
)


class ExpressionError(ValueError):
    """What is wrong with an expression, in one clause."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`names`: all that it speaks of, in order of appearance. `value` gives None for what cannot be known."""

    text: str
    tree: Node
    names: tuple[str, ...]
    value: Function


def parse(text: str) -> Expression:
    """Raises ExpressionError, in one clause that says what is wrong and what is allowed."""
    tree = _tree(text)
    return Expression(text, tree, tuple(dict.fromkeys(_names(tree))), function_of(tree))


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.name
    for part in parts_of(node):
        yield from _names(part)


# --- From text to tree ----------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _tree(text: str) -> Node:
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise ExpressionError(
            Sentence("it has {given} characters; 1 to {most} are allowed", given=len(text), most=MOST_CHARACTERS)
        )
    if not text.isascii():
        raise ExpressionError(
            Sentence("it holds letters other than those of plain ASCII; names and operators have none")
        )
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(Sentence("it cannot be read; allowed are {allowed}", allowed=ALLOWED)) from None
    return _checked(parsed, 1)


def _checked(node: ast.expr, depth: int) -> Node:
    if depth > MOST_DEPTH:
        raise ExpressionError(
            Sentence("it is nested more than {most} deep; write it as several features", most=MOST_DEPTH)
        )
    reader = _READERS.get(type(node))
    if reader is None:
        raise ExpressionError(
            Sentence("{shown} is not allowed; allowed are {allowed}", shown=_shown(node), allowed=ALLOWED)
        )
    return reader(node, depth + 1)


def _constant(node: ast.Constant, depth: int) -> Node:
    value = node.value
    if type(value) in (int, float) and abs(value) <= 1e15:
        return Constant(float(value))
    if type(value) is str and 0 < len(value) <= 60 and value.isprintable() and not node.kind:
        return Constant(value)
    raise ExpressionError(
        Sentence("{shown} is not a value; a number is at most 1e15, a text has 1 to 60 characters", shown=_shown(node))
    )


def _name(node: ast.Name, depth: int) -> Node:
    return Constant(node.id == "true") if node.id in ("true", "false") else Name(node.id)


def _unary(node: ast.UnaryOp, depth: int) -> Node:
    if isinstance(node.op, ast.Not):
        return Not(_checked(node.operand, depth))
    if isinstance(node.op, ast.USub):
        return Negative(_checked(node.operand, depth))
    raise ExpressionError(
        Sentence("{shown} is not allowed; allowed are {allowed}", shown=_shown(node), allowed=ALLOWED)
    )


def _binary(node: ast.BinOp, depth: int) -> Node:
    operator = ARITHMETIC.get(type(node.op))
    if operator is None:
        raise ExpressionError(Sentence("{shown} is not allowed; of arithmetic there is + - * /", shown=_shown(node)))
    return Arithmetic(operator, _checked(node.left, depth), _checked(node.right, depth))


def _boolean(node: ast.BoolOp, depth: int) -> Node:
    parts = tuple(_checked(part, depth) for part in node.values)
    return Every(parts) if isinstance(node.op, ast.And) else Any(parts)


def _comparison(node: ast.Compare, depth: int) -> Node:
    """a < b < c is a < b and b < c."""
    sides = [node.left, *node.comparators]
    pairs = [_pair(*each, depth) for each in zip(node.ops, sides[:-1], sides[1:], strict=True)]
    return pairs[0] if len(pairs) == 1 else Every(tuple(pairs))


def _pair(operator: ast.cmpop, left: ast.expr, right: ast.expr, depth: int) -> Node:
    if isinstance(operator, ast.In):
        return OneOf(_checked(left, depth), _texts(right))
    if type(operator) not in COMPARISONS:
        raise ExpressionError(Sentence("of comparisons there is < <= > >= == != and in"))
    return Comparison(COMPARISONS[type(operator)], _checked(left, depth), _checked(right, depth))


def _texts(node: ast.expr) -> tuple[str, ...]:
    listed = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    texts = tuple(each.value for each in listed if isinstance(each, ast.Constant) and type(each.value) is str)
    if not texts or len(texts) != len(listed) or len(texts) > 50:
        raise ExpressionError(Sentence("behind in stand 1 to 50 texts, such as ('A', 'B')"))
    return texts


def _call(node: ast.Call, depth: int) -> Node:
    name = node.func.id if isinstance(node.func, ast.Name) else None
    if name not in FUNCTIONS or node.keywords:
        raise ExpressionError(
            Sentence(
                "{shown} is not allowed; of functions there is {allowed}", shown=_shown(node), allowed=list(FUNCTIONS)
            )
        )
    least, most = FUNCTIONS[name]
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else Sentence("{least} to {most}", least=least, most=most)
        raise ExpressionError(
            Sentence("{name} takes {wanted} values, not {given}", name=name, wanted=wanted, given=len(node.args))
        )
    return Call(name, tuple(_checked(argument, depth) for argument in node.args))


_READERS: dict[type[ast.expr], Callable[..., Node]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.Call: _call,
}


def _shown(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return Sentence("{type} constant", type=type(node.value).__name__)
    return type(node).__name__


# --- What kind of value a tree gives --------------------------------------------------------------------------

NUMBER, TEXT, FLAG = "number", "text", "flag"


def kind_of(node: Node, kinds: Mapping[str, str]) -> str:
    """number, text or flag, by the kinds of the names. Raises ExpressionError where kinds are mixed or unknown."""
    match node:
        case Constant(value):
            return FLAG if isinstance(value, bool) else TEXT if isinstance(value, str) else NUMBER
        case Name(name):
            if name not in kinds:
                raise ExpressionError(
                    Sentence("{name} is not a name that a policy of this segment may use here", name=name)
                )
            return kinds[name]
        case Negative(_) | Arithmetic():
            return _all(node, NUMBER, kinds, gives=NUMBER)
        case Every(_) | Any(_) | Not(_):
            return _all(node, FLAG, kinds, gives=FLAG)
        case OneOf(_, _):
            return _all(node, TEXT, kinds, gives=FLAG)
        case Comparison(operator, left, right):
            return _compared(operator, kind_of(left, kinds), kind_of(right, kinds))
        case Call(name, arguments):
            return _called(name, [kind_of(argument, kinds) for argument in arguments])


def _all(node: Node, wanted: str, kinds: Mapping[str, str], *, gives: str) -> str:
    for part in parts_of(node):
        if (found := kind_of(part, kinds)) != wanted:
            raise ExpressionError(Sentence("a {found} stands where a {wanted} is needed", found=found, wanted=wanted))
    return gives


def _compared(operator: str, left: str, right: str) -> str:
    if left != right:
        raise ExpressionError(Sentence("a {left} is compared with a {right}", left=left, right=right))
    if left != NUMBER and operator not in ("==", "!="):
        raise ExpressionError(Sentence("a {left} has no order; compare it with == or in", left=left))
    return FLAG


def _called(name: str, given: list[str]) -> str:
    if name == "known":
        return FLAG
    wanted = [NUMBER, NUMBER, NUMBER, TEXT] if name == "instalment" else [given[0]] * len(given)
    if given != wanted or (name in ("min", "max") and given[0] != NUMBER):
        raise ExpressionError(Sentence("{name} does not take values of the kinds {kinds}", name=name, kinds=given))
    return NUMBER if name == "instalment" else given[0]
