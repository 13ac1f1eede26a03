"""A first recipe from a table: everything guessed and said so, to be read and corrected by a person."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from ..vocabulary import FACTS, NEVER_SCORED
from .cells import Columns, Texts, shortened
from .doubles import repeats_too_often
from .errors import TableError
from .files import read_file
from .guessing import EMPTY_SHARE, Guess, empty_code, guess
from .naming import name_of
from .sample_checks import LEAST_BADS
from .suspicion import CERTAIN, MOST_GROUPS, direction_hint, is_of_people, reason_to_leave_out

MOST_OUTCOMES = 30
FEW_VALUES = 12
MOST_LEVELS = 30  # of a category before it is called wide
TEST_SHARE = 0.3
FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%b-%Y", "%d-%b-%Y", "%d-%b-%y", "%m/%d/%y", "%d.%m.%y",
           "%Y-%m-%d %H:%M")  # fmt: skip
BAD_WORDS = ("charged off", "charge-off", "charge off", "chgoff", "default", "bad", "bankrupt", "failed", "delinquent",
             "written off", "loss", "дефолт", "просроч", "плох", "списан", "bankrot", "yomon")  # fmt: skip
GOOD_WORDS = ("good", "fully paid", "paid", "p i f", "performing", "alive", "хорош", "погаш", "yaxshi")
NOT_WORDS = ("no ", "not ", "non", "не ", "без ")


@dataclass(slots=True)
class Outcome:
    """Values of the target by what they mean, as texts; is_bad and known by row."""

    bad: list[str]
    good: list[str]
    indeterminate: list[str]
    is_bad: np.ndarray
    known: np.ndarray


@dataclass(slots=True)
class Draft:
    """What was found, ready to be written."""

    file: str
    columns: Columns
    target: str
    outcome: Outcome
    date: str
    cut: dt.date | None
    encoding: str
    inputs: list[Guess] = field(default_factory=list)
    fairness: list[str] = field(default_factory=list)
    not_used: list[tuple[str, str]] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    duplicates: bool = False


def draft_of(path: Path, target: str, *, date: str = "", segment: str = "individual", encoding: str = "") -> Draft:
    """What the columns of a table seem to be; raises TableError where it cannot be read or has no outcome."""
    columns, encoding = _read(path, target, date, encoding)
    outcome = guess_outcome(target, columns.texts(target))
    when = _when(columns, date)
    draft = Draft(path.name, columns, target, outcome, date, _cut(when, outcome), encoding)
    for name in columns.table.column_names:
        if name not in (target, date):
            _sort(draft, _guessed(columns, name), when, segment)
    if not draft.inputs:
        raise TableError(f"The table {path.name}: no column is left that could be an input.")
    read = [guess.column for guess in draft.inputs]
    kept = columns.table.select(sorted({*read, target, *draft.fairness, *([date] if date else [])}))
    draft.duplicates = repeats_too_often(Columns(kept))
    return draft


def guess_outcome(target: str, texts: Texts) -> Outcome:
    """Which values are bad: those that say so, or of the two most common the rarer; the rest is left out."""
    if not 2 <= len(texts.levels) <= MOST_OUTCOMES:
        values = "1 value" if len(texts.levels) == 1 else f"{len(texts.levels)} different values"
        raise TableError(f"Column {target!r} has {values}; an outcome has two, or a few.")
    rows = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.levels))
    bad = [level for level in texts.levels if _says(level, BAD_WORDS)]
    good = [level for level in texts.levels if level not in bad and _says(level, GOOD_WORDS)]
    if len(texts.levels) == 2 and len(bad) == 1:
        good = [level for level in texts.levels if level not in bad]
    if not bad or not good:
        common = sorted(texts.levels, key=lambda level: (-rows[texts.levels.index(level)], level))[:2]
        good, bad = [common[0]], [common[1]]
    rest = [level for level in texts.levels if level not in (*bad, *good)]
    empty = [""] if (texts.codes < 0).any() else []
    return Outcome(bad, good, [*rest, *empty], texts.among(bad), texts.among([*bad, *good]))


def _says(level: str, words: Sequence[str]) -> bool:
    text = level.lower()
    return any(word in text for word in words) and not (words is BAD_WORDS and text.startswith(NOT_WORDS))


def _read(path: Path, target: str, date: str, encoding: str) -> tuple[Columns, str]:
    try:
        table = read_file(path, None, encoding)
    except TableError as error:
        if encoding or "is not UTF-8" not in str(error):
            raise
        encoding = "cp1251"
        table = read_file(path, None, encoding)
    for name in (target, date):
        if name and name not in table.column_names:
            read_file(path, [name], encoding)  # says what is not there, and what is near
    if not table.num_rows:
        raise TableError(f"The table {path.name} has no rows.")
    columns = Columns(table)
    decimal = "," if any(_has_decimal_commas(columns, name) for name in table.column_names) else "."
    columns = replace(columns, decimal=decimal)
    return replace(columns, date_format=_date_format(columns, date)), encoding


def _has_decimal_commas(columns: Columns, name: str) -> bool:
    array = columns.array(name)
    if not _is_text(columns, name) or not pc.any(pc.match_substring(array, ",")).as_py():
        return False
    levels, comma = columns.texts(name).levels, replace(columns, decimal=",")
    return any("," in level for level in levels) and all(np.isfinite(comma.number(level)) for level in levels)


def _date_format(columns: Columns, date: str) -> str:
    """How days are written where ISO 8601 does not say; the row's own day decides, else the first such column."""
    names = [date] if date else []
    names += [name for name in columns.table.column_names if name != date]
    for name in names:
        if not _is_text(columns, name):
            continue
        first = next(iter(columns.at(np.arange(min(len(columns), 100))).texts(name).levels), "")
        if np.isfinite(columns.number(first)) or not np.isnat(columns.day(first)):
            continue
        levels = columns.texts(name).levels
        for each in FORMATS:
            read = replace(columns, date_format=each)
            if levels and not any(np.isnat(read.day(level)) for level in levels):
                return each
    return ""


