"""Reading a lender's table: CSV or Parquet, only the columns the recipe names, every refusal a sentence."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..vocabulary import FACTS
from .errors import TableError
from .recipe import Extra, InputRule, Recipe


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read: name without folder, SHA-256 of its bytes, number of rows."""

    name: str
    file: str
    sha256: str
    rows: int

    def as_dict(self) -> dict[str, str | int]:
        return {"name": self.name, "file": self.file, "sha256": self.sha256, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class RawTable:
    """The columns of the recipe as they stand in the files, extras joined; numbered from 0."""

    columns: pd.DataFrame
    sources: tuple[Source, ...]


def read_tables(recipe: Recipe, data: Path, extras: Mapping[str, Path]) -> RawTable:
    """The main table with the recipe's extra tables joined to it; raises TableError."""
    declared = {extra.name for extra in recipe.extras}
    if odd := sorted(set(extras) ^ declared):
        wanted = ", ".join(sorted(declared)) or "none"
        raise TableError(f"The recipe {recipe.name} has these extra tables: {wanted}; see {odd[0]!r}.")
    joined = {column for extra in recipe.extras for column in extra.columns}
    keys = {key for extra in recipe.extras for key in extra.keys}
    frame = _read(data, sorted((_named_columns(recipe) - joined) | keys))
    sources = [_source("data", data, len(frame))]
    for extra in recipe.extras:
        other = _read(extras[extra.name], sorted({*extra.keys, *extra.columns}))
        sources.append(_source(extra.name, extras[extra.name], len(other)))
        frame = _joined(frame, other, extra, extras[extra.name].name)
    if frame.empty:
        raise TableError(f"The table {data.name} has no rows.")
    return RawTable(frame, tuple(sources))


def facts_of(recipe: Recipe, columns: pd.DataFrame) -> pd.DataFrame:
    """The facts by name: floats (NaN = missing), objects (None = missing) or datetime64 (NaT)."""
    return pd.DataFrame({rule.name: _fact(recipe, rule, columns) for rule in recipe.inputs})


def numbers(columns: pd.DataFrame, name: str) -> np.ndarray:
    """A column as finite floats, numbers kept as text included; raises TableError naming column and row."""
    given = columns[name]
    absent = _absent(given)
    parsed = pd.to_numeric(given.where(~absent), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    refuse_rows(name, ~absent.to_numpy() & ~np.isfinite(parsed), given, "is not a finite number")
    return parsed


def days(columns: pd.DataFrame, name: str) -> np.ndarray:
    """A column as datetime64[D]; whole numbers from 1900 to 2100 are years (their first day)."""
    given = columns[name]
    if pd.api.types.is_datetime64_any_dtype(given):
        return given.to_numpy().astype("datetime64[D]")
    absent = _absent(given)
    texts = given.where(~absent).astype("string").str.replace(r"^(\d{4})(\.0)?$", r"\1-01-01", regex=True)
    parsed = pd.to_datetime(texts, errors="coerce", format="ISO8601").to_numpy().astype("datetime64[D]")
    wrong = ~absent.to_numpy() & (np.isnat(parsed) | (parsed < np.datetime64("1900-01-01")))
    refuse_rows(name, wrong, given, "is not a day such as 2011-12-31")
    return parsed


def refuse_rows(column: str, wrong: np.ndarray, given: pd.Series, what: str) -> None:
    """Raises TableError naming the first wrong row (the first row of data is row 1)."""
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        more = f" ({int(wrong.sum())} such rows)" if wrong.sum() > 1 else ""
        raise TableError(f"Column {column!r}, row {row + 1}: {str(given.iloc[row])[:40]!r} {what}{more}.")


def _named_columns(recipe: Recipe) -> set[str]:
    names = {recipe.target.column, recipe.group, recipe.time.column if recipe.time else ""}
    if recipe.target.last_row:
        names |= {recipe.target.last_row.of, recipe.target.last_row.by}
    for rule in recipe.inputs:
        names |= {rule.column, rule.multiply_by}
    return (names | {rule.column for rule in recipe.exclusions}) - {""}


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return _read_parquet(path, columns) if path.suffix == ".parquet" else _read_csv(path, columns)
    except OSError as error:
        raise TableError(f"The table {path.name} cannot be read: {error.strerror or error}.") from None
    except (pa.ArrowException, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        first_line = str(error).partition("\n")[0][:200]
        raise TableError(f"The table {path.name} is neither CSV nor Parquet: {first_line}.") from None


def _read_parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    _check_columns(path, columns, pq.read_schema(path).names)
    return pq.read_table(path, columns=columns, use_threads=False).to_pandas(ignore_metadata=True)


def _read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """Everything as text: what a text means is for the recipe to say, not for a reader to guess."""
    _check_columns(path, columns, list(pd.read_csv(path, nrows=0).columns))
    return pd.read_csv(path, usecols=columns, dtype=str, keep_default_na=False)[columns]


def _check_columns(path: Path, wanted: Iterable[str], present: list[str]) -> None:
    absent = [name for name in wanted if name not in present]
    if absent:
        named = ", ".join(repr(name) for name in absent)
        raise TableError(f"The table {path.name} has no column {named}.")


def _joined(frame: pd.DataFrame, other: pd.DataFrame, extra: Extra, file: str) -> pd.DataFrame:
    keys = list(extra.keys)
    if other.duplicated(keys).any():
        raise TableError(f"The table {file} has two rows with the same {', '.join(keys)}.")
    for key in keys:
        if (frame[key].dtype == object) != (other[key].dtype == object):
            raise TableError(f"Column {key!r} is text in one table and not in {file}: give both as the same format.")
    both = frame.merge(other[[*keys, *extra.columns]], on=keys, how="left", validate="many_to_one")
    if both[list(extra.columns)].isna().all(axis=None):
        raise TableError(f"No row of the table {file} matches a row of the data on {', '.join(keys)}.")
    return both


def _source(name: str, path: Path, rows: int) -> Source:
    with path.open("rb") as file:
        return Source(name, path.name, hashlib.file_digest(file, "sha256").hexdigest(), rows)


def _absent(given: pd.Series) -> pd.Series:
    if given.dtype == object or pd.api.types.is_string_dtype(given):
        return given.isna() | (given.astype("string").str.strip() == "").fillna(value=True)
    return given.isna()


def _fact(recipe: Recipe, rule: InputRule, columns: pd.DataFrame) -> np.ndarray:
    if rule.kind == "date":
        return days(columns, rule.column).astype("datetime64[s]")
    if rule.kind == "category":
        return _category(recipe, rule, columns[rule.column])
    if rule.kind == "flag":
        raise TableError(f"The input {rule.name!r}: flags cannot be trained on yet.")
    return _number(recipe, rule, columns)


def _number(recipe: Recipe, rule: InputRule, columns: pd.DataFrame) -> np.ndarray:
    """One rounding for money and whole numbers, so that training and serving see the same fact."""
    value = _mapped(rule, columns) if rule.values else numbers(columns, rule.column)
    if rule.multiply_by:
        value = value * numbers(columns, rule.multiply_by)
    value = value * rule.times / rule.divide_by
    if rule.kind == "money":
        value = np.rint(value)
    given, fact = columns[rule.column], FACTS[recipe.segment][rule.name]
    if rule.kind == "integer":
        refuse_rows(rule.column, np.isfinite(value) & (value != np.rint(value)), given, "is not a whole number")
    wrong = (value < fact.least) | (value > fact.most)
    refuse_rows(rule.column, wrong, given, f"gives a {rule.name} outside {fact.least}..{fact.most}")
    return value


def _mapped(rule: InputRule, columns: pd.DataFrame) -> np.ndarray:
    given = columns[rule.column]
    texts = given.astype("string").str.strip()
    unknown = ~_absent(given) & ~texts.isin([*rule.values, *rule.missing])
    refuse_rows(rule.column, unknown.to_numpy(dtype=bool), given, "is not among the values of the recipe")
    return texts.map(rule.values).to_numpy(dtype=float, na_value=np.nan)


def _category(recipe: Recipe, rule: InputRule, given: pd.Series) -> np.ndarray:
    texts = given.astype("string").str.strip()
    mapped = texts.map(lambda text: rule.values.get(text, text), na_action="ignore")
    known = FACTS[recipe.segment][rule.name].values
    absent = _absent(given) | texts.isin(rule.missing)
    refuse_rows(rule.column, (~absent & ~mapped.isin(known)).to_numpy(dtype=bool), given,
                f"is not a known {rule.name}")  # fmt: skip
    return mapped.astype(object).where(~absent, None).to_numpy()
