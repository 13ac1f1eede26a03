"""Many applicants at once: Arrow batches in, batches with scores and reasons out, the very points of Scorecard.score.

Columns are read, checked and looked up by compiled loops. Rows that these are not sure of (out of bounds, of
another type, and the like) go through check_facts one by one: it passes them, or has the words of the refusal.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from apps.common.sentences import Sentence

from . import batch_kernels as kernels
from .batch_columns import Column, entries_of, fact_of, missing, names_by_row
from .batch_tables import EPOCH, BatchError, Layout, TablePlan
from .features import DAYS_OF_YEAR
from .grades import GRADES, grade, probability_of_default
from .scorecard import Scorecard
from .vocabulary import SCALE_BOUNDS, SCALE_OF, SCALES, FactError, FactsError, check_facts, shown

__all__ = ["BatchError", "BatchScorer", "Scored", "score_batches"]

UNAVAILABLE = "unavailable"
ERRORS = pa.list_(pa.struct([("field", pa.string()), ("given", pa.string()), ("message", pa.string())]))
LONGEST_TERM = 600
_BOUNDS = np.array([SCALE_BOUNDS.get(scale, (-np.inf, np.inf)) for scale in SCALES], np.float64)
_ALL_HERE = np.empty(0, np.uint8)
_SCORE, _SCALE = next(iter(SCALE_OF.items()))


def score_batches(
    card: Scorecard,
    batches: Iterator[pa.RecordBatch],
    *,
    as_of: dt.date,
    top_reasons: int = 4,
    contributions: bool = False,
    keep: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Scores each batch; its columns are facts by name, and `unavailable` (lists of names, or texts with commas).

    Out come the columns to `keep`, score, probability_of_default, grade, reason_1 and so on (codes; most harmful
    first, only what costs points), points_<feature> with `contributions`, and errors: of a row that is refused and
    not scored, each refused field, what was given, and what is allowed. Raises BatchError for unusable columns.
    """
    scorer = BatchScorer(card, as_of=as_of, top_reasons=top_reasons, contributions=contributions, keep=keep)
    return (scorer.score(batch).batch for batch in batches)


@dataclass(frozen=True, slots=True)
class Scored:
    """batch: what goes out; places: of each table and row; refused: errors by row; rows missing a required input."""

    batch: pa.RecordBatch
    scores: np.ndarray
    places: np.ndarray
    refused: dict[int, list[FactError]]
    missing_required: dict[str, int]


