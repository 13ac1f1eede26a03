"""The exported SQL, run by the databases themselves, gives the engine's own numbers."""

import datetime as dt
import sqlite3
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from django.db import connection

from apps.scoring_engine.ml.exports.as_pmml import as_pmml
from apps.scoring_engine.ml.exports.as_sql import Table, as_sql
from apps.scoring_engine.ml.exports.parts import ExportError
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.databases import (
    TABLE,
    Answer,
    answers_of,
    ask_duckdb,
    ask_sqlite,
    columns_of,
    rows_of,
    sqlite_with,
)
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF, Applicant
from apps.scoring_engine.ml.tests.examples import OWN_FACTS, applicant, small_card, wide_card
from apps.scoring_engine.ml.tests.exported import DRAWN, cases, exported_card

pytestmark = pytest.mark.xdist_group("exports")
every_card = pytest.mark.parametrize("name", DRAWN)
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL is asked where the tests run on it (make test-postgresql)"
)
POSTGRESQL_TYPES = {
    "money": "bigint", "integer": "bigint", "number": "float8", "category": "text", "flag": "boolean", "date": "date",
}  # fmt: skip


def applicants_of(name: str) -> list[Applicant]:
    return [(case.facts, case.unavailable) for case in cases(name)]


def expected(name: str) -> list[Answer]:
    return answers_of(exported_card(name), [case.assessment for case in cases(name)])


@every_card
@pytest.mark.parametrize("ask", [ask_sqlite, ask_duckdb])
def test_a_database_gives_the_score_and_all_points_of_the_engine(ask, name):
    found = ask(exported_card(name), applicants_of(name))
    assert found == expected(name)
    assert {type(answer[1]) for answer in found} == {int}


@on_postgresql
@every_card
@pytest.mark.django_db
def test_postgresql_gives_the_score_and_all_points_of_the_engine(name):
    fields = ", ".join(
        f'"{column}" {POSTGRESQL_TYPES[kind]}' for column, kind in columns_of(exported_card(name)).items()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE applicants ({fields})")
        with cursor.copy("COPY applicants FROM STDIN") as copy:
            for row in rows_of(exported_card(name), applicants_of(name)):
                copy.write_row(row)
        cursor.execute(as_sql(exported_card(name), "postgresql", TABLE))
        found = cursor.fetchall()
    assert sorted(found) == expected(name)
    assert {type(row[1]) for row in found} == {int}


def asked(card: dict[str, Any], table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """One applicant, asked of SQLite."""
    sql = as_sql(Scorecard.from_dict(card), "sqlite", table)
    database = sqlite_with(list(row), [tuple(row.values())])
    database.row_factory = sqlite3.Row
    (found,) = database.execute(sql).fetchall()
    return dict(found)


def row_for(**changes: Any) -> dict[str, Any]:
    return {"id": 7, "as_of": AS_OF, **applicant(), **changes}


def test_columns_are_named_after_characteristics_and_pairs():
    found = asked(wide_card(), Table(), row_for(**OWN_FACTS))
    assert list(found)[:4] == ["id", "score", "probability_of_default", "amount_to_income_points"]
    assert list(found)[-1] == "savings_x_years_known_points"
    assert found["score"] == 497


def test_the_table_its_keys_and_columns_can_be_called_otherwise():
    row = row_for(branch="it's") | {'sal "ary': 1000}
    del row["yearly_income"]
    table = Table("main.applicants", ("branch", "id"), {"yearly_income": 'sal "ary'})
    found = asked(small_card(), table, row)
    assert list(found.items())[:3] == [("branch", "it's"), ("id", 7), ("score", 475)]


def test_one_day_of_scoring_for_all_rows():
    row = row_for()
    del row["as_of"]
    assert asked(small_card(), Table(as_of=AS_OF), row)["credit_age_points"] == 15
    assert asked(small_card(), Table(as_of=dt.date(2020, 6, 1)), row)["credit_age_points"] == 0


def test_without_a_column_for_it_nothing_is_unavailable():
    found = asked(small_card(), Table(), row_for(purpose=None))
    assert found["purpose_points"] == -15
    assert "unavailable" not in as_sql(Scorecard.from_dict(small_card()), "sqlite")


def test_a_fact_counts_as_unavailable_by_its_whole_name():
    down = Table(unavailable="down")
    assert asked(small_card(), down, row_for(purpose=None, down="purposes,a_purpose"))["purpose_points"] == -15
    assert asked(small_card(), down, row_for(purpose=None, down="x, purpose"))["purpose_points"] == 10
    assert asked(small_card(), down, row_for(purpose="car", down="purpose"))["purpose_points"] == 10


@pytest.mark.parametrize("value", [float("nan"), None])
def test_nan_is_missing(value):
    row = row_for(yearly_income=value)
    assert asked(small_card(), Table(), row)["amount_to_income_points"] == -10
    columns = {name: [value] for name, value in row.items()}
    with duckdb.connect() as database:
        database.register("applicants", pa.table(columns))
        found = database.execute(as_sql(Scorecard.from_dict(small_card()), "duckdb")).fetchall()
    assert found[0][3] == -10


@on_postgresql
@pytest.mark.django_db
def test_nan_is_missing_on_postgresql():
    row = row_for(yearly_income="NaN")
    types = {name: "text" if name != "yearly_income" else "float8" for name in row}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE applicants ({', '.join(f'{n} {kind}' for n, kind in types.items())})")
        cursor.execute(f"INSERT INTO applicants VALUES ({', '.join(['%s'] * len(row))})", [*map(str, row.values())])
        cursor.execute(as_sql(Scorecard.from_dict(small_card()), "postgresql"))
        assert cursor.fetchone()[3] == -10


@pytest.mark.parametrize(
    ("dialect", "table", "sentence"),
    [
        ("oracle", Table(), "The dialect must be one of sqlite, postgresql, duckdb, not oracle."),
        ("sqlite", Table(columns={"salary": "x"}), "salary: not a fact that this card reads."),
        ("sqlite", Table(keys=("score",)), "A key cannot be called score, which is a column of the result."),
    ],
)
def test_what_cannot_be_exported(dialect, table, sentence):
    with pytest.raises(ExportError) as raised:
        as_sql(Scorecard.from_dict(small_card()), dialect, table)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("export", [lambda card: as_sql(card, "sqlite"), as_pmml])
def test_numbers_beyond_what_a_database_keeps_exactly_are_refused(export):
    card = small_card()
    card["features"][0]["most"] = 1e300
    with pytest.raises(ExportError, match="The bounds of amount_to_income are too large"):
        export(Scorecard.from_dict(card))
    card = small_card()
    card["characteristics"][0]["edges"][2] = 10**17 + 1
    with pytest.raises(ExportError, match="The edges of amount_to_income are too large"):
        export(Scorecard.from_dict(card))


@pytest.mark.parametrize("step", ["given", "Points", "derived_1"])
def test_a_table_called_as_a_step_needs_its_schema(step):
    with pytest.raises(ExportError, match=f"A table called {step}, as a step of the SQL is, needs its schema"):
        as_sql(Scorecard.from_dict(small_card()), "sqlite", Table(step))
    row = row_for()
    database = sqlite_with([*row], [tuple(row.values())])
    database.execute(f"ALTER TABLE applicants RENAME TO {step}")
    (found,) = database.execute(as_sql(Scorecard.from_dict(small_card()), "sqlite", Table(f"main.{step}"))).fetchall()
    assert found[:2] == (7, 475)
