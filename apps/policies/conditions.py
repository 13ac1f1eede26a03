"""What a rule asks, in words of uz (Latin), ru or en: "payments on all debts to income > 50 %"."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from apps.policies.expressions import Expression
from apps.policies.policy import Band, Cap, Policy
from apps.policies.texts import PolicyWords
from apps.policies.trees import (
    Any as AnyOf,
)
from apps.policies.trees import (
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
)

SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠", "+": "+", "-": "−", "*": "×", "/": "÷"}
CONTRADICTION = "_contradiction"  # flags that tell of a comparison
AMOUNT, TERM = 0, 2  # of the arguments of instalment


class Conditions:
    """Of one policy on one day. values: what a step saw, which chooses among numbers that depend on a category."""

    def __init__(self, policy: Policy, language: str, on_date: date, currency: str | None = None) -> None:
        self.policy, self.on_date = policy, on_date
        self.words = PolicyWords(policy, language, currency)
        self.texts: dict[str, str] = self.words.texts["conditions"]

    def of_rule(self, expression: Expression, values: Mapping[str, Any]) -> str:
        return self._node(expression.tree, values)

    def of_band(self, name: str, band: Band) -> str:
        least, most = (None if value is None else self.words.value(name, value) for value in (band.start, band.below))
        kind = "below" if least is None else "from" if most is None else "between"
        if least is None and most is None:
            return self.words.name(name)
        return f"{self.words.name(name)}: {self.texts[kind].format(least=least, most=most)}"

    def of_cap(self, cap: Cap, values: Mapping[str, Any]) -> str:
        limits = [limit for limit in (cap.most_amount, cap.most_term_months) if limit is not None]
        most = f" {self.texts['and']} ".join(self.of_rule(limit, values) for limit in limits)
        return self.texts["cap"].format(grades=", ".join(cap.grades), most=most)

    def limit(self, name: str, values: Mapping[str, Any]) -> str:
        """A dated value, as a step saw it or as it is on the day."""
        found = values.get(name, self.policy.values[name].on(self.on_date))
        if found is None:
            return "–"
        if isinstance(found, Mapping):
            return " / ".join(self.words.value(name, each) for each in dict.fromkeys(found.values()))
        return self.words.value(name, found)

    def _node(self, node: Node, values: Mapping[str, Any]) -> str:
        match node:
            case Constant(value):
                return self._constant(value)
            case Name(name):
                return self._name(name, values)
            case Negative(operand):
                return f"−{self._node(operand, values)}"
            case Arithmetic(operator, left, right):
                return f"{self._inner(left, values)} {SIGNS[operator]} {self._inner(right, values)}"
            case Comparison(operator, left, right):
                return f"{self._side(left, right, values)} {SIGNS[operator]} {self._side(right, left, values)}"
        return self._composed(node, values)

    def _composed(self, node: Node, values: Mapping[str, Any]) -> str:
        match node:
            case Every(parts):
                return f" {self.texts['and']} ".join(self._inner(part, values) for part in parts)
            case AnyOf(parts):
                return f" {self.texts['or']} ".join(self._inner(part, values) for part in parts)
            case Not(Name(name)):
                return f"{self.words.name(name)}: {self.texts['no']}"
            case Not(operand):
                return self.texts["not"].format(what=self._node(operand, values))
            case OneOf(operand, texts):
                shown = ", ".join(self._text_of(operand, text) for text in texts)
                return self.texts["one_of"].format(name=self._side(operand, operand, values), values=shown)
        return self._call(node, values)

    def _call(self, node: Node, values: Mapping[str, Any]) -> str:
        assert isinstance(node, Call)
        told = [self._node(each, values) for each in node.arguments]
        if node.function == "instalment":
            return self.texts["instalment"].format(amount=told[AMOUNT], term=told[TERM])
        if node.function == "known":
            told = [self._side(each, each, values) for each in node.arguments]
        return self.texts[node.function].format(what=", ".join(told))

    def _inner(self, node: Node, values: Mapping[str, Any]) -> str:
        text = self._node(node, values)
        return f"({text})" if isinstance(node, Arithmetic | AnyOf | Every) else text

    def _side(self, node: Node, other: Node, values: Mapping[str, Any]) -> str:
        """One side of a comparison: a text or number is told as a value of what stands on the other."""
        if isinstance(node, Constant) and isinstance(other, Name):
            return self.words.value(other.name, node.value)
        if isinstance(node, Name) and node.name not in self.policy.values:
            return self.words.name(node.name)
        return self._inner(node, values) if isinstance(node, Comparison) else self._node(node, values)

    def _text_of(self, node: Node, text: str) -> str:
        return self.words.value(node.name, text) if isinstance(node, Name) else text

    def _constant(self, value: float | str | bool) -> str:
        if isinstance(value, bool):
            return self.texts["yes" if value else "no"]
        return value if isinstance(value, str) else self.words.words.number(Decimal(f"{value:.10g}"))

    def _name(self, name: str, values: Mapping[str, Any]) -> str:
        """A dated value as its number; a flag by itself asks whether it is so."""
        if name in self.policy.values:
            return self.limit(name, values)
        text = self.words.name(name)
        if self.policy.units.get(name) != "flag":
            return text
        return f"{text}: {self.texts['differs' if name.endswith(CONTRADICTION) else 'yes']}"