class BatchScorer:
    """A card laid out for batches; one of it may score in several threads. texts: columns are those of a CSV."""

    def __init__(
        self, card: Scorecard, *, as_of: dt.date, top_reasons: int = 4, contributions: bool = False,
        keep: Sequence[str] = (), texts: bool = False,
    ) -> None:  # fmt: skip
        if top_reasons < 0:
            raise BatchError(f"There cannot be {top_reasons} reasons.")
        self.layout = Layout(card)
        self._card = card
        self._as_of = as_of
        self._texts = texts
        self._keep = tuple(keep)
        self._contributions = contributions
        self._top_reasons = min(top_reasons, len(self.layout.tables))
        self._codes = pa.array([table.code for table in self.layout.tables])
        self._letters = pa.array([letter for letter, _ in GRADES])
        if taken := {*self.added()} & {*keep}:
            raise BatchError(f"A column to keep may not be called {', '.join(sorted(taken))}: it is written here.")
        self._lowest = card.reachable[0]
        possible = range(self._lowest, card.reachable[1] + 1)
        self._probabilities = np.array([probability_of_default(score) for score in possible])
        self._grades_by_months: dict[int, np.ndarray] = {}

    def added(self) -> list[str]:
        """The columns that come out beside those to keep."""
        reasons = [f"reason_{number}" for number in range(1, self._top_reasons + 1)]
        points = [f"points_{table.name}" for table in self.layout.tables] if self._contributions else []
        return ["score", "probability_of_default", "grade", *reasons, *points, "errors"]

    def score(self, batch: pa.RecordBatch) -> Scored:
        rows = _Rows(self.layout, batch, self._as_of, texts=self._texts)
        places = rows.placed()
        refused = rows.look_closer(places)
        scores = np.empty(batch.num_rows, np.int32)
        points = np.empty((len(places) * self._contributions, batch.num_rows), np.int32)
        kernels.sum_points(places, self.layout.points, self._card.base_points, scores, points)
        given = np.ones(batch.num_rows, np.bool_)
        given[[*refused]] = False
        columns = self._columns(batch, rows, places, scores, points, given, refused)
        absent = {name: rows.missing(name, given) for name in self._card.required}
        return Scored(pa.RecordBatch.from_pydict(columns), scores[given], places[:, given] if refused else places,
                      refused, absent)  # fmt: skip

    def _columns(
        self, batch: pa.RecordBatch, rows: "_Rows", places: np.ndarray, scores: np.ndarray, points: np.ndarray,
        given: np.ndarray, refused: dict[int, list[FactError]],
    ) -> dict[str, pa.Array]:  # fmt: skip
        blank = ~given if refused else None
        at = np.where(given, scores - self._lowest, 0) if refused else scores - self._lowest
        columns = {name: batch.column(name) for name in self._keep}
        columns["score"] = pa.array(scores, mask=blank)
        columns["probability_of_default"] = pa.array(self._probabilities[at], mask=blank)
        columns["grade"] = self._grades(rows, at, blank)
        columns |= self._reasons(places, given if refused else None)
        lines = zip(self.layout.tables, points, strict=True) if self._contributions else ()
        columns |= {f"points_{table.name}": pa.array(line, mask=blank) for table, line in lines}
        return columns | {"errors": _errors(refused, batch.num_rows)}

    def _reasons(self, places: np.ndarray, given: np.ndarray | None) -> dict[str, pa.Array]:
        found = np.empty((self._top_reasons, places.shape[1]), np.int8 if len(self._codes) < 128 else np.int16)
        if self._top_reasons:
            kernels.worst_tables(places, self.layout.keys, found)
        return {
            f"reason_{number}": pa.DictionaryArray.from_arrays(
                pa.array(line, mask=(line < 0) if given is None else (line < 0) | ~given), self._codes
            )
            for number, line in enumerate(found, start=1)
        }

    def _grades(self, rows: "_Rows", at: np.ndarray, blank: np.ndarray | None) -> pa.Array:
        """By the horizon, which may be the term of each loan."""
        months = rows.terms() if self._card.horizon["kind"] == "contract" else None
        if months is None:
            letters = self._letters_over(self._card.horizon_months())[at]
        else:
            table = np.zeros((LONGEST_TERM + 1, len(self._probabilities)), np.int8)
            for term in np.flatnonzero(np.bincount(months)):
                table[term] = self._letters_over(self._card.horizon_months(int(term) or None))
            letters = table[months, at]
        return pa.DictionaryArray.from_arrays(pa.array(letters, mask=blank), self._letters)

    def _letters_over(self, months: int) -> np.ndarray:
        """The place of the grade by score, counted from the lowest."""
        if months not in self._grades_by_months:
            places = {letter: place for place, (letter, _) in enumerate(GRADES)}
            letters = [places[grade(probability, months)] for probability in self._probabilities.tolist()]
            self._grades_by_months[months] = np.array(letters, np.int8)
        return self._grades_by_months[months]


