"""What came of an uploaded file: page by page, or whole as CSV or XLSX in which no text can become a formula."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import OpenKey, open_key
from apps.common.sentences import Sentence, of_document
from apps.portfolio.models import Upload, UploadChunk
from apps.portfolio.models.uploads import RESULT
from apps.portfolio.upload_scoring import REASONS, result_context

PAGE = 50
HEADER = ("row", "row_id", "score", "probability_of_default", "grade", "mode",
          *(f"reason_{number}" for number in range(1, REASONS + 1)), "warnings", "errors")  # fmt: skip
LIVE = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet reads a text that begins so as more than a text
FORMATS = ("csv", "xlsx")
Value = str | int | float | None
_SHEET = "xl/worksheets/sheet1.xml"
_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
# What XML cannot hold.
_ODD = str.maketrans(dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535)))


@dataclass(frozen=True, slots=True)
class Words:
    """What a column of the results, a feature or fact, a mode and a sentence are called; as programs know them."""

    column: Callable[[str], str] = str
    measure: Callable[[str], str] = str
    mode: Callable[[str], str] = str
    sentence: Callable[[str], str] = str


PLAIN = Words()


def result_pages(upload: Upload, *, only_errors: bool) -> int:
    rows = upload.rows_refused if only_errors else upload.rows_done - upload.rows_refused
    return max(-(-rows // PAGE), 1)


def result_page(upload: Upload, number: int, *, only_errors: bool) -> list[list[Any]]:
    """`number` from 1. Lines as the scoring keeps them; of refused rows all errors of a row stand on one page."""
    first, found = (number - 1) * PAGE, []
    key = open_key(upload.data_key)
    passed = 0
    for chunk in _chunks(upload).defer("sealed"):
        here = chunk.refused if only_errors else chunk.rows - chunk.refused
        if passed + here > first and passed < first + PAGE:
            lines = _by_row(_opened(upload, key, chunk), only_errors=only_errors)
            found += lines[max(first - passed, 0) : first + PAGE - passed]
        passed += here
    return [line for lines in found for line in lines]


def _by_row(result: dict[str, Any], *, only_errors: bool) -> list[list[list[Any]]]:
    if not only_errors:
        return [[line] for line in result["rows"]]
    rows: dict[int, list[list[Any]]] = {}
    for error in result["errors"]:
        rows.setdefault(error[0], []).append(error)
    return list(rows.values())


def _chunks(upload: Upload) -> Any:
    return UploadChunk.objects.filter(upload=upload, kind=RESULT).order_by("number")


def _opened(upload: Upload, key: OpenKey, chunk: UploadChunk) -> dict[str, Any]:
    result = key.unseal(bytes(chunk.sealed), result_context(upload, chunk.number))
    errors = [[*line[:3], *map(of_document, line[3:])] for line in result["errors"]]
    return result | {"errors": errors}


@transaction.atomic
def export_results(*, upload: Upload, format: str, actor: User, words: Words = PLAIN) -> Iterator[bytes]:
    """All rows in the order of the file. `words`: of the reader; without them it is for programs."""
    details = {"file": upload.file_digest, "rows": upload.rows_done, "format": format}
    record_event(actor=actor, action="upload.export", subject=upload, details=details)
    lines = _lines(upload, words)
    return _as_csv(lines) if format == "csv" else _as_xlsx(lines)


def _lines(upload: Upload, words: Words) -> Iterator[tuple[Value, ...]]:
    key = open_key(upload.data_key)
    yield tuple(map(words.column, HEADER))
    for chunk in _chunks(upload).iterator(chunk_size=4):
        result = _opened(upload, key, chunk)
        scored = [_scored_line(row, words.mode(upload.mode), words) for row in result["rows"]]
        refused = _refused_lines(result["errors"], words.mode(upload.mode), words)
        yield from sorted([*scored, *refused], key=lambda line: line[0])


def _scored_line(row: list[Any], mode: str, words: Words) -> tuple[Any, ...]:
    number, row_id, score, probability, grade, features, absent = row
    reasons = [words.measure(feature) for feature in features] + [None] * (REASONS - len(features))
    return number, row_id, score, probability, grade, mode, *reasons, ", ".join(map(words.measure, absent)), None


def _refused_lines(errors: list[list[Any]], mode: str, words: Words) -> Iterator[tuple[Any, ...]]:
    rows: dict[tuple[int, str], list[str]] = {}
    for number, row_id, field, given, message in errors:
        wrong = Sentence("{fact}: {message}, not {given}", fact=field, message=message, given=given)
        rows.setdefault((number, row_id), []).append(words.sentence(wrong))
    for (number, row_id), texts in rows.items():
        yield number, row_id, None, None, None, mode, *[None] * (REASONS + 1), "; ".join(texts)


def defused(value: Value) -> Value:
    """A text that a spreadsheet would run gets an apostrophe before it, as OWASP says; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(LIVE) else value


def _as_csv(lines: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    yield b"\xef\xbb\xbf"  # Excel takes a file without it for one in the code page of the machine
    for number, line in enumerate(lines, start=1):
        writer.writerow([defused(value) for value in line])
        if number % 500 == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found


def _as_xlsx(lines: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
    """Packed in memory: what writes workbooks otherwise keeps the sheet in clear in a file of its own meanwhile."""
    # Not at the top: only a workbook needs it.
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        empty = Workbook()
        blank = io.BytesIO()
        ExcelWriter(empty, zipfile.ZipFile(blank, "w")).save()
        with zipfile.ZipFile(blank) as parts:
            for name in parts.namelist():
                if name != _SHEET:
                    archive.writestr(name, parts.read(name))
        with archive.open(_SHEET, "w", force_zip64=True) as sheet:
            sheet.write(_HEAD)
            for line in lines:
                sheet.write(_xlsx_row(line).encode())
            sheet.write(b"</sheetData></worksheet>")
    packed.seek(0)
    yield from iter(lambda: packed.read(1 << 16), b"")


def _xlsx_row(line: tuple[Value, ...]) -> str:
    return f"<row>{''.join(map(_xlsx_cell, line))}</row>"


def _xlsx_cell(value: Value) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str):
        text = escape(value.translate(_ODD))
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"
