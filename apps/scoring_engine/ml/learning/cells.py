"""Cells of a table as numbers, texts or days; every refusal names column and row."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import TableError

EARLIEST = np.datetime64("1900-01-01")
NO_VALUE = ("na", "n/a", "nan", "null", "none", "nil", "-", "--", ".", "?", "#n/a", "unknown")
_YEAR = re.compile(r"((?:19|20)\d\d|2100)(\.0)?")
_MONTH = re.compile(r"\d{4}-\d{2}")
_WHOLE = re.compile(r"-?\d+\.0+")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class Texts:
    """A column as texts: row i holds levels[codes[i]], nothing where codes[i] is -1."""

    codes: np.ndarray
    levels: tuple[str, ...]

    def mapped(self, wanted: Callable[[str], Any], empty: Any, dtype: Any = object) -> np.ndarray:
        """A value for each row by a function of its text."""
        found = np.empty(len(self.levels) + 1, dtype=dtype)
        found[:-1] = [wanted(level) for level in self.levels]
        found[-1] = empty
        return found[self.codes]

    def among(self, wanted: Iterable[str]) -> np.ndarray:
        chosen = set(wanted)
        return self.mapped(lambda level: level in chosen, empty=False, dtype=bool)

    def values(self) -> np.ndarray:
        """Texts by row, "" where there is none."""
        return self.mapped(lambda level: level, empty="")


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a table, or of some of its rows; `rows` are their numbers in the file, from 0.

    decimal: the sign before the decimals in numbers kept as text. date_format: of days kept as text.
    """

    table: pa.Table
    rows: np.ndarray | None = None
    decimal: str = "."
    date_format: str = ""

    def __len__(self) -> int:
        return self.table.num_rows if self.rows is None else len(self.rows)

    def at(self, rows: np.ndarray) -> "Columns":
        """The rows of these numbers (ascending)."""
        if self.rows is None and len(rows) == len(self):
            return self
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def array(self, name: str) -> pa.Array:
        column = self.table.column(name)
        if self.rows is not None:
            column = column.take(pa.array(self.rows))
        array = column.combine_chunks()
        array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array

    def refuse(self, name: str, wrong: np.ndarray, what: str, hint: str = "") -> None:
        """Raises TableError naming the first wrong row (the first row of data is row 1)."""
        if not wrong.any():
            return
        place = int(np.flatnonzero(wrong)[0])
        row = place if self.rows is None else int(self.rows[place])
        more = f" ({int(wrong.sum())} such rows)" if wrong.sum() > 1 else ""
        given = shortened(text_of(self.array(name)[place].as_py()) or "")
        raise TableError(f"Column {name!r}, row {row + 1}: {given!r} {what}{more}{'; ' + hint if hint else ''}.")

    def texts(self, name: str) -> Texts:
        """Trimmed texts; whole floats without decimals, so that 1.0 is "1"; bools as true and false."""
        array = self._checked(name)
        if _is_text(array.type):
            array = pc.utf8_trim_whitespace(array)
        encoded = array.dictionary_encode()
        levels = [text_of(value) for value in encoded.dictionary.to_pylist()]
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        return _merged(codes, levels)

    def numbers(self, name: str) -> np.ndarray:
        """Finite floats, numbers kept as text included; NaN where there is none."""
        return self.parsed(name, self._floats(self._checked(name)))

    def parsed(self, name: str, found: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(floats, absent) of a column as floats, refused where a cell holds something that is no number."""
        value, absent = found
        wrong = ~absent & ~np.isfinite(value)
        if wrong.any():
            given = text_of(self.array(name)[int(np.flatnonzero(wrong)[0])].as_py()) or ""
            self.refuse(name, wrong, "is not a finite number", _hint(given))
        return np.where(absent, np.nan, value)

    def days(self, name: str) -> np.ndarray:
        """datetime64[D], NaT where there is none; whole numbers from 1900 to 2100 are years (their first day)."""
        array = self._checked(name)
        if pa.types.is_temporal(array.type) and not pa.types.is_time(array.type):
            found = pc.cast(array, pa.date32(), safe=False).to_numpy(zero_copy_only=False).astype("datetime64[D]")
            absent = np.isnat(found)
        else:
            texts = self.texts(name)
            found = texts.mapped(self.day, np.datetime64("NaT"), "datetime64[D]")
            absent = texts.codes < 0
        self.refuse(name, ~absent & (np.isnat(found) | (found < EARLIEST)), "is not a day such as 2011-12-31",
                    "" if self.date_format else _day_hint(array.type))  # fmt: skip
        return found

    def number(self, text: str) -> float:
        """A number kept as text; NaN for anything else."""
        plain = text.strip()
        if self.decimal != ".":
            plain = "x" if "." in plain else plain.replace(self.decimal, ".")
        try:
            return float("nan") if "_" in plain else float(plain)
        except ValueError:
            return float("nan")

    def _checked(self, name: str) -> pa.Array:
        array = self.array(name)
        if pa.types.is_nested(array.type) or pa.types.is_binary(array.type):
            raise TableError(f"Column {name!r} holds {array.type} values, which are neither numbers, texts nor days.")
        return array

    def _floats(self, array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """(floats, absent); a text that is no number is NaN without being absent."""
        if pa.types.is_temporal(array.type):
            return np.full(len(array), np.nan), _nulls(array)
        if not _is_text(array.type):
            value = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
            return value, np.isnan(value)
        texts = pc.utf8_trim_whitespace(array)
        blank = pc.fill_null(pc.equal(pc.binary_length(texts), 0), True)
        texts = pc.if_else(blank, None, texts)
        return self._parsed_texts(texts), blank.to_numpy(zero_copy_only=False)

    def _parsed_texts(self, texts: pa.Array) -> np.ndarray:
        if self.decimal == ".":
            try:
                return pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False).astype(float)
            except pa.ArrowInvalid:
                pass  # some text is no number for Arrow: look at each distinct one
        encoded = texts.dictionary_encode()
        found = np.array([*(self.number(text) for text in encoded.dictionary.to_pylist()), np.nan])
        return found[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]

    def day(self, text: str) -> np.datetime64:
        """A day kept as text; NaT for anything else."""
        try:
            return np.datetime64(_parsed_day(text, self.date_format), "D")
        except ValueError:
            return np.datetime64("NaT")


def text_of(value: object) -> str | None:
    """One text for a cell of any type: 1.0, "1.0" and Decimal("1.00") are "1", True is "true"; None for nothing."""
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    text = str(value).strip()
    return (text.partition(".")[0] if _WHOLE.fullmatch(text) else text) or None


def literals(values: Iterable[object]) -> set[str]:
    """The texts that values of a recipe stand for; true stands for a text such as True or TRUE as well."""
    found = {text_of(value) or "" for value in values}
    flags = {text_of(value) for value in values if isinstance(value, bool)}
    return found | {spelt for text in flags for spelt in (text.title(), text.upper())}


def shortened(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text[:40])


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _nulls(array: pa.Array) -> np.ndarray:
    return pc.is_null(array).to_numpy(zero_copy_only=False)


def _merged(codes: np.ndarray, levels: list[str | None]) -> Texts:
    """Levels that read the same made one, nothing made -1."""
    distinct = list(dict.fromkeys(level for level in levels if level is not None))
    place = {level: code for code, level in enumerate(distinct)}
    new = np.array([*(-1 if level is None else place[level] for level in levels), -1], dtype=np.int32)
    return Texts(new[codes], tuple(distinct))


def _parsed_day(text: str, date_format: str) -> dt.date:
    if date_format:
        return dt.datetime.strptime(text, date_format).date()
    if year := _YEAR.fullmatch(text):
        return dt.date(int(year[1]), 1, 1)
    if dotted := _DOTTED.fullmatch(text):
        return dt.date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    if _MONTH.fullmatch(text):
        text += "-01"
    return dt.datetime.fromisoformat(text).date()


def _day_hint(kind: pa.DataType) -> str:
    return 'say how days are written with date_format, such as "%m/%d/%Y"' if _is_text(kind) else ""


def _hint(given: str) -> str:
    """What to write in the recipe for a text that is no number."""
    if given.lower() in NO_VALUE:
        return f'if it means empty, write missing = ["{given}"] at this input'
    if re.fullmatch(r"[-+]?\d{1,3}([ ,.'\u00a0\u202f]\d{3})*[.,]\d+|[-+]?\d{1,3}([ ,.'\u00a0\u202f]\d{3})+", given):
        return 'write numbers without separators of thousands; decimals after a comma need decimal = ","'
    if re.match(r"[<>$€£]?\s*[-+]?\d", given):
        return "map such texts to numbers with values = { ... } at this input, or make it a category"
    return ""
