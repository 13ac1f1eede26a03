"""Past requests as a table, one a row: read and checked strictly, batch by batch, as columns to decide over.

A column is named as a policy names it (names_of), and beside those stand what was assessed and `bar`. What is empty is
not known. Stored requests take this form too, so that both roads are one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from apps.common.errors import InvalidInput
from apps.common.money import CURRENCIES
from apps.credit_requests.simulation_figures import MOST_VALUES, UNKNOWN, Batch, Group
from apps.policies.columns import Assessments, Column
from apps.policies.engine import BARS, NOT_ASSESSED
from apps.policies.expressions import FLAG, NUMBER
from apps.policies.names import Name, names_of
from apps.scoring_engine.ml.cards import LEAST_SCORE, MOST_SCORE
from apps.scoring_engine.ml.grades import GRADES, grade
from apps.scoring_engine.score_tables import ReadTable, ScoreFileError, open_table

ASSESSED = ("score", "probability_of_default", "horizon_months")
WORKED_OUT = ("annual_probability_of_default", "loss_given_default")  # by the policy itself, in no table
BESIDE = {"bar": tuple(bar for bar in BARS if bar != NOT_ASSESSED), "currency": CURRENCIES, "branch": (), "id": ()}
SEGMENTS = ("product_kind", "channel", "grade", "branch")
LETTERS = tuple(letter for letter, _ in GRADES)
MOST = 10**15
# name -> (least, most, whether it is whole); other numbers are only bounded by MOST.
BOUNDS = {
    "score": (LEAST_SCORE, MOST_SCORE, True),
    "probability_of_default": (0, 1, False),
    "horizon_months": (1, 600, True),
    "requested_amount": (1, MOST, True),
    "term_months": (1, 600, True),
    "annual_rate": (0, 10, False),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What a table of a segment may hold. by: extra columns that segments are told by."""

    segment: str
    by: tuple[str, ...] = ()

    @property
    def known(self) -> dict[str, Name]:
        return {name: about for name, about in names_of(self.segment).items() if name not in WORKED_OUT}

    @property
    def facts(self) -> dict[str, Name]:
        return {name: about for name, about in self.known.items() if name not in ("score", "grade")}

    @property
    def allowed(self) -> list[str]:
        return [*self.known, "probability_of_default", "horizon_months", *BESIDE]

    def schema(self) -> pa.Schema:
        """As snapshot_requests writes it."""
        types = {NUMBER: pa.float64(), FLAG: pa.bool_()}
        facts = [(name, types.get(about.kind, pa.string())) for name, about in self.facts.items()]
        assessed = [("score", pa.int64()), ("probability_of_default", pa.float64()), ("horizon_months", pa.int64())]
        return pa.schema([("id", pa.string()), *facts, *assessed,
                          *((name, pa.string()) for name in ("grade", "bar", "currency", "branch"))])  # fmt: skip

    def check_columns(self, names: Sequence[str]) -> None:
        allowed = ", ".join(self.allowed)
        if lost := [name for name in self.by if name not in names and name != "grade"]:
            raise InvalidInput.of(by=f"The table has no column {', '.join(lost)}; it has {', '.join(names)}.")
        if unknown := [name for name in names if name not in self.allowed and name not in self.by]:
            why = f"No column of a snapshot. Allowed are {allowed}; name it with --by if it tells segments apart."
            raise InvalidInput.of(**dict.fromkeys(unknown[:5], why))
        if lost := [name for name in (*ASSESSED, "requested_amount", "term_months") if name not in names]:
            raise InvalidInput.of(**dict.fromkeys(lost, f"The column is missing. Allowed are {allowed}."))


@contextmanager
def open_snapshot(path: Path, form: Form) -> Iterator[ReadTable]:
    """Raises InvalidInput for what is no table of this form."""
    try:
        with open_table(path, [*form.allowed, *form.by], ()) as table:
            form.check_columns(table.names)
            yield table
    except ScoreFileError as error:
        raise InvalidInput(str(error)) from None
    except (pa.ArrowException, OSError) as error:
        text = str(error).partition("\n")[0][:200].rstrip(".")
        raise InvalidInput(f"{path.name} cannot be read: {text}.") from None


def as_batch(rows: pa.RecordBatch, form: Form, *, texts: bool = False, first_row: int = 0) -> Batch:
    """texts: whether all columns are texts, as of CSV. Raises InvalidInput naming column, row and what is allowed."""
    reader = _Reader(rows, form, texts, first_row)
    columns = {name: reader.column(name, about) for name, about in form.facts.items() if name in reader.given}
    return Batch(columns, reader.assessments(), reader.groups())


