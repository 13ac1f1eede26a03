"""Which rows are bad, which are good, and which are neither."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .cells import Columns, Texts, literals, shortened
from .errors import TableError
from .recipe import LastRow, Recipe, Target

SHOWN_VALUES = 6


@dataclass(frozen=True, slots=True)
class Labels:
    """is_bad; indeterminate: neither good nor bad; censored: lost from sight before the outcome was known."""

    is_bad: np.ndarray
    indeterminate: np.ndarray
    censored: np.ndarray


def labels_of(recipe: Recipe, columns: Columns, needed: np.ndarray) -> Labels:
    """Labels of all rows; raises TableError where a row that is needed has no outcome, or an unclear one."""
    target = recipe.target
    texts = columns.texts(target.column)
    indeterminate = _among(texts, target.indeterminate)
    if "" not in literals(target.indeterminate):
        columns.refuse(target.column, needed & (texts.codes < 0), "is no outcome")
    if target.contains:
        is_bad = texts.mapped(lambda text: target.contains in text, empty=False, dtype=bool)
    else:
        is_bad = _among(texts, target.equals)
    rest = needed & ~is_bad & ~indeterminate
    _check_values(target, texts, rest)
    censored = np.zeros(len(columns), dtype=bool)
    if target.last_row is not None:
        is_bad, censored = _events(columns, is_bad, target.last_row)
    return Labels(is_bad & ~indeterminate, indeterminate, censored)


def _among(texts: Texts, values: tuple) -> np.ndarray:
    wanted = literals(values)
    return texts.mapped(lambda text: text in wanted, empty="" in wanted, dtype=bool)


def _check_values(target: Target, texts: Texts, rest: np.ndarray) -> None:
    """Values that are not bad must be the good ones; unnamed, there may be one only."""
    if target.contains and not target.good:
        return
    found = np.bincount(texts.codes[rest], minlength=len(texts.levels)) if len(texts.levels) else np.zeros(0)
    named = literals(target.good)
    odd = [level for place, level in enumerate(texts.levels) if found[place] and level not in named]
    if (len(odd) > 1) if not target.good else odd:
        shown = ", ".join(repr(shortened(level)) for level in odd[:SHOWN_VALUES])
        more = f" and {len(odd) - SHOWN_VALUES} more" if len(odd) > SHOWN_VALUES else ""
        raise TableError(
            f"Column {target.column!r}: beside what is bad it holds {shown}{more}; say in [target] which values are"
            " good = [...] and which rows to leave out as indeterminate = [...]."
        )


def _events(columns: Columns, marked: np.ndarray, rule: LastRow) -> tuple[np.ndarray, np.ndarray]:
    """(event in this row, row is censored) where a label is constant within each `of`.

    The event is in the last row. An unmarked one whose last row is before `panel_end` was lost from
    sight: nobody knows what its next year brought, so that row is censored.
    """
    order = pd.Series(columns.numbers(rule.by))
    last = (order.groupby(columns.texts(rule.of).codes).transform("max") == order).to_numpy()
    return marked & last, last & ~marked & (order < rule.panel_end).to_numpy()
