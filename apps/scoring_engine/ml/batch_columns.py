"""Arrow columns of facts into flat arrays of values and states, and single values of them as facts.

A column of whole floats serves for money and counts, one of midnights for days: tables with gaps are often
written so. Otherwise nothing is coerced. With `texts` (a CSV) every column is text, to be read by the kind of its fact.
"""

import datetime as dt
import decimal
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .batch_kernels import MISSING, UNSURE, all_within, load_looked_up, load_numbers
from .batch_tables import EPOCH, BatchError, FactPlan
from .vocabulary import parsed_day

DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
WHOLE_TEXT = r"^-?[0-9]{1,18}$"
NUMBER_TEXT = r"^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$"
_WHOLE, _FLAGS = re.compile(r"-?[0-9]{1,4000}", re.ASCII), {"true": True, "false": False}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
ALL_PRESENT = np.empty(0, np.bool_)


class Column:
    """One slice of a column, read into `values` and `states`; rows that need a closer look are set in `unsure`.

    here: the states of a column whose values are all there; it is shared, and so are values that need no copy.
    """

    def __init__(self, plan: FactPlan, unsure: np.ndarray, here: np.ndarray, as_of: dt.date) -> None:
        self._plan = plan
        self.values = np.empty(0)
        self.states = here
        self._unsure = unsure
        self._as_of = as_of

    def load(self, array: pa.Array, *, texts: bool) -> None:
        """Sets values and states."""
        kind = self._plan.fact.kind
        if array.null_count == len(array):
            self._miss()
        elif _is_text(array.type) and (kind in ("category", "date") or (texts and kind == "flag")):
            self._look_up(array, texts=texts)
        elif kind == "date":
            self._numbers(*_as_days(array))
        elif kind == "category":
            self._refuse(array)
        elif texts:
            self._numbers_of_texts(array)
        elif kind == "flag":
            self._numbers(array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else None, array)
        else:
            numeric = _is_number(array.type)
            self._numbers(array if numeric else None, array)

    def _numbers(self, numbers: pa.Array | np.ndarray | None, array: pa.Array) -> None:
        if numbers is None:
            self._refuse(array)
            return
        given = numbers if isinstance(numbers, np.ndarray) else _doubles(numbers)
        least, most = self._bounds()
        plan = self._plan
        simple = not array.null_count and not len(plan.codes) and plan.fact.kind == "number"
        if simple and all_within(given, least, most):
            self.values = given
            return
        self._make_room()
        load_numbers(given, _present(array), least, most, plan.fact.kind != "number", plan.codes, plan.code_states,
                     self.values, self.states, self._unsure)  # fmt: skip

    def _numbers_of_texts(self, array: pa.Array) -> None:
        array = _plain(array)
        pattern = NUMBER_TEXT if self._plan.fact.kind == "number" else WHOLE_TEXT
        fits = pc.match_substring_regex(array, pattern)
        numbers = pc.if_else(fits, array, pa.scalar(None, array.type)).cast(pa.float64())
        self._numbers(numbers, numbers)
        if numbers.null_count != array.null_count:
            self._unsure |= pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)

    def _refuse(self, array: pa.Array) -> None:
        """A column of another type: whoever has a value in it is refused."""
        self._miss()
        self._unsure |= array.is_valid().to_numpy(zero_copy_only=False)

    def _look_up(self, array: pa.Array, *, texts: bool) -> None:
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        entries = encoded.dictionary.to_pylist()
        table = np.array([*(self._value_of(entry, texts=texts) for entry in entries), np.nan])
        indices = encoded.indices.cast(pa.int32()).fill_null(len(entries)).to_numpy()
        self._make_room()
        load_looked_up(indices, table, self.values, self.states, self._unsure)

    def _value_of(self, entry: str | None, *, texts: bool) -> float:
        kind, allowed = self._plan.fact.kind, self._plan.rule[3]
        if entry is None:
            return np.nan
        if kind == "flag":
            return float(_FLAGS[entry.lower()]) if texts and entry.lower() in _FLAGS else UNSURE
        if kind == "date":
            day = parsed_day(entry)
            return (day - EPOCH).days if day and day <= self._as_of else UNSURE
        if entry not in allowed:
            return UNSURE
        return float(self._plan.known.index(entry)) if entry in self._plan.known else -1.0

    def _make_room(self) -> None:
        self.values, self.states = np.empty(len(self._unsure)), np.empty(len(self._unsure), np.uint8)

    def _miss(self) -> None:
        self.values, self.states = missing(len(self._unsure))

    def _bounds(self) -> tuple[float, float]:
        _, least, most, _ = self._plan.rule
        if self._plan.fact.kind == "date":
            return (least - EPOCH).days, (self._as_of - EPOCH).days
        return float(least), float(most)


def missing(rows: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(rows, np.nan), np.full(rows, MISSING, np.uint8)


def fact_of(plan: FactPlan, value: Any, *, texts: bool) -> Any:
    """One value of a table as the check of facts wants it; what it is not is left as it is, to be refused."""
    kind = plan.fact.kind
    if isinstance(value, decimal.Decimal):
        value = float(value)
    if texts and isinstance(value, str):
        return _fact_of_text(kind, value)
    if kind in ("money", "integer") and type(value) is float and value.is_integer():
        return int(value)
    if kind == "date" and isinstance(value, dt.datetime) and value.tzinfo is None and value.time() == dt.time():
        return value.date()
    return value


def _fact_of_text(kind: str, text: str) -> Any:
    if kind == "flag":
        return _FLAGS.get(text.lower(), text)
    if kind in ("money", "integer", "number") and _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if kind == "number" and _NUMBER.fullmatch(text) else text


def names_by_row(column: pa.Array) -> tuple[np.ndarray, pa.DictionaryArray]:
    """Names of facts whose source was down, from lists of names or from texts with commas: row of each, and names."""
    column = _plain(column)
    if _is_text(column.type):
        column = pc.split_pattern(column, ",")
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)) or not _is_text(
        column.type.value_type
    ):
        raise BatchError("The column unavailable must hold texts, or lists of texts.")
    rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    names = pc.utf8_trim_whitespace(_plain(pc.list_flatten(column)))
    return rows, names.dictionary_encode()


def entries_of(encoded: pa.DictionaryArray) -> Iterator[tuple[str, np.ndarray]]:
    """Each name, but for nothing at all, with the places where it stands."""
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for place, name in enumerate(encoded.dictionary.to_pylist()):
        if name:
            yield name, np.flatnonzero(indices == place)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _present(array: pa.Array) -> np.ndarray:
    return array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else ALL_PRESENT


def _doubles(array: pa.Array) -> np.ndarray:
    """The values without a copy where they are doubles; what stands in place of nulls is never looked at."""
    array = array if array.type == pa.float64() else array.cast(pa.float64(), safe=False)
    return np.frombuffer(array.buffers()[1], np.float64)[array.offset : array.offset + len(array)]


def _as_days(array: pa.Array) -> tuple[pa.Array | np.ndarray | None, pa.Array]:
    """Days since 1970, with a fraction where a moment is no midnight; None for what holds no days."""
    kind = array.type
    if pa.types.is_date32(kind):
        return array.cast(pa.int32()), array
    if pa.types.is_date64(kind):
        return _doubles(array.cast(pa.int64())) / DAY["ms"], array
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return _doubles(array.cast(pa.int64())) / DAY[kind.unit], array
    return None, array
