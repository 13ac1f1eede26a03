"""Which rows count, which are bad, and which are kept for the test."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from .cells import Columns, literals
from .errors import TableError
from .facts import facts_of
from .recipe import Exclusion, Recipe
from .rows import Rows
from .sample_checks import check_dates, check_sample, sample_warnings
from .table import RawTable
from .target import labels_of


@dataclass(frozen=True, slots=True)
class Sample:
    """Facts and outcome of the rows that count, in the order of the file; `test` marks the rows held back.

    when: datetime64[D] or None. positions: row numbers in the file, from 0. extra: texts by column for
    fairness and segments, "" where empty. rejected: facts of applicants without an outcome (is_bad all False).
    """

    rows: Rows
    test: np.ndarray
    when: np.ndarray | None
    excluded: tuple[dict, ...]
    positions: np.ndarray
    extra: dict[str, np.ndarray]
    rejected: Rows | None = None
    rejected_when: np.ndarray | None = None
    warnings: tuple[str, ...] = ()


def draw_sample(recipe: Recipe, table: RawTable, *, split: bool = True) -> Sample:
    """Applies exclusions, label and split of the recipe; raises TableError.

    split=False: rows of another table than the card was learnt on, all of them test rows.
    """
    columns = table.columns
    when = _when(recipe, columns)
    keep, excluded = _kept(recipe, columns, when)
    rejected = _rejected(recipe, columns, split) & keep
    labels = labels_of(recipe, columns, keep & ~rejected)
    keep = keep & ~rejected
    for out, reason in _without_outcome(recipe, labels.indeterminate, labels.censored):
        excluded.append(_counted(keep & out, reason))
        keep &= ~out
    test, group = _sides(recipe, columns, when, keep | rejected, split=split)

    def drawn(places: np.ndarray) -> Rows:
        label = labels.is_bad[places] & ~rejected[places]
        return _rows(recipe, columns.at(places), label, group[places], _at(when, places))

    positions = np.flatnonzero(keep)
    refused = np.flatnonzero(rejected & ~test)  # the rejected of the test side stay out of training
    rows, test = drawn(positions), test[positions]
    check_sample(recipe, rows, test, split=split)
    of_people = {name: columns.at(positions).texts(name).values() for name in (*recipe.fairness, *recipe.segments)}
    return Sample(
        rows, test, _at(when, positions), tuple(excluded), positions, of_people,
        rejected=drawn(refused) if len(refused) else None,
        rejected_when=_at(when, refused) if len(refused) else None,
        warnings=(*table.warnings, *sample_warnings(recipe, rows, test)),
    )  # fmt: skip


def _sides(
    recipe: Recipe, columns: Columns, when: np.ndarray | None, counts: np.ndarray, *, split: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(test, group) of all rows of the file; only those of the rows that count mean anything."""
    test, group = np.zeros(len(columns), dtype=bool), np.zeros(len(columns), dtype=np.int64)
    places = np.flatnonzero(counts)
    group[places] = _group(recipe, columns.at(places))
    test[places] = _test_rows(recipe, _at(when, places), group[places]) if split else True
    return test, group


def _at(when: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if when is None else when[rows]


def _when(recipe: Recipe, columns: Columns) -> np.ndarray | None:
    if recipe.time is None:
        return None
    when = columns.days(recipe.time.column)
    columns.refuse(recipe.time.column, np.isnat(when), "is no date")
    return when


def _rows(recipe: Recipe, columns: Columns, is_bad: np.ndarray, group: np.ndarray, when: np.ndarray | None) -> Rows:
    values, states, codes = facts_of(recipe, columns)
    check_dates(recipe, columns, values, when)
    return Rows(values, states, codes, is_bad, _weights(recipe, columns), group)


def _weights(recipe: Recipe, columns: Columns) -> np.ndarray:
    if recipe.weight is None:
        return np.ones(len(columns))
    weight = columns.numbers(recipe.weight.column)
    columns.refuse(recipe.weight.column, ~(weight > 0), "is no weight: a weight is a number above 0")
    return weight


def _rejected(recipe: Recipe, columns: Columns, needed: bool) -> np.ndarray:
    rule = recipe.reject_inference
    if rule is None:
        return np.zeros(len(columns), dtype=bool)
    found = columns.texts(rule.column).among(literals(rule.rejected))
    if needed and not found.any():
        raise TableError(f"Column {rule.column!r}: no row holds {', '.join(map(repr, rule.rejected))}, so there is"
                         " nobody rejected to infer about.")  # fmt: skip
    return found


def _kept(recipe: Recipe, columns: Columns, when: np.ndarray | None) -> tuple[np.ndarray, list[dict]]:
    keep, excluded = np.ones(len(columns), dtype=bool), []
    for rule in recipe.exclusions:
        out = _matches(rule, columns)
        excluded.append(_counted(keep & out, rule.reason))
        keep &= ~out
    if recipe.time and recipe.time.first != dt.date.min:
        early = when < np.datetime64(recipe.time.first)
        excluded.append(_counted(keep & early, f"before {recipe.time.first}"))
        keep &= ~early
    return keep, excluded


def _matches(rule: Exclusion, columns: Columns) -> np.ndarray:
    out = np.zeros(len(columns), dtype=bool)
    if rule.equals:
        wanted = literals(rule.equals)
        out |= columns.texts(rule.column).mapped(lambda text: text in wanted, empty="" in wanted, dtype=bool)
    if rule.below is not None or rule.above is not None:
        value = columns.numbers(rule.column)
        out |= value < (-np.inf if rule.below is None else rule.below)
        out |= value > (np.inf if rule.above is None else rule.above)
    return out


def _without_outcome(recipe: Recipe, indeterminate: np.ndarray, censored: np.ndarray) -> list[tuple[np.ndarray, str]]:
    parts = []
    if recipe.target.indeterminate:
        parts.append((indeterminate, "neither good nor bad (indeterminate outcome)"))
    if recipe.target.last_row is not None and recipe.target.last_row.censored == "drop":
        parts.append((censored, "censored: leaves the panel before its end"))
    return parts


def _counted(out: np.ndarray, reason: str) -> dict:
    return {"reason": reason, "rows": int(out.sum())}


def _group(recipe: Recipe, columns: Columns) -> np.ndarray:
    """Equal numbers for rows that belong together; a row without a group is one by itself."""
    alone = np.arange(len(columns), dtype=np.int64)
    if not recipe.group:
        return alone
    texts = columns.texts(recipe.group)
    found = np.where(texts.codes < 0, len(texts.levels) + alone, texts.codes)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _test_rows(recipe: Recipe, when: np.ndarray | None, group: np.ndarray) -> np.ndarray:
    if recipe.time:
        return when >= np.datetime64(recipe.time.cut)
    groups = np.unique(group)
    drawn = np.random.default_rng(recipe.seed).random(len(groups)) < recipe.holdout
    return drawn[np.searchsorted(groups, group)]
