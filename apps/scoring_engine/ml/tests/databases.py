"""Applicants put into a table, and what the exported SQL says of them in SQLite and DuckDB, and what batches say."""

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from apps.scoring_engine.ml.batch import score_batches
from apps.scoring_engine.ml.exports.as_sql import Table, as_sql
from apps.scoring_engine.ml.exports.parts import Parts
from apps.scoring_engine.ml.scorecard import Assessment, Scorecard
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF, Applicant
from apps.scoring_engine.ml.tests.strategies import facts_known

TABLE = Table(unavailable="down")
ARROW_TYPES = {
    "money": pa.int64(), "integer": pa.int64(), "number": pa.float64(), "category": pa.string(), "flag": pa.bool_(),
    "date": pa.date32(),
}  # fmt: skip
Answer = tuple[Any, ...]  # id, score, probability of default, points of every characteristic and pair


def columns_of(card: Scorecard) -> dict[str, str]:
    """Kind by column of the table of applicants."""
    return {"id": "integer", "as_of": "date", "down": "category", **Parts(card).kinds()}


def rows_of(card: Scorecard, applicants: Sequence[Applicant]) -> list[tuple]:
    facts = Parts(card).kinds()
    return [
        (number, AS_OF, ", ".join(sorted(unavailable)) or None, *(given.get(fact) for fact in facts))
        for number, (given, unavailable) in enumerate(applicants)
    ]


def answers_of(card: Scorecard, assessments: Sequence[Assessment]) -> list[Answer]:
    """What the SQL has to answer, as the engine says it."""
    return [
        (number, found.score, found.probability_of_default, *map(_points(found).get, _tables(card)))
        for number, found in enumerate(assessments)
    ]


def _tables(card: Scorecard) -> list[str]:
    return [c.feature for c in card.characteristics] + [pair.name for pair in card.pairs]


def _points(assessment: Assessment) -> dict[str, int]:
    return {entry["feature"]: entry["points"] for entry in assessment.explanation}


def ask_sqlite(card: Scorecard, applicants: Sequence[Applicant]) -> list[Answer]:
    database = sqlite_with([*columns_of(card)], rows_of(card, applicants))
    return sorted(database.execute(as_sql(card, "sqlite", TABLE)).fetchall())


def sqlite_with(columns: Sequence[str], rows: Sequence[tuple]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    database.execute(f"CREATE TABLE applicants ({quoted})")
    plain = [[value.isoformat() if isinstance(value, dt.date) else value for value in row] for row in rows]
    database.executemany(f"INSERT INTO applicants VALUES ({', '.join('?' * len(columns))})", plain)
    return database


def ask_duckdb(card: Scorecard, applicants: Sequence[Applicant]) -> list[Answer]:
    columns = columns_of(card)
    arrays = [
        pa.array(values, ARROW_TYPES[kind])
        for values, kind in zip(zip(*rows_of(card, applicants), strict=True), columns.values(), strict=True)
    ]
    with duckdb.connect() as database:
        database.register("applicants", pa.table(dict(zip(columns, arrays, strict=True))))
        return sorted(database.execute(as_sql(card, "duckdb", TABLE)).fetchall())


def ask_batches(card: Scorecard, applicants: Sequence[Applicant]) -> list[Answer]:
    columns = {
        name: pa.array([facts.get(name) for facts, _ in applicants], ARROW_TYPES[fact.kind])
        for name, fact in facts_known(card).items()
    }
    down = pa.array([",".join(sorted(unavailable)) or None for _, unavailable in applicants], pa.string())
    batch = pa.RecordBatch.from_pydict(columns | {"unavailable": down})
    (answer,) = score_batches(card, iter([batch]), as_of=AS_OF, contributions=True)
    names = ["score", "probability_of_default", *(f"points_{name}" for name in _tables(card))]
    return [(number, *map(row.get, names)) for number, row in enumerate(answer.to_pylist())]
