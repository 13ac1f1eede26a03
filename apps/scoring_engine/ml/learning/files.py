"""Files of a lender's table, CSV or Parquet, into Arrow columns: only those asked for, nothing guessed.

A CSV stays text: what a text means is for the recipe to say, not for a reader to guess.
"""

import codecs
import difflib
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from .errors import TableError

DELIMITERS = (",", ";", "\t", "|")
SNIFFED = 1 << 20  # bytes of the beginning in which the header must stand
BLOCK = 8 << 20
_MARKS = ((codecs.BOM_UTF8, "utf8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read: name without folder, SHA-256 of its bytes, number of rows."""

    name: str
    file: str
    sha256: str
    rows: int

    def as_dict(self) -> dict[str, str | int]:
        return {"name": self.name, "file": self.file, "sha256": self.sha256, "rows": self.rows}


def read_file(path: Path, columns: Sequence[str] | None = None, encoding: str = "") -> pa.Table:
    """The named columns (None: all of them); raises TableError with one sentence."""
    try:
        if _is_parquet(path):
            return _read_parquet(path, columns)
        return _read_csv(path, columns, encoding)
    except OSError as error:
        raise TableError(f"The table {path.name} cannot be read: {error.strerror or _first_line(error)}.") from None
    except UnicodeDecodeError:
        raise TableError(_not_decoded(path, encoding)) from None
    except LookupError:
        raise TableError(f"The table {path.name}: {encoding!r} is not an encoding.") from None
    except pa.ArrowException as error:
        text = _first_line(error)
        if "UTF8" in text or "UTF-8" in text:
            raise TableError(_not_decoded(path, encoding)) from None
        raise TableError(f"The table {path.name} is neither CSV nor Parquet: {text}.") from None


def source_of(name: str, path: Path, rows: int) -> Source:
    with path.open("rb") as file:
        return Source(name, path.name, hashlib.file_digest(file, "sha256").hexdigest(), rows)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PK\x03\x04":
        raise TableError(f"The table {path.name} is a workbook or a zip file: save the sheet as CSV.")
    return magic == b"PAR1" or path.suffix.lower() in (".parquet", ".pq")


def _read_parquet(path: Path, columns: Sequence[str] | None) -> pa.Table:
    file = pq.ParquetFile(path)
    _check_columns(path, columns, file.schema_arrow.names)
    return file.read(columns=None if columns is None else list(columns))


def _read_csv(path: Path, columns: Sequence[str] | None, encoding: str) -> pa.Table:
    encoding = encoding or _marked_encoding(path)
    header, delimiter = _header(path, encoding)
    _check_columns(path, columns, header)
    wanted = list(header if columns is None else columns)
    return pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(encoding=encoding, block_size=BLOCK),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in wanted}, include_columns=wanted, strings_can_be_null=False
        ),
    )


def _marked_encoding(path: Path) -> str:
    with pa.input_stream(str(path)) as file:
        start = file.read(4)
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf8")


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """The names of the columns and what separates them: the sign that the header has most of."""
    with pa.input_stream(str(path)) as file:
        start = file.read(SNIFFED)
    text = codecs.getincrementaldecoder(encoding)().decode(start).removeprefix("\ufeff")
    first = _first_record(text)
    if not first:
        raise TableError(f"The table {path.name} is empty.")
    outside = "".join(part for place, part in enumerate(first.split('"')) if place % 2 == 0)
    delimiter = max(DELIMITERS, key=outside.count)
    options = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    names = pacsv.read_csv(pa.py_buffer((first + "\n").encode()), parse_options=options).column_names
    return names, delimiter


def _first_record(text: str) -> str:
    """Up to the first line end outside quotes: workbooks write line ends into the names of columns."""
    record = ""
    for line in text.lstrip().splitlines(keepends=True):
        record += line
        if record.count('"') % 2 == 0:
            break
    return record.rstrip()


def _check_columns(path: Path, wanted: Sequence[str] | None, present: Sequence[str]) -> None:
    twice = [name for name, count in Counter(present).items() if count > 1 and (wanted is None or name in wanted)]
    if twice:
        raise TableError(f"The table {path.name} has two columns {twice[0]!r}.")
    absent = [name for name in wanted or () if name not in present]
    if absent:
        named = ", ".join(repr(name) for name in absent)
        raise TableError(f"The table {path.name} has no column {named}{_near(absent[0], present)}.")


def _near(name: str, present: Sequence[str]) -> str:
    folded = {column.strip().lower(): column for column in present}
    near = difflib.get_close_matches(name.strip().lower(), list(folded), n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""


def _not_decoded(path: Path, encoding: str) -> str:
    if encoding:
        return f"The table {path.name} is not text in {encoding}: say which encoding it is in the recipe."
    return f'The table {path.name} is not UTF-8 text: say encoding = "cp1251" (or what it is) in the recipe.'


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200].rstrip(".")
