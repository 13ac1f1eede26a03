"""Files of rows, CSV or Parquet by their suffix, read and written batch by batch."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

PARQUET, CSV = (".parquet", ".pq"), (".csv",)
ROWS = 1 << 16
BLOCK = 8 << 20  # bytes of a CSV at once
SUFFIXES = ", ".join((*CSV, *PARQUET))


class ScoreFileError(ValueError):
    """Why a file cannot be scored, as one sentence."""


class ReadTable(Protocol):
    """names: of all its columns; texts: whether they are texts, to be read by the kind of each fact; size: bytes."""

    names: list[str]
    texts: bool
    size: int

    def batches(self) -> Iterator[pa.RecordBatch]: ...
    def position(self) -> int: ...
    def close(self) -> None: ...


class RowWriter(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...


class _Parquet:
    texts = False

    def __init__(self, path: Path, facts: Sequence[str], keep: Sequence[str]) -> None:
        schema = pq.read_schema(path)
        texts = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in keep]
        self._file = pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False)
        self.names = schema.names
        self.size = max(self._file.metadata.num_rows, 1)
        self._wanted = [name for name in dict.fromkeys((*facts, *keep)) if name in self.names]
        self._done = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self._file.iter_batches(ROWS, columns=self._wanted, use_threads=True):
            self._done += batch.num_rows
            yield batch

    def position(self) -> int:
        return self._done

    def close(self) -> None:
        self._file.close()


class _Csv:
    texts = True

    def __init__(self, path: Path, facts: Sequence[str], keep: Sequence[str]) -> None:
        self._raw = path.open("rb")
        self.size = max(path.stat().st_size, 1)
        options = {"parse_options": pacsv.ParseOptions(newlines_in_values=True)}
        with pacsv.open_csv(path, **options) as first:
            self.names = first.schema.names
        included = [name for name in dict.fromkeys((*facts, *keep)) if name in self.names]
        convert = pacsv.ConvertOptions(
            column_types={name: pa.string() for name in included}, include_columns=included, strings_can_be_null=True,
            null_values=[""],
        )  # fmt: skip
        self._reader = pacsv.open_csv(self._raw, read_options=pacsv.ReadOptions(block_size=BLOCK),
                                      convert_options=convert, **options)  # fmt: skip

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._reader

    def position(self) -> int:
        return self.size if self._raw.closed else min(self._raw.tell(), self.size)

    def close(self) -> None:
        self._raw.close()


@contextmanager
def open_table(path: Path, facts: Sequence[str], keep: Sequence[str]) -> Iterator[ReadTable]:
    """The columns of facts and those to keep, as far as a file has them; raises ScoreFileError for what is no table."""
    kind = {**dict.fromkeys(PARQUET, _Parquet), **dict.fromkeys(CSV, _Csv)}.get(path.suffix.lower())
    if kind is None:
        raise ScoreFileError(f"{path.name} must be CSV or Parquet, told by its suffix: {SUFFIXES}.")
    try:
        table = kind(path, facts, keep)
    except OSError as error:
        raise ScoreFileError(
            f"{path} cannot be opened ({error.strerror or str(error).partition(chr(10))[0]})."
        ) from None
    except pa.ArrowException as error:
        text = str(error).partition("\n")[0][:200].rstrip(".")
        raise ScoreFileError(f"{path.name} is no {path.suffix[1:].upper()}: {text}.") from None
    if twice := [name for name, count in Counter(table.names).items() if count > 1]:
        raise ScoreFileError(f"{path.name} has two columns {', '.join(twice)}.")
    try:
        yield table
    finally:
        table.close()


class _Writer:
    """Opened by the first batch, which has the columns."""

    def __init__(self, path: Path, suffix: str) -> None:
        self._path = path
        self._csv = suffix in CSV
        self._writer: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        if self._csv:
            batch = pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], batch.schema.names)
        if self._writer is None:
            kind = pacsv.CSVWriter if self._csv else pq.ParquetWriter
            self._writer = kind(self._path, batch.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


@contextmanager
def write_table(path: Path, suffix: str) -> Iterator[RowWriter]:
    """`suffix`: of the name that the file will have."""
    if suffix.lower() not in (*CSV, *PARQUET):
        raise ScoreFileError(f"OUT must end in one of {SUFFIXES}.")
    writer = _Writer(path, suffix.lower())
    try:
        yield writer
    finally:
        writer.close()
