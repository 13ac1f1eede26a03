"""What is wrong, or worth a warning, in the rows that a recipe draws from a table."""

import numpy as np

from ..vocabulary import NEVER_SCORED
from .cells import Columns
from .errors import TableError
from .naming import name_of
from .recipe import InputRule, Recipe
from .rows import SPECIAL, Rows

LEAST_BADS = 10
FEW_BADS = 30  # fewer bads than this in the test make its figures rough
SHOWN_VALUES = 5


def check_sample(recipe: Recipe, rows: Rows, test: np.ndarray, *, split: bool) -> None:
    """Raises TableError for a side without rows, without two outcomes or with too few bads, or an empty column."""
    if not split:
        if not len(rows):
            raise TableError("No row of the table is left to look at.")
        return
    column = recipe.target.column
    for name, part in (("training", ~test), ("test", test)):
        if not part.any():
            side = "before" if name == "training" else "from"
            cut = f": no row is {side} {recipe.time.cut}" if recipe.time else ""
            raise TableError(f"The {name} side of the split is empty{cut}.")
        if (bads := int(rows.is_bad[part].sum())) in (0, int(part.sum())):
            which = "bad" if bads else "good"
            raise TableError(f"Column {column!r}: all {int(part.sum())} {name} rows have the same outcome, {which}.")
    if (bads := int(rows.is_bad[~test].sum())) < LEAST_BADS:
        raise TableError(f"Column {column!r}: {bads} bad rows in training are too few; {LEAST_BADS} is the least.")
    for rule in recipe.inputs:
        _check_filled(rule, rows, test)


def check_dates(recipe: Recipe, columns: Columns, values: dict[str, np.ndarray], when: np.ndarray | None) -> None:
    """Raises TableError for a day after the row's own: at scoring such a fact is refused.

    A row's own day that is known to the month or year only counts as the last day of it.
    """
    if when is None or not len(when):
        return
    last = _last_day(when)
    for rule in recipe.inputs:
        if rule.kind == "date":
            columns.refuse(rule.column, values[rule.name] > last, f"is after the row's own day ({recipe.time.column})",
                           "correct such rows, leave them out, or leave out the column")  # fmt: skip


def sample_warnings(recipe: Recipe, rows: Rows, test: np.ndarray) -> tuple[str, ...]:
    found = [*_unused(recipe), *_protected(recipe)]
    for rule in recipe.inputs:
        found += _unseen(rule, rows, test) if rule.kind == "category" else _codes_not_met(rule, rows)
    bads = int(rows.is_bad[test].sum())
    if test.any() and not test.all() and 0 < bads < FEW_BADS:
        found.append(f"The test side has {bads} bad rows only: its figures are rough.")
    return tuple(found)


def _check_filled(rule: InputRule, rows: Rows, test: np.ndarray) -> None:
    known = rows.known(rule.name)
    if not known.any():
        raise TableError(f"Column {rule.column!r} has no value in any row.")
    if not known[~test].any():
        raise TableError(f"Column {rule.column!r} has no value in any training row.")


def _last_day(when: np.ndarray) -> np.ndarray:
    for unit in ("Y", "M"):
        whole = when.astype(f"datetime64[{unit}]")
        if (whole.astype("datetime64[D]") == when).all():
            return (whole + 1).astype("datetime64[D]") - 1
    return when


def _unused(recipe: Recipe) -> list[str]:
    used = {part for feature in recipe.features for part in feature.of}
    idle = [rule for rule in recipe.inputs if not rule.direction and rule.name not in used]
    return [f"Input {rule.name!r} has no direction and no feature is made of it, so nothing uses it." for rule in idle]


def _protected(recipe: Recipe) -> list[str]:
    return [
        f"Input {rule.name!r} is read from column {rule.column!r}: {NEVER_SCORED[name_of(rule.column)]}."
        for rule in recipe.inputs if name_of(rule.column) in NEVER_SCORED
    ]  # fmt: skip


def _codes_not_met(rule: InputRule, rows: Rows) -> list[str]:
    return [
        f"Column {rule.column!r}: no row has the special code {code}; it will earn what a missing value earns."
        for k, code in enumerate(rule.special_codes) if not (rows.states[rule.name] == SPECIAL + k).any()
    ]  # fmt: skip


def _unseen(rule: InputRule, rows: Rows, test: np.ndarray) -> list[str]:
    known = rows.known(rule.name)
    values = rows.values[rule.name]
    seen = set(values[known & ~test])
    later = values[known & test]
    odd = sorted(set(later) - seen)
    if not odd or not seen:
        return []
    count = int(np.isin(later, odd).sum())
    shown = ", ".join(map(repr, odd[:SHOWN_VALUES])) + (" ..." if len(odd) > SHOWN_VALUES else "")
    return [f"Column {rule.column!r}: {count:,} test rows hold values never seen in training ({shown}); they earn"
            " what a missing value earns."]  # fmt: skip
