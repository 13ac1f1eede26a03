"""Facts of a recipe's inputs from the columns of a table: values where they are known, states where not."""

from typing import Any

import numpy as np

from ..vocabulary import FACTS
from .cells import Columns, Texts, literals, text_of
from .naming import NUMERIC_KINDS
from .recipe import InputRule, Recipe
from .recipe_rules import FLAGS
from .recipe_rules import UNAVAILABLE as UNAVAILABLE_TEXT
from .rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE

OTHER_SCALE = "other_scale"
YES_NO = {
    **FLAGS, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False, "1": True, "0": False,
    "да": True, "нет": False, "ha": True, "yo'q": False, "yo‘q": False,
}  # fmt: skip
Fact = tuple[np.ndarray, np.ndarray]


def facts_of(
    recipe: Recipe, columns: Columns
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """(values, states, special codes) by name of the input; see rows.Rows. Raises TableError."""
    values, states, codes = {}, {}, {}
    for rule in recipe.inputs:
        values[rule.name], states[rule.name] = _fact(recipe, rule, columns)
        codes[rule.name] = (*rule.special_codes, *([OTHER_SCALE] if rule.scale else []))
    return values, states, codes


def _fact(recipe: Recipe, rule: InputRule, columns: Columns) -> Fact:
    if rule.kind in NUMERIC_KINDS:
        return _number(rule, columns)
    if rule.kind == "date":
        days = columns.days(rule.column)
        return days, _states(rule, np.isnat(days))
    texts = columns.texts(rule.column)
    return _flag(rule, columns, texts) if rule.kind == "flag" else _category(recipe, rule, columns, texts)


def _states(rule: InputRule, empty: np.ndarray) -> np.ndarray:
    """KNOWN, or what an empty cell of this column means."""
    code = MISSING
    if rule.empty_is == UNAVAILABLE_TEXT:
        code = UNAVAILABLE
    elif rule.empty_is in rule.special_codes:
        code = SPECIAL + list(rule.special_codes).index(rule.empty_is)
    return np.where(empty, code, KNOWN).astype(np.int16)


def _number(rule: InputRule, columns: Columns) -> Fact:
    """One rounding for money and whole numbers, so that training and serving see the same fact."""
    raw = _raw_numbers(rule, columns)
    states = _states(rule, np.isnan(raw))
    for k, code in enumerate(rule.special_codes):
        states[raw == float(code)] = SPECIAL + k
    value = raw * rule.times / rule.divide_by
    if rule.multiply_by:
        value = value * columns.numbers(rule.multiply_by)
        states[(states == KNOWN) & np.isnan(value)] = MISSING
    value = np.where(states == KNOWN, np.rint(value) if rule.kind == "money" else value, np.nan)
    if rule.kind == "integer":
        wrong = np.isfinite(value) & (value != np.rint(value))
        columns.refuse(rule.column, wrong, "is not a whole number", 'write kind = "number" if it may have decimals')
    wrong = (value < rule.least) | (value > rule.most)
    columns.refuse(rule.column, wrong, f"gives a {rule.name} outside {rule.least}..{rule.most}",
                   "if it is a code, declare it under special_codes")  # fmt: skip
    return value, states


def _raw_numbers(rule: InputRule, columns: Columns) -> np.ndarray:
    """The numbers of the column before any scaling, by `values` where the recipe gives them."""
    if not rule.values and not rule.missing:
        return columns.numbers(rule.column)
    texts = columns.texts(rule.column)
    by_text = {text: float(value) for text, value in _map(rule).items()}

    def number(text: str) -> float:
        return by_text[text] if text in by_text else columns.number(text)

    absent = texts.among(literals(rule.missing)) | (texts.codes < 0)
    return columns.parsed(rule.column, (texts.mapped(number, np.nan, float), absent))


def _category(recipe: Recipe, rule: InputRule, columns: Columns, texts: Texts) -> Fact:
    empty = texts.among(literals(rule.missing)) | (texts.codes < 0)
    by_text = _map(rule)
    values = texts.mapped(lambda text: text_of(by_text.get(text, text)), empty=None)
    if fact := FACTS[recipe.segment].get(rule.name):
        known = texts.mapped(lambda text: by_text.get(text, text) in fact.values, empty=True, dtype=bool)
        columns.refuse(rule.column, ~empty & ~known, f"is not a known {rule.name}",
                       "map it with values = { ... }, or give the input another name")  # fmt: skip
    return _with_empties(rule, values, empty, rule.empty_is or None)


def _flag(rule: InputRule, columns: Columns, texts: Texts) -> Fact:
    empty = texts.among(literals(rule.missing)) | (texts.codes < 0)
    by_text = _map(rule)
    values = texts.mapped(lambda text: _yes_or_no(by_text, text), empty=None)
    unclear = ~empty & np.array([value is None for value in values], dtype=bool)
    columns.refuse(rule.column, unclear, "is neither yes nor no",
                   'say what it means with values = { "..." = true, "..." = false }')  # fmt: skip
    return _with_empties(rule, values, empty, FLAGS.get(rule.empty_is))


def _map(rule: InputRule) -> dict[str, Any]:
    """`values` by texts as they are read from cells."""
    return {text_of(text) or "": value for text, value in rule.values.items()}


def _yes_or_no(given: dict[str, Any], text: str) -> bool | None:
    if given:
        return FLAGS.get(str(given[text]).lower()) if text in given else None
    return YES_NO.get(text.lower())


def _with_empties(rule: InputRule, values: np.ndarray, empty: np.ndarray, value: str | bool | None) -> Fact:
    """Values with empty cells taken as `value`, unless they are a state."""
    if rule.empty_is in ("", UNAVAILABLE_TEXT):
        value = None
    states = _states(rule, empty & (value is None))
    values[empty] = value
    return values, states
