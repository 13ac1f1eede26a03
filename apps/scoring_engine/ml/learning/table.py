"""A lender's table as the recipe names it: its columns, extra tables joined, repeated rows looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from .cells import Columns
from .doubles import check_doubles
from .errors import TableError
from .files import Source, read_file, source_of
from .recipe import Extra, Recipe

__all__ = ["RawTable", "Source", "read_tables"]


@dataclass(frozen=True, slots=True)
class RawTable:
    """The columns of the recipe as they stand in the files, extras joined; warnings: a sentence each."""

    columns: Columns
    sources: tuple[Source, ...]
    warnings: tuple[str, ...] = ()


def read_tables(recipe: Recipe, data: Path, extras: Mapping[str, Path]) -> RawTable:
    """The main table with the recipe's extra tables joined to it; raises TableError."""
    declared = {extra.name for extra in recipe.extras}
    if odd := sorted(set(extras) ^ declared):
        wanted = ", ".join(sorted(declared)) or "none"
        raise TableError(f"The recipe {recipe.name} has these extra tables: {wanted}; see {odd[0]!r}.")
    joined = {column for extra in recipe.extras for column in extra.columns}
    keys = {key for extra in recipe.extras for key in extra.keys}
    table = read_file(data, sorted((named_columns(recipe) - joined) | keys), recipe.encoding)
    if not table.num_rows:
        raise TableError(f"The table {data.name} has no rows.")
    sources = [source_of("data", data, table.num_rows)]
    warnings = check_doubles(recipe, Columns(table))
    for extra in recipe.extras:
        path = extras[extra.name]
        other = read_file(path, sorted({*extra.keys, *extra.columns}), recipe.encoding)
        sources.append(source_of(extra.name, path, other.num_rows))
        table = _joined(table, other, extra, path.name)
    columns = Columns(table, decimal=recipe.decimal, date_format=recipe.date_format)
    return RawTable(columns, tuple(sources), warnings)


def named_columns(recipe: Recipe) -> set[str]:
    """Every column of the table that the recipe reads."""
    names = {recipe.target.column, recipe.group, recipe.id, *recipe.fairness, *recipe.segments}
    for part in (recipe.time, recipe.weight, recipe.reject_inference):
        names.add(part.column if part else "")
    if recipe.target.last_row:
        names |= {recipe.target.last_row.of, recipe.target.last_row.by}
    for rule in recipe.inputs:
        names |= {rule.column, rule.multiply_by}
    return (names | {rule.column for rule in recipe.exclusions}) - {""}


def _joined(table: pa.Table, other: pa.Table, extra: Extra, file: str) -> pa.Table:
    keys = list(extra.keys)
    left, right = (part.select(keys).to_pandas(ignore_metadata=True) for part in (table, other))
    if right.duplicated(keys).any():
        raise TableError(f"The table {file} has two rows with the same {', '.join(keys)}.")
    for key in keys:
        if (left[key].dtype == object) != (right[key].dtype == object):
            raise TableError(f"Column {key!r} is text in one table and not in {file}: give both as the same format.")
    right["place"] = np.arange(len(right), dtype=float)
    place = left.merge(right, on=keys, how="left", validate="many_to_one")["place"]
    if place.isna().all():
        raise TableError(f"No row of the table {file} matches a row of the data on {', '.join(keys)}.")
    found = other.take(pa.array(place.astype("Int64"), from_pandas=True))
    for column in extra.columns:
        if column in keys:
            continue
        if column in table.column_names:
            raise TableError(f"Column {column!r} stands in the data and in {file}: name it in one of them only.")
        table = table.append_column(column, found.column(column))
    return table
