"""A file of applicants scored: CSV or Parquet in and out, batch by batch, in constant memory; whole or not at all.

Beside OUT stand <stem>.errors.csv, one line a refused field, if any row was refused, and <stem>.summary.json.
"""

import csv
import datetime as dt
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from apps.scoring_engine.ml.batch import UNAVAILABLE, BatchError, BatchScorer, Scored
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import Scorer
from apps.scoring_engine.ml.vocabulary import SCALE_OF, FactError
from apps.scoring_engine.score_summary import Summary
from apps.scoring_engine.score_tables import ReadTable, ScoreFileError, open_table, write_table

THREADS = 2
AHEAD = 4  # batches in hand at once
Told = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    source: Path
    out: Path
    as_of: dt.date
    keep: tuple[str, ...] = ()
    top_reasons: int = 4
    contributions: bool = False


def score_file(
    scorer: Scorer, manifest: dict[str, Any], job: Job, *, warn: Callable[[str], None] = lambda text: None,
    progress: Told = lambda done, rows: None,
) -> dict[str, Any]:  # fmt: skip
    """Scores the rows of a file and gives the summary; raises ScoreFileError, and then nothing is written.

    warn: called at once with what to know of the columns; progress: the share that is read, and rows done.
    """
    if not isinstance(scorer, Scorecard):
        raise ScoreFileError(f"{scorer.version} is not a points table: only scorecards score files.")
    try:
        with open_table(job.source, scorer_columns(scorer), job.keep) as table:
            for text in remarks(scorer, table, job):
                warn(text)
            return _scored(scorer, manifest, job, table, progress)
    except BatchError as error:
        raise ScoreFileError(str(error)) from None
    except (OSError, pa.ArrowException) as error:
        text = str(getattr(error, "strerror", None) or error).partition("\n")[0][:200].rstrip(".")
        raise ScoreFileError(f"{job.source.name} cannot be scored into {job.out.name}: {text}.") from None


def scorer_columns(scorer: Scorecard) -> list[str]:
    """The columns that mean something to a card, but for those to keep."""
    return [*BatchScorer(scorer, as_of=dt.date.max).layout.facts, UNAVAILABLE]


def remarks(scorer: Scorecard, table: ReadTable, job: Job) -> Iterator[str]:
    """What is told before the first row is scored; raises ScoreFileError if nothing could be."""
    known, present = set(scorer_columns(scorer)), set(table.names)
    if lost := [name for name in job.keep if name not in present]:
        raise ScoreFileError(f"{job.source.name} has no column {', '.join(lost)} to keep.")
    used = scorer.facts_used - {"term_months"} if scorer.horizon["kind"] == "contract" else scorer.facts_used
    if not used & present:
        raise ScoreFileError(f"{job.source.name} has none of the facts of this card: {', '.join(sorted(used))}.")
    if unknown := [name for name in table.names if name not in known and name not in job.keep]:
        yield f"Columns that are no facts, and are left out: {', '.join(unknown)}."
    if absent := sorted(scorer.facts_used - present):
        yield f"Facts of the card that the table lacks, missing for every row: {', '.join(absent)}."
    for score, scale in SCALE_OF.items():
        if score in present and scale not in present and score in scorer.facts_used:
            yield f"{score} has no column {scale} beside it, so it counts as a score of another scale."
    if unused := sorted(known & present - scorer.facts_used - {UNAVAILABLE}):
        yield f"Facts that are checked, but not used by this card: {', '.join(unused)}."


def _scored(
    scorer: Scorecard, manifest: dict[str, Any], job: Job, table: ReadTable, progress: Told
) -> dict[str, Any]:  # fmt: skip
    batches = BatchScorer(scorer, as_of=job.as_of, top_reasons=job.top_reasons, contributions=job.contributions,
                          keep=job.keep, texts=table.texts)  # fmt: skip
    summary = Summary(scorer, batches.layout, manifest)
    with _Outputs(job) as outputs:
        for scored in _in_order(batches, table):
            outputs.write(scored, summary.rows)
            summary.add(scored)
            progress(table.position() / table.size, summary.rows)
        if not summary.rows:
            raise ScoreFileError(f"{job.source.name} has no rows.")
        found = summary.as_dict() | {"as_of": job.as_of.isoformat(), "file": job.source.name}
        outputs.finish(found)
    return found


def _in_order(batches: BatchScorer, table: ReadTable) -> Iterator[Scored]:
    """A few batches are scored at once; the loops leave Python free. They come out in the order of the file."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[Scored]] = deque()
        try:
            for batch in table.batches():
                waiting.append(pool.submit(batches.score, batch))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class _Outputs:
    """Files written beside their names and renamed at the end: an interrupted or failed run leaves nothing."""

    def __init__(self, job: Job) -> None:
        self._out = job.out
        stem = job.out.with_suffix("")
        self._errors, self._summary = Path(f"{stem}.errors.csv"), Path(f"{stem}.summary.json")
        if job.source.resolve() in {path.resolve() for path in (self._out, self._errors, self._summary)}:
            raise ScoreFileError(f"{job.source.name} would be overwritten: give another OUT.")
        self._parts = {path: path.parent / f".{path.name}.{os.getpid()}.part"
                       for path in (self._out, self._errors, self._summary)}  # fmt: skip
        self._refused = False
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._table = self._opened.enter_context(write_table(self._parts[self._out], self._out.suffix))
        file = self._opened.enter_context(self._parts[self._errors].open("w", encoding="utf-8", newline=""))
        self._error_rows = csv.writer(file)
        self._error_rows.writerow(("row", "field", "given", "message"))
        return self

    def write(self, scored: Scored, rows_before: int) -> None:
        self._table.write(scored.batch.drop_columns("errors"))
        for row, errors in scored.refused.items():
            self._refused = True
            self._error_rows.writerows(_error_row(rows_before + row + 1, error) for error in errors)

    def finish(self, summary: dict[str, Any]) -> None:
        self._opened.close()
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        self._parts[self._summary].write_text(f"{text}\n", encoding="utf-8")
        if not self._refused:
            self._parts.pop(self._errors).unlink()
            self._errors.unlink(missing_ok=True)  # of a run before, of which nothing else is left
        for path, part in reversed(self._parts.items()):
            part.replace(path)

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        for part in self._parts.values():
            part.unlink(missing_ok=True)


def _error_row(row: int, error: FactError) -> tuple[int, str, str, str]:
    return row, error.field, error.given, error.message