class _Rows:
    """The rows of one batch: values and states by line of the layout."""

    def __init__(self, layout: Layout, batch: pa.RecordBatch, as_of: dt.date, *, texts: bool) -> None:
        self._layout = layout
        self._batch = batch
        self._as_of = as_of
        self._texts = texts
        self._unsure = np.zeros(batch.num_rows, np.bool_)
        self._here = np.zeros(batch.num_rows, np.uint8)
        nothing = missing(batch.num_rows)
        self._values = [nothing[0]] * layout.lines
        self._states = [nothing[1]] * layout.lines
        self._present = [name for name in layout.facts if name in batch.schema.names]
        self._terms: dict[int, int] = {}  # of rows that were checked one by one
        self._strangers: dict[int, list[FactError]] = {}
        self._load()
        self._mark_unavailable()
        self._apply_scale()
        self._derive()

    def _load(self) -> None:
        for name in self._present:
            plan = self._layout.facts[name]
            column = Column(plan, self._unsure, self._here, self._as_of)
            column.load(self._batch.column(name), texts=self._texts)
            self._values[plan.line], self._states[plan.line] = column.values, column.states

    def _mark_unavailable(self) -> None:
        if UNAVAILABLE not in self._batch.schema.names:
            return
        rows, names = names_by_row(self._batch.column(UNAVAILABLE))
        for name, places in entries_of(names):
            plan = self._layout.facts.get(name)
            if plan is None:
                self._refuse_strangers(name, rows[places])
                continue
            down, states = rows[places], self._states[plan.line].copy()
            states[down[states[down] == kernels.MISSING]] = kernels.UNAVAILABLE
            self._states[plan.line] = states

    def _refuse_strangers(self, name: str, rows: np.ndarray) -> None:
        error = FactError(
            UNAVAILABLE,
            shown(name),
            Sentence("must name facts of {segment} applicants", segment=self._layout.scorer.segment),
        )
        for row in rows.tolist():
            self._strangers.setdefault(row, []).append(error)
        self._unsure[rows] = True

    def _apply_scale(self) -> None:
        facts = self._layout.facts
        if _SCORE in facts:
            line = facts[_SCORE].line
            self._values[line], self._states[line] = self._values[line].copy(), self._states[line].copy()
            kernels.apply_scale(self._values[line], self._states[line], self._values[facts[_SCALE].line], _BOUNDS,
                                self._layout.own_scale, self._layout.other_scale, self._unsure)  # fmt: skip

    def _derive(self) -> None:
        values, states = self._values, self._states
        for made in self._layout.derived:
            out, first = (np.empty(len(self._here)), np.empty(len(self._here), np.uint8)), made.parts[0]
            values[made.line], states[made.line] = out
            if made.kind == "years_between":
                today = (self._as_of - EPOCH).days
                kernels.derive_years(values[first], states[first], today, DAYS_OF_YEAR, *out)
                continue
            second = made.parts[1]
            of = values[first], values[second], states[first], states[second]
            if made.kind == "ratio":
                kernels.derive_ratio(*of, made.multiplier, made.least, made.most, *out)
            else:
                kernels.derive_difference(*of, *out)

    def placed(self) -> np.ndarray:
        """The place of every row in every table."""
        places = np.empty((len(self._layout.tables), self._batch.num_rows), np.uint16)
        for table, line in zip(self._layout.tables, places, strict=True):
            if len(table.axes) == 2:
                self._place_pair(table, line)
                continue
            axis = table.axes[0]
            values, states = self._values[axis.line], self._states[axis.line]
            if states is self._here and not len(axis.groups):
                states = _ALL_HERE
            if len(axis.groups):
                kernels.place_groups(values, states, axis.groups, axis.state_places, line)
            else:
                kernels.place_numbers(values, states, axis.edges, axis.state_places, line)
        return places

    def _place_pair(self, table: TablePlan, out: np.ndarray) -> None:
        found = []
        for axis in table.axes:
            line = np.empty(self._batch.num_rows, np.int64)
            kernels.place_on_axis(self._values[axis.line], self._states[axis.line], axis.edges, axis.groups,
                                  axis.special_place, line)  # fmt: skip
            found.append(line)
        states = (self._states[axis.line] for axis in table.axes)
        kernels.place_pairs(*found, *states, table.width, table.cells, out)

    def look_closer(self, places: np.ndarray) -> dict[int, list[FactError]]:
        """Checks unsure rows one by one: `places` of those that pass are set anew, the others come back as refused."""
        refused = {}
        for row in np.flatnonzero(self._unsure).tolist():
            errors = [*self._check(row, places), *self._strangers.get(row, ())]
            if errors:
                refused[row] = errors
                places[:, row] = 0
        return refused

    def _check(self, row: int, places: np.ndarray) -> list[FactError]:
        card = self._layout.scorer
        try:
            facts = check_facts(card.segment, self.facts(row), as_of=self._as_of, own=card.own)
        except FactsError as error:
            return error.errors
        bins = card.score(facts, as_of=self._as_of, unavailable=self._down(row)).bins
        places[:, row] = [table.places[bins[table.name]] for table in self._layout.tables]
        self._terms[row] = facts.get("term_months", 0)
        return []

    def facts(self, row: int) -> dict[str, Any]:
        """One row as the check of facts wants it."""
        values = {name: self._batch.column(name)[row].as_py() for name in self._present}
        return {name: fact_of(self._layout.facts[name], value, texts=self._texts) for name, value in values.items()}

    def _down(self, row: int) -> frozenset[str]:
        if UNAVAILABLE not in self._batch.schema.names:
            return frozenset()
        return frozenset(
            name for name, _ in entries_of(names_by_row(self._batch.column(UNAVAILABLE)[row : row + 1])[1])
        )

    def terms(self) -> np.ndarray:
        """Whole months, 0 where no term is known."""
        terms = self._values[self._layout.facts["term_months"].line]
        whole = np.where((terms >= 1) & (terms <= LONGEST_TERM), terms, 0).astype(np.int16)
        whole[[*self._terms]] = [*self._terms.values()]
        return whole

    def missing(self, name: str, given: np.ndarray) -> int:
        """Scored rows in which the applicant gave no `name`."""
        return int(np.count_nonzero((self._states[self._layout.facts[name].line] == kernels.MISSING) & given))


def _errors(refused: dict[int, list[FactError]], rows: int) -> pa.Array:
    if not refused:
        return pa.nulls(rows, ERRORS)
    plain = {row: [{"field": e.field, "given": e.given, "message": e.message} for e in errors]
             for row, errors in refused.items()}  # fmt: skip
    return pa.array([plain.get(row) for row in range(rows)], ERRORS)
