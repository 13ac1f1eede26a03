"""What a column seems to be, for the first draft of a recipe: kind, empties, codes. A person checks it."""

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from .cells import NO_VALUE, Columns, Texts, shortened
from .errors import TableError
from .facts import YES_NO

EMPTY_SHARE = 0.05  # from this share of empty cells on, empty gets points of its own
FEWEST_REPEATS = 5
MOST_COUNTS, LARGE = 100, 1000  # whole numbers beyond are amounts, which may have decimals in another table
MOST_CODES = 4
MOST_TEXTS = 60  # a column of "36 months" and the like may have so many different texts
_NINES = re.compile(r"9{2,}")
_NEGATIVE_CODES = frozenset([*(float(-k) for k in range(1, 10)), *(-(10.0**k) + 1 for k in range(2, 10))])
_WITH_UNIT = re.compile(r"[<>~]?\s*([-+]?\d+(?:\.\d+)?)\s*\+?\s*([^\d\s].*)")


@dataclass(slots=True)
class Guess:
    """kind: number | integer | flag | category | date. values: floats of numbers (NaN where empty), else None.

    codes: suspected special codes as texts. settings: lines of TOML by key. notes: what a person should know.
    """

    column: str
    kind: str
    empty: np.ndarray
    distinct: int
    texts: Texts | None = None
    values: np.ndarray | None = None
    days: np.ndarray | None = None
    is_whole: bool = False
    codes: list[str] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_numeric(self) -> bool:
        return self.kind in ("number", "integer")


def guess(columns: Columns, name: str) -> Guess:
    """What a column seems to be."""
    kind = columns.array(name).type
    values = _plain_numbers(columns, name, kind)
    if values is not None:
        found = Guess(name, "number", np.isnan(values), 0)
        _as_number(found, values)
    elif pa.types.is_temporal(kind) and not pa.types.is_time(kind) and not pa.types.is_duration(kind):
        days = columns.days(name)
        found = Guess(name, "date", np.isnat(days), len(np.unique(days[~np.isnat(days)])), days=days)
    else:
        texts = columns.texts(name)
        found = Guess(name, "category", texts.codes < 0, len(texts.levels), texts)
        if pa.types.is_boolean(kind):
            found.kind = "flag"
        else:
            _guess_texts(found, columns, texts)
    return found


def _plain_numbers(columns: Columns, name: str, kind: pa.DataType) -> np.ndarray | None:
    """The column as numbers if every cell that is not empty is one."""
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        return None
    try:
        values = columns.numbers(name)
    except TableError:
        return None
    return None if np.isnan(values).all() else values


def empty_code(values: np.ndarray, taken: list[str]) -> str:
    """A code for empty cells below all values: -1, -9, -99, ... or further out."""
    low = float(np.nanmin(values))
    code = -1
    while code >= low or str(code) in taken:
        code = -9 if code == -1 else code * 10 - 9
    return str(code)


def _guess_texts(found: Guess, columns: Columns, texts: Texts) -> None:
    numbers = texts.mapped(columns.number, np.nan, float)
    odd = [level for level in texts.levels if not np.isfinite(columns.number(level))]
    rows = np.bincount(texts.codes[~found.empty], minlength=texts.codes.max(initial=-1) + 1)
    strange = sum(rows[texts.levels.index(level)] for level in odd[:MOST_TEXTS])
    is_empty = all(level.lower() in NO_VALUE for level in odd)
    if len(odd) < len(texts.levels) and len(odd) <= FEWEST_REPEATS and (is_empty or strange < 0.02 * rows.sum()):
        if odd:
            found.settings["missing"] = odd
            found.notes.append(f"the texts {', '.join(map(shortened, odd))} are taken as empty: check")
        found.empty = found.empty | texts.among(odd)
        _as_number(found, numbers)
    elif (days := _days_of(columns, texts)) is not None:
        found.kind, found.days = "date", days
    elif by_text := _numbers_with_units(texts.levels):
        found.settings["values"] = by_text
        _as_number(found, texts.mapped(by_text.get, np.nan, float))
    elif len(texts.levels) == 2 and {level.lower() for level in texts.levels} <= set(YES_NO):
        found.kind = "flag"


def _as_number(found: Guess, values: np.ndarray) -> None:
    known = values[~np.isnan(values)]
    values_found = np.unique(known)
    found.distinct = len(values_found)
    whole = bool((known == np.rint(known)).all())
    if whole and set(values_found.tolist()) == {0.0, 1.0} and "values" not in found.settings:
        found.kind = "flag"
        return
    few = whole and len(known) > 0 and len(values_found) <= MOST_COUNTS and float(np.abs(known).max()) < LARGE
    found.kind, found.values, found.is_whole = "integer" if few else "number", values, whole
    found.codes = special_codes(known)


def special_codes(known: np.ndarray) -> list[str]:
    """Values that are repeated, extreme, look like codes and lie far from the rest, as texts."""
    distinct, counts = np.unique(known, return_counts=True)
    often = max(FEWEST_REPEATS, len(known) // 1000)
    negative = distinct < 0
    rest = distinct[~negative]
    codes = []
    coded = negative.any() and negative.sum() <= MOST_CODES and set(distinct[negative].tolist()) <= _NEGATIVE_CODES
    if coded and len(rest) > 9 and (counts[negative] >= often).all():
        codes += distinct[negative].tolist()
    for place in range(len(distinct) - 1, 0, -1):
        value, below = distinct[place], distinct[place - 1]
        # 99 among ages up to 90 is a code only if it is common; 999 among counts up to 20 is one at once.
        far = value >= 2 * max(abs(below), 1) or counts[place] >= 20 * counts[place - 1]
        if not (_NINES.fullmatch(f"{value:.0f}") and value == np.rint(value) and far and counts[place] >= often):
            break
        codes.append(value)
    return [f"{code:.0f}" for code in sorted(codes)] if len(codes) < len(distinct) else []


def _numbers_with_units(levels: tuple[str, ...]) -> dict[str, float | int]:
    """{"36 months": 36, ...} where every text is a number with the same unit behind it."""
    parts = [_WITH_UNIT.fullmatch(level) for level in levels]
    if not 2 <= len(levels) <= MOST_TEXTS or not all(parts):
        return {}
    units, amounts = {part[2].strip().lower().rstrip("s") for part in parts}, [part[1] for part in parts]
    if len(units) > 1 or len(set(amounts)) < len(amounts):
        return {}
    return dict(zip(levels, [float(text) if "." in text else int(text) for text in amounts], strict=True))


def _days_of(columns: Columns, texts: Texts) -> np.ndarray | None:
    days = texts.mapped(columns.day, np.datetime64("NaT"), "datetime64[D]")
    if len(texts.levels) and not np.isnat(days[texts.codes >= 0]).any():
        return days
    return None
