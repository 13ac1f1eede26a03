"""Which rows count, which are bad, and which are kept for the test."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .errors import TableError
from .recipe import LastRow, Recipe
from .table import RawTable, days, facts_of, numbers, refuse_rows

LEAST_BADS = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """Facts and label of the rows that count, in the order of the file; `test` marks the rows held back.

    when: datetime64[D] or None; group: integer codes of rows that belong together.
    """

    facts: pd.DataFrame
    is_bad: np.ndarray
    test: np.ndarray
    when: np.ndarray | None
    group: np.ndarray
    excluded: tuple[dict, ...]
    rows: np.ndarray

    def dates(self) -> np.ndarray:
        if self.when is None:
            raise TableError("A feature needs the date of each row: give [time] in the recipe.")
        return self.when


def draw_sample(recipe: Recipe, table: RawTable) -> Sample:
    """Applies exclusions, label and split of the recipe; raises TableError."""
    columns = table.columns
    when = days(columns, recipe.time.column) if recipe.time else None
    if when is not None:
        refuse_rows(recipe.time.column, np.isnat(when), columns[recipe.time.column], "is no date")
    is_bad = _labels(recipe, columns)
    keep, excluded = _kept(recipe, columns, when)
    if (rule := recipe.target.last_row) is not None:
        is_bad, censored = _events(columns, is_bad, rule)
        if rule.censored == "drop":
            excluded.append(_counted(keep & censored, "censored: leaves the panel before its end"))
            keep &= ~censored
    rows = np.flatnonzero(keep)
    columns, when = columns.iloc[rows].reset_index(drop=True), None if when is None else when[rows]
    group = pd.factorize(columns[recipe.group])[0] if recipe.group else np.arange(len(rows))
    sample = Sample(
        facts=facts_of(recipe, columns), is_bad=is_bad[rows], test=_test_rows(recipe, when, group),
        when=when, group=group, excluded=tuple(excluded), rows=rows,
    )  # fmt: skip
    _check(recipe, sample)
    return sample


def _labels(recipe: Recipe, columns: pd.DataFrame) -> np.ndarray:
    target = recipe.target
    texts = columns[target.column].astype("string")
    empty = texts.isna() | (texts.str.strip() == "").fillna(value=True)
    refuse_rows(target.column, empty.to_numpy(dtype=bool), texts, "is no outcome")
    if target.contains:
        return texts.str.contains(target.contains, regex=False).to_numpy(dtype=bool)
    return texts.isin([str(value) for value in target.equals]).to_numpy(dtype=bool)


def _kept(recipe: Recipe, columns: pd.DataFrame, when: np.ndarray | None) -> tuple[np.ndarray, list[dict]]:
    keep, excluded = np.ones(len(columns), dtype=bool), []
    for rule in recipe.exclusions:
        value = numbers(columns, rule.column)
        out = np.zeros(len(columns), dtype=bool)
        if rule.below is not None:
            out |= value < rule.below
        if rule.above is not None:
            out |= value > rule.above
        excluded.append(_counted(keep & out, rule.reason))
        keep &= ~out
    if recipe.time and recipe.time.first != dt.date.min:
        early = when < np.datetime64(recipe.time.first)
        excluded.append(_counted(keep & early, f"before {recipe.time.first}"))
        keep &= ~early
    return keep, excluded


def _counted(out: np.ndarray, reason: str) -> dict:
    return {"reason": reason, "rows": int(out.sum())}


def _events(columns: pd.DataFrame, marked: np.ndarray, rule: LastRow) -> tuple[np.ndarray, np.ndarray]:
    """(event in this row, row is censored) where a label is constant within each `of`.

    The event is in the last row. An unmarked one whose last row is before `panel_end` was lost from
    sight: nobody knows what its next year brought, so that row is censored.
    """
    order = pd.Series(numbers(columns, rule.by))
    last = (order.groupby(columns[rule.of].to_numpy()).transform("max") == order).to_numpy()
    return marked & last, last & ~marked & (order < rule.panel_end).to_numpy()


def _test_rows(recipe: Recipe, when: np.ndarray | None, group: np.ndarray) -> np.ndarray:
    if recipe.time:
        return when >= np.datetime64(recipe.time.cut)
    groups = np.unique(group)
    drawn = np.random.default_rng(recipe.seed).random(len(groups)) < recipe.holdout
    return drawn[np.searchsorted(groups, group)]


def _check(recipe: Recipe, sample: Sample) -> None:
    column = recipe.target.column
    for name, rows in (("training", ~sample.test), ("test", sample.test)):
        if not rows.any():
            side = "before" if name == "training" else "from"
            cut = f": no row is {side} {recipe.time.cut}" if recipe.time else ""
            raise TableError(f"The {name} side of the split is empty{cut}.")
        bads = int(sample.is_bad[rows].sum())
        if bads in (0, int(rows.sum())):
            raise TableError(f"Column {column!r}: all {int(rows.sum())} {name} rows have the same outcome.")
    if (bads := int(sample.is_bad[~sample.test].sum())) < LEAST_BADS:
        raise TableError(f"Column {column!r}: {bads} bad rows in training are too few; {LEAST_BADS} is the least.")
    for rule in recipe.inputs:
        if sample.facts[rule.name].isna().all():
            raise TableError(f"Column {rule.column!r} has no value in any row.")
