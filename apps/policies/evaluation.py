"""From the tree of an expression to a function of what is known.

A value is a number (float), a text, a flag, or None, which says that it is not known. A division by zero, and a result
that is not finite, is not known either; and, or and not follow Kleene's logic.

A tree is written out as one Python expression and compiled: two to three times as fast as a function for each of its
nodes. Nothing of the policy's own text is in it: operators and functions are those of trees.py, numbers are written by
repr, and texts and names are handed over beside it as values.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import count
from types import MappingProxyType

from apps.policies.trees import Any, Arithmetic, Call, Comparison, Constant, Every, Name, Negative, Node, Not, OneOf

Value = float | str | bool | None
Known = Mapping[str, Value]
Function = Callable[[Known], Value]


def function_of(node: Node, constants: Known = MappingProxyType({})) -> Function:
    """Asks `known` for each name by its key: what is not there is a KeyError, what is not known a None.

    `constants`: names whose value is known beforehand, such as the limits in force on a day.
    """
    writer = _Writer(constants)
    written = writer.write(node)
    names = {"__builtins__": {}, "min": min, "max": max, "instalment": instalment} | writer.given
    return eval(compile(f"lambda known: {written}", "<policy>", "eval"), names)  # noqa: S307 - see above


class _Writer:
    def __init__(self, constants: Known) -> None:
        self.constants = constants
        self.numbers = count()
        self.given: dict[str, str | tuple[str, ...]] = {}

    def _give(self, value: str | tuple[str, ...]) -> str:
        """The name under which the compiled expression finds a text of the policy."""
        name = f"t{len(self.given)}"
        self.given[name] = value
        return name

    def _held(self, node: Node) -> tuple[str, str]:
        """A name, and the expression that gives it the value of `node`."""
        name = f"v{next(self.numbers)}"
        return name, f"({name} := {self.write(node)})"

    def write(self, node: Node) -> str:
        match node:
            case Constant(value):
                return self._give(value) if isinstance(value, str) else repr(value)
            case Name(name):
                return repr(self.constants[name]) if name in self.constants else f"known[{self._give(name)}]"
            case Negative(operand):
                return self._known("-{}", operand)
            case Not(operand):
                return self._known("not {}", operand)
            case OneOf(operand, texts):
                return self._known(f"{{}} in {self._give(texts)}", operand)
            case Arithmetic("/", left, right):
                return self._quotient(left, right)
            case Arithmetic(operator, left, right):
                return self._finite(self._known(f"{{}} {operator} {{}}", left, right))
            case Comparison(operator, left, right):
                return self._known(f"{{}} {operator} {{}}", left, right)
            case Every(parts):
                return self._of_all(parts, decisive="False", otherwise="True")
            case Any(parts):
                return self._of_all(parts, decisive="True", otherwise="False")
            case Call("first", arguments):
                return self._first(arguments)
            case Call("known", (argument,)):
                return f"({self.write(argument)} is not None)"
            case Call("min" | "max", (argument,)):
                return self.write(argument)
            case Call(name, arguments):
                return self._known(f"{name}({', '.join(['{}'] * len(arguments))})", *arguments)

    def _known(self, form: str, *parts: Node) -> str:
        """`form` with the values of `parts`; None where one of them is."""
        held = [self._held(part) for part in parts]
        unknown = " or ".join(f"{value} is None" for _, value in held)
        return f"(None if {unknown} else {form.format(*(name for name, _ in held))})"

    def _finite(self, number: str) -> str:
        """Infinity less itself is no number, and no number equals none."""
        name = f"v{next(self.numbers)}"
        return f"({name} if ({name} := {number}) is None or {name} - {name} == 0 else None)"

    def _quotient(self, left: Node, right: Node) -> str:
        (over, top), (under, bottom) = self._held(left), self._held(right)
        return self._finite(f"(None if {top} is None or not {bottom} else {over} / {under})")

    def _of_all(self, parts: tuple[Node, ...], *, decisive: str, otherwise: str) -> str:
        """One that is `decisive` decides, whatever is not known of the others."""
        held = [self._held(part) for part in parts]
        decided = " or ".join(f"{value} is {decisive}" for _, value in held)
        unknown = " or ".join(f"{name} is None" for name, _ in held)
        return f"({decisive} if {decided} else None if {unknown} else {otherwise})"

    def _first(self, parts: tuple[Node, ...]) -> str:
        *earlier, last = parts
        held = [self._held(part) for part in earlier]
        chosen = "".join(f"{name} if {value} is not None else " for name, value in held)
        return f"({chosen}{self.write(last)})"


def instalment(amount: float, annual_rate: float, months: float, repayment_type: str) -> float | None:
    """The largest payment of a month, in whole units rounded up: what the applicant must be able to bear.

    annuity: equal payments. differentiated: the first, amount / months and a month's interest on all of it. bullet:
    a month's interest, for the principal comes at the end. None for less than a month or an unknown type.
    """
    factor = payment_factor(annual_rate, months, repayment_type)
    if factor is None:
        return None
    payment = amount * factor
    return float(math.ceil(payment - 1e-6)) if math.isfinite(payment) else None


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
    # monthly / (1 - (1 + monthly) ** -months), which would divide by zero where monthly is too small to add to 1.
    return monthly / -math.expm1(-months * math.log1p(monthly)) if monthly else 1 / months
