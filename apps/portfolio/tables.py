"""Tables of applicants as people keep them: CSV, Parquet and XLSX, read row by row as plain texts and numbers.

Refusals never repeat a cell: their texts go into logs and error columns.
"""

import codecs
import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from apps.common.sentences import Sentence

Cell = str | int | float | bool | dt.date | None
FORMULA = "=?"  # a formula of which the file has no result
DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab"}
LONGEST_CELL = 10_000
PARQUET_ROWS = 1000
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
_WORKBOOK = "xl/workbook.xml"
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
_UNREADABLE = (
    *(csv.Error, UnicodeError, zipfile.BadZipFile, pa.ArrowException, ParseError),
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, EOFError, OverflowError),
)


PROBLEMS = {
    "damaged": Sentence("The file cannot be read: it is damaged, or not what its name says."),
    "empty": Sentence("The file is empty."),
    "format": Sentence("Give a CSV (.csv), Parquet (.parquet) or Excel (.xlsx) file; its content must fit its name."),
    "no_columns": Sentence("The file has no columns."),
    "columns": Sentence("The file has more columns than are taken."),
    "twice": Sentence("Two columns of the file have the same name; give each its own."),
    "bytes": Sentence("The file has more bytes than are taken."),
    "rows": Sentence("The file has more rows than are taken."),
    "cells": Sentence("The file has more cells than are taken."),
    "unpacked": Sentence("Unpacked, the file is larger than is taken."),
    "stopped": Sentence("The worker stopped each time; see the log of the worker, or upload the file again in parts."),
    "model": Sentence("The model that was chosen when the scoring began cannot be read any more."),
    "no_rows": Sentence("The file has no rows under its names of columns."),
}


class TableError(ValueError):
    """Why a file cannot be read: a key of PROBLEMS, which have nothing of its content."""


@dataclass(slots=True)
class Table:
    """names: of the columns; rows: their cells, as many as names; told: encoding and delimiter of a CSV."""

    format: str
    names: list[str]
    rows: Iterator[list[Cell]]
    rows_expected: int | None = None
    told: dict[str, str] = field(default_factory=dict)


def open_table(file: BinaryIO, name: str, lines: int | None = None) -> Table:
    """`name`: its suffix is held against the first bytes. Raises TableError, and so does the reading of its rows."""
    try:
        kind = _format_of(file, name)
        table = {"csv": _open_csv, "parquet": _open_parquet, "xlsx": _open_xlsx}[kind](file)
    except _UNREADABLE as error:
        raise _told(error) from None
    if kind == "csv" and lines is not None:
        table.rows_expected = max(lines - 1, 0)
    _check_names(table.names)
    table.rows = _bounded(table.rows, len(table.names))
    return table


def _told(error: Exception) -> TableError:
    """Without what the library says: it may quote a cell."""
    return error if isinstance(error, TableError) else TableError("damaged")


def _format_of(file: BinaryIO, name: str) -> str:
    suffix = name.lower().rpartition(".")[2]
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    found = {_ZIP: "xlsx", _PARQUET: "parquet"}.get(start, "csv")
    wanted = {"csv": "csv", "txt": "csv", "xlsx": "xlsx", "parquet": "parquet", "pq": "parquet"}.get(suffix)
    if not start:
        raise TableError("empty")
    if wanted is None or wanted != found:
        raise TableError("format")
    return found


def _check_names(names: list[str]) -> None:
    if not names:
        raise TableError("no_columns")
    if len(names) > settings.UPLOAD_COLUMNS:
        raise TableError("columns")
    if len(set(names)) < len(names):
        raise TableError("twice")


def _bounded(rows: Iterator[list[Cell]], width: int) -> Iterator[list[Cell]]:
    number = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except _UNREADABLE as error:
            raise _told(error) from None
        number += 1
        if number > settings.UPLOAD_ROWS:
            raise TableError("rows")
        if number * width > settings.UPLOAD_CELLS:
            raise TableError("cells")
        yield row[:width] + [None] * (width - len(row))


