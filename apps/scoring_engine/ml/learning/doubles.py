"""Rows that stand in a table twice: refused, warned of or allowed."""

import numpy as np
import pandas as pd
import pyarrow as pa

from .cells import Columns
from .errors import TableError
from .recipe import Recipe

MOST_COPIES = 0.01  # share of rows that may be exact copies of others before the table is refused
TIMES_CHANCE = 10.0
_MIX = np.uint64(0x9E3779B97F4A7C15)


def check_doubles(recipe: Recipe, columns: Columns) -> tuple[str, ...]:
    """Warnings; raises TableError for an id that repeats, or for more copies than chance explains.

    A copy is equal to an earlier row in every column that the recipe reads. In a table of few coarse columns
    two applicants may honestly be equal, so the number is held against what independent columns would give.
    """
    if recipe.id:
        _check_id(columns, recipe.id)
    copies, chance = count_copies(columns)
    count, share = len(copies), len(copies) / len(columns)
    if not count:
        return ()
    first, second = copies[0]
    told = f"{count:,} rows ({share:.1%}) are equal to an earlier one in every column that the recipe reads"
    if recipe.duplicates == "refuse" and not recipe.id and _too_many(count, chance, len(columns)):
        raise TableError(
            f"{told}, the first of them row {second + 1}, equal to row {first + 1}; take the copies out, name the"
            ' column that tells rows apart with id = "...", or write duplicates = "allow" if they are true.'
        )
    return (f"{told}.",)


def repeats_too_often(columns: Columns) -> bool:
    """Whether the table would be refused for its copies."""
    copies, chance = count_copies(columns)
    return _too_many(len(copies), chance, len(columns))


def _too_many(copies: int, chance: float, rows: int) -> bool:
    return copies > MOST_COPIES * rows and copies > TIMES_CHANCE * chance


def count_copies(columns: Columns) -> tuple[np.ndarray, float]:
    """(pairs of row numbers: the first of its kind and a copy; copies that chance alone would make)."""
    rows = len(columns)
    mixed, alike = np.zeros(rows, dtype=np.uint64), 0.0
    with np.errstate(over="ignore"):
        for name in columns.table.column_names:
            codes = _codes(columns.array(name))
            shares = np.bincount(codes) / max(rows, 1)
            alike += float(np.log((shares**2).sum()))
            mixed = (mixed ^ codes.astype(np.uint64)) * _MIX
            mixed ^= mixed >> np.uint64(29)
    first = pd.Series(np.arange(rows)).groupby(mixed, sort=False).transform("first").to_numpy()
    second = np.flatnonzero(first != np.arange(rows))
    return np.column_stack([first[second], second]), float(rows / 2 * rows * np.exp(alike))


def _check_id(columns: Columns, name: str) -> None:
    texts = columns.texts(name)
    columns.refuse(name, texts.codes < 0, "is no id")
    again = pd.Series(texts.codes).duplicated().to_numpy()
    if again.any():
        place = int(np.flatnonzero(again)[0])
        first = int(np.flatnonzero(texts.codes == texts.codes[place])[0])
        raise TableError(
            f"Column {name!r} repeats: rows {first + 1} and {place + 1} have the same id ({int(again.sum()):,} rows"
            " repeat one)."
        )


def _codes(array: pa.Array) -> np.ndarray:
    return array.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False).astype(np.int64)