class _Reader:
    def __init__(self, rows: pa.RecordBatch, form: Form, texts: bool, first_row: int) -> None:
        self.rows, self.form, self.texts, self.first_row = rows, form, texts, first_row
        self.given = set(rows.schema.names)
        self.read: dict[str, Group] = {}  # texts by their places, which segments are told by

    def column(self, name: str, about: Name) -> Column:
        if about.kind == NUMBER:
            return self.numbers(name)
        return self.flags(name) if about.kind == FLAG else self.named(name, about.values)

    def numbers(self, name: str) -> Column:
        """NaN where it is not known."""
        found, kind = self.rows.column(name), self.rows.column(name).type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        if not number and not pa.types.is_null(kind) and not self.texts:
            raise self._wrong(name, f"A column of {_kind(kind)} was given; allowed are numbers.")
        numbers = self._cast(name, found, pa.float64(), "numbers").to_numpy(zero_copy_only=False).astype(float)
        least, most, whole = BOUNDS.get(name, (-MOST, MOST, False))
        right = np.isnan(numbers) | ((numbers >= least) & (numbers <= most))
        if whole:
            right &= np.isnan(numbers) | (numbers == np.floor(numbers))
        if not right.all():
            noun = "whole numbers" if whole else "numbers"
            raise self._refused(name, right, numbers, f"{noun} from {least} to {most}")
        return numbers

    def flags(self, name: str) -> Column:
        """0 false, 1 not known, 2 true."""
        found = self.rows.column(name)
        if not pa.types.is_boolean(found.type) and not pa.types.is_null(found.type) and not self.texts:
            raise self._wrong(name, f"A column of {_kind(found.type)} was given; allowed are true and false.")
        flags = self._cast(name, found, pa.bool_(), "true and false")
        return pc.fill_null(pc.if_else(flags, 2, 0), 1).to_numpy(zero_copy_only=False).astype(np.uint8)

    def named(self, name: str, values: Sequence[str]) -> Column:
        """ "" where it is not known."""
        group = self.group(name)
        if values:
            used = np.bincount(group.places, minlength=len(group.names)) > 0
            wrong = [
                one for one, is_used in zip(group.names, used, strict=True) if is_used and one not in ("", *values)
            ]
            if wrong:
                given = ", ".join(repr(one[:40]) for one in wrong[:5])
                raise self._wrong(name, f"{given} was given; allowed are {', '.join(values)}.")
        return np.array(group.names)[group.places]

    def group(self, name: str) -> Group:
        if name not in self.read:
            self.read[name] = self._encoded(name)
        return self.read[name]

    def _encoded(self, name: str) -> Group:
        column = self.rows.column(name)
        if not pa.types.is_dictionary(column.type):
            kind = column.type
            is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
            if not is_text and name not in self.form.by:
                raise self._wrong(name, f"A column of {kind} was given; allowed are texts.")
            column = self._cast(name, column, pa.string(), "texts").dictionary_encode()
        names = column.dictionary.cast(pa.string()).to_pylist()
        places = pc.fill_null(column.indices.cast(pa.int64()), len(names)).to_numpy(zero_copy_only=False)
        return Group([*names, ""], places)

    def _cast(self, name: str, column: pa.Array, kind: pa.DataType, wanted: str) -> pa.Array:
        try:
            return column.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            text = str(error).partition("\n")[0][:120].rstrip(".")
            raise self._wrong(name, f"{text}; allowed are {wanted} of at most {MOST}.") from None

    def assessments(self) -> Assessments:
        score, probability, horizon = (self.numbers(name) for name in ASSESSED)
        together = (np.isnan(score) == np.isnan(probability)) & (np.isnan(score) == np.isnan(horizon))
        if not together.all():
            raise self._refused(
                "score", together, score, "all of score, probability_of_default, horizon_months or none"
            )
        bar = self.named("bar", BESIDE["bar"]) if "bar" in self.given else np.full(len(score), "")
        return Assessments(score, probability, horizon, self._grades(probability, horizon), bar)

    def _grades(self, probability: Column, horizon: Column) -> Column:
        if "grade" in self.given:
            return self.named("grade", LETTERS)
        found = worked_out_grades(probability, horizon)
        names, places = np.unique(found, return_inverse=True)
        self.read["grade"] = Group(names.tolist(), places)
        return found

    def groups(self) -> dict[str, Group]:
        wanted = [name for name in SEGMENTS if name in self.given or name in self.read]
        return {name: self._few(name) for name in (*wanted, *(one for one in self.form.by if one not in wanted))}

    def _few(self, name: str) -> Group:
        group = self.group(name)
        if len(group.names) > MOST_VALUES:
            raise self._wrong(name, f"It has more than {MOST_VALUES} values; segments are told by columns of few.")
        return Group([one or UNKNOWN for one in group.names], group.places)

    def _wrong(self, name: str, why: str) -> InvalidInput:
        return InvalidInput.of(**{name: why})

    def _refused(self, name: str, right: Column, values: Column, allowed: str) -> InvalidInput:
        place = int(np.flatnonzero(~right)[0])
        return self._wrong(name, f"Row {self.first_row + place + 1} holds {values[place]:g}; allowed are {allowed}.")


def _kind(kind: pa.DataType) -> str:
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)


def worked_out_grades(probability: Column, horizon: Column) -> Column:
    """By the engine's own grades; "" where nothing was assessed."""
    found = np.full(len(probability), "")
    for months in np.unique(horizon[~np.isnan(horizon)]):
        rows = np.flatnonzero(horizon == months)
        values, places = np.unique(probability[rows], return_inverse=True)
        found[rows] = np.array([grade(float(one), int(months)) for one in values])[places]
    return found


def only_of_currency(batch: Batch, rows: pa.RecordBatch, currency: str) -> tuple[Batch, Mapping[str, int]]:
    """Those in the policies' currency, and how many there are of each other one. Empty means the policies' own."""
    if "currency" not in rows.schema.names:
        return batch, {}
    named = rows.column("currency")
    named = named.dictionary_decode() if pa.types.is_dictionary(named.type) else named
    named = pc.fill_null(named.cast(pa.string()), currency)
    counts = {one["values"]: one["counts"] for one in pc.value_counts(named).to_pylist()}
    others = {name: number for name, number in counts.items() if name != currency}
    if wrong := [name for name in others if name not in CURRENCIES]:
        raise InvalidInput.of(currency=f"{wrong[0][:40]!r} was given; allowed are {', '.join(CURRENCIES)}.")
    return (batch.only(pc.equal(named, currency).to_numpy(zero_copy_only=False)) if others else batch), others


def as_rows(found: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(found), schema=schema)