def _named(cells: list[Any]) -> list[str]:
    """Names of columns: trailing empty ones go, empty ones between are called by their place."""
    names = [" ".join(str("" if cell is None else cell).split())[:200] for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [name or f"({place})" for place, name in enumerate(names, start=1)]


def _open_csv(file: BinaryIO) -> Table:
    start = file.read(1 << 16)
    if b"\x00" in start:
        raise TableError("damaged")
    encoding = _encoding_of(file, start)
    file.seek(0)
    text = io.TextIOWrapper(io.BufferedReader(file), encoding=encoding, newline="")  # type: ignore[arg-type]
    first = text.readline(1 << 16)
    delimiter = max(DELIMITERS, key=first.count)
    text.seek(0)
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    names = _named(next(rows, []))
    told = {"encoding": encoding.replace("-sig", " BOM").upper(), "delimiter": DELIMITERS[delimiter]}
    return Table("csv", names, (_texts(row) for row in rows if row), None, told)


def _encoding_of(file: BinaryIO, start: bytes) -> str:
    """Of the whole file: one letter outside UTF-8 on the last row makes all of it cp1251."""
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while piece := file.read(1 << 16):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def _texts(row: list[str]) -> list[Cell]:
    return [cell.strip()[:LONGEST_CELL] or None for cell in row]


def _open_parquet(file: BinaryIO) -> Table:
    meta, schema = pq.read_metadata(file), pq.read_schema(file)
    if sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)) > settings.UPLOAD_UNPACKED_BYTES:
        raise TableError("unpacked")
    # A text that the file has once and means in a million rows stays one.
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    parquet = pq.ParquetFile(file, pre_buffer=False, read_dictionary=texts)
    return Table("parquet", _named(schema.names), _parquet_rows(parquet, schema), meta.num_rows)


def _parquet_rows(parquet: pq.ParquetFile, schema: pa.Schema) -> Iterator[list[Cell]]:
    """What holds no single fact is not read at all: lists, bytes."""
    read = [field.name for field in schema if _is_plain(field.type)]
    for batch in parquet.iter_batches(PARQUET_ROWS, columns=read, use_threads=False):
        columns = [
            _parquet_cells(batch.column(field.name)) if field.name in read else [f"({field.type})"] * batch.num_rows
            for field in schema
        ]
        yield from map(list, zip(*columns, strict=True))


def _is_plain(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or any(is_kind(kind) for is_kind in _BYTES))


def _parquet_cells(column: pa.Array) -> list[Cell]:
    if not isinstance(column, pa.DictionaryArray):
        return [_plain(cell) for cell in column.to_pylist()]
    used = column.indices.unique().drop_null()
    texts = [_plain(text) for text in column.dictionary.take(used).to_pylist()]
    told = dict(zip(used.to_pylist(), texts, strict=True))
    return [told.get(index) for index in column.indices.to_pylist()]


def _open_xlsx(file: BinaryIO) -> Table:
    # Not at the top: only a workbook needs it.
    from openpyxl import load_workbook

    _check_zip(file)
    values, formulas = (
        load_workbook(file, read_only=True, data_only=only, keep_links=False).worksheets[0] for only in (True, False)
    )
    pairs = zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=True)
    first = next(pairs, ((), ()))[0]
    expected = max((values.max_row or 1) - 1, 0)
    return Table("xlsx", _named(list(first)), _xlsx_rows(pairs), min(expected, settings.UPLOAD_ROWS))


def _check_zip(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if _WORKBOOK not in archive.namelist():
            raise TableError("damaged")
        # zipfile never unpacks more of a part than it declares.
        if len(parts) > 1000 or sum(part.file_size for part in parts) > settings.UPLOAD_UNPACKED_BYTES:
            raise TableError("unpacked")
    file.seek(0)


def _xlsx_rows(pairs: Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Iterator[list[Cell]]:
    for values, formulas in pairs:
        if any(cell is not None for cell in formulas):
            yield [_computed(value, formula) for value, formula in zip(values, formulas, strict=True)]


def _computed(value: Any, formula: Any) -> Cell:
    return FORMULA if value is None and formula is not None else _plain(value)


def _plain(value: Any) -> Cell:
    """What a cell holds as one of the few types that are read further; anything else by its kind only."""
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, bool | int | float | dt.date):
        return value
    return str(value).strip()[:LONGEST_CELL] or None if isinstance(value, str) else f"({type(value).__name__})"
