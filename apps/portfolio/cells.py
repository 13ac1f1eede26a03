"""Cells as people type them, turned into the plain texts that the batch path reads; what is not sure stays as it is.

"1 200 000,50" is a number, "yes", "ha" and "да" are flags, "31.05.2019" is a day. What cannot be read is left, and the
check of facts refuses it with its own words: nothing is guessed.
"""

import datetime as dt
import re

from apps.portfolio.tables import Cell
from apps.scoring_engine.ml.vocabulary import Fact

_SPACES = re.compile(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3}(?!\d))")
_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+", re.ASCII)
_WHOLE_FLOAT = re.compile(r"(-?\d{1,18})[.,]0+", re.ASCII)
FLAGS = {
    **dict.fromkeys(("true", "yes", "y", "1", "ha", "да", "bor", "есть", "истина"), "true"),
    **dict.fromkeys(("false", "no", "n", "0", "yoʻq", "yo'q", "yoq", "нет", "ложь"), "false"),
}


def text_of(cell: Cell, fact: Fact, scale: int) -> str | None:
    """`scale`: how many units of the currency an amount of money in the file counts."""
    if cell is None or cell == "":
        return None
    if fact.kind == "flag":
        text = str(cell).strip().lower()
        return FLAGS.get(text, str(cell))
    if fact.kind == "date":
        return _day(cell)
    if fact.kind == "category":
        return str(cell)
    return _number(cell, fact, scale)


def _day(cell: Cell) -> str:
    if isinstance(cell, dt.date):
        return cell.isoformat()
    text = str(cell)
    if found := _DAY.fullmatch(text):
        day, month, year = found.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return text


def _number(cell: Cell, fact: Fact, scale: int) -> str:
    if isinstance(cell, bool | dt.date):
        return str(cell)
    text = repr(cell) if isinstance(cell, int | float) else _SPACES.sub("", cell)
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if fact.kind != "number" and (whole := _WHOLE_FLOAT.fullmatch(text)):
        text = whole[1]
    return _scaled(text, scale) if fact.kind == "money" and scale > 1 else text


def _scaled(text: str, scale: int) -> str:
    """Exactly: 1.5 thousand is 1500, and 1.2345 thousand is no whole amount, which is refused."""
    whole, _, part = text.partition(".")
    digits = len(str(scale)) - 1
    if not re.fullmatch(r"-?\d{1,15}", whole, re.ASCII) or not re.fullmatch(r"\d*", part, re.ASCII):
        return text
    if len(part.rstrip("0")) > digits:
        return text
    return str(int(f"{whole}{part.rstrip('0').ljust(digits, '0')}"))