def _is_text(columns: Columns, name: str) -> bool:
    return "string" in str(columns.array(name).type)


def _when(columns: Columns, date: str) -> np.ndarray | None:
    if not date:
        return None
    when = columns.days(date)
    columns.refuse(date, np.isnat(when), "is no date")
    return when


def _cut(when: np.ndarray | None, outcome: Outcome) -> dt.date | None:
    """The day from which on about 30 % of the rows are, the first of a month where that is near; None: no such day."""
    if when is None:
        return None
    known = when[outcome.known]
    day = np.quantile(known.astype(np.int64), 1 - TEST_SHARE, method="higher").astype("datetime64[D]")
    month = day.astype("datetime64[M]").astype("datetime64[D]")
    for cut in (month, day):
        test, bad = known >= cut, outcome.is_bad[outcome.known]
        sides = [int(bad[side].sum()) for side in (test, ~test)] + [int((~bad[side]).sum()) for side in (test, ~test)]
        if min(sides) >= LEAST_BADS and 0.1 <= test.mean() <= 0.5:
            return cut.item()
    return None


def _guessed(columns: Columns, name: str) -> Guess | str:
    """A guess, or why the column cannot be read."""
    try:
        return guess(columns, name)
    except TableError as error:
        return str(error).removesuffix(".")


def _sort(draft: Draft, found: Guess | str, when: np.ndarray | None, segment: str) -> None:
    if isinstance(found, str):
        draft.not_used.append((found.split("'")[1], found))
        return
    known, column = draft.outcome.known, found.column
    if found.days is not None:
        draft.dates.append(column)
    reason = reason_to_leave_out(found, draft.outcome.is_bad, known, when)
    if is_of_people(column) and not reason.startswith(CERTAIN):
        if found.distinct <= MOST_GROUPS or "age" in name_of(column):
            draft.fairness.append(column)
            return
        reason = "it says who or where a person is, for fairness tests only, and has too many values to compare"
    if reason:
        draft.not_used.append((column, reason))
        return
    _describe(found, draft)
    draft.names[column] = _free_name(column, set(draft.names.values()), segment)
    draft.inputs.append(found)


def _free_name(column: str, taken: set[str], segment: str) -> str:
    """A name that is neither taken nor a fact that the engine knows, whose bounds and values nobody has checked."""
    name = name_of(column) or "column"
    if name in FACTS[segment] or name in NEVER_SCORED or name == "as_of":
        name = f"own_{name}"[:60]
    number = 2
    while name in taken:
        name = f"{name_of(column) or 'column'}_{number}"[-60:]
        number += 1
    return name


def _describe(found: Guess, draft: Draft) -> None:
    outcome, empty = draft.outcome, float(found.empty.mean())
    found.notes.insert(0, f"{empty:.1%} empty" if empty else "always given")
    if found.is_numeric:
        known = found.values[~np.isnan(found.values) & ~np.isin(found.values, [float(code) for code in found.codes])]
        span = f"from {known.min():,.12g} to {known.max():,.12g}"
        found.notes.insert(1, f"{len(np.unique(known)):,} different values {span}")
        found.settings |= _codes(found, outcome, empty)
        if found.kind == "integer" and found.distinct <= FEW_VALUES:
            found.notes.append('numbers of something without an order? then kind = "category"')
        if hint := direction_hint(found, outcome.is_bad, outcome.known):
            found.notes.append(hint)
    elif found.kind == "category":
        levels = ", ".join(shortened(level) for level in found.texts.levels[:6])
        found.notes.insert(1, f"{found.distinct:,} values: {levels}{' ...' if found.distinct > 6 else ''}")
        if found.distinct > MOST_LEVELS:
            found.notes.append("wide: levels of a like bad rate will share points")
        if empty >= EMPTY_SHARE and found.distinct:
            found.settings["empty_is"] = "not stated"
            found.notes.append('empties are a value of their own, "not stated", which must then be sent at scoring')


def _codes(found: Guess, outcome: Outcome, empty: float) -> dict[str, object]:
    codes = {}
    for code in found.codes:
        at = (found.values == float(code)) & outcome.known
        rate = f"{outcome.is_bad[at].mean():.1%}" if at.any() else "unknown"
        codes[code] = "not stated"
        found.notes.append(f"{code} in {int(at.sum()):,} rows looks like a code, bad rate {rate}"
                           f" (all {outcome.is_bad[outcome.known].mean():.1%}): check what it means")  # fmt: skip
    settings: dict[str, object] = {}
    if empty >= EMPTY_SHARE:
        code = empty_code(found.values, found.codes)
        codes[code] = "not stated, empty in the table"
        settings["empty_is"] = code
        found.notes += [
            f'what does empty mean? "{code}" gives it points of its own, and must then be sent at scoring;',
            'without empty_is it is missing; if its source had nothing then, empty_is = "unavailable"',
        ]
    return settings | ({"special_codes": codes} if codes else {})


def toml(value: object) -> str:
    """A value as TOML, dicts on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {toml(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
