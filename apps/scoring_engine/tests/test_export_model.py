import hashlib
import json
import sqlite3

import pytest
from django.core.management import CommandError, call_command

from apps.scoring_engine.ml.exports.as_json import as_json
from apps.scoring_engine.ml.exports.as_pmml import as_pmml
from apps.scoring_engine.ml.exports.as_python import as_python
from apps.scoring_engine.ml.exports.as_sql import as_sql
from apps.scoring_engine.ml.exports.parts import ExportError
from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Scorecard

pytestmark = pytest.mark.django_db
VERSION = expert_card("company").version


def export(*arguments: str) -> str:
    """The file that the command writes."""
    call_command("export_model", *map(str, arguments))
    return arguments[1].read_text(encoding="utf-8")


@pytest.mark.parametrize("form", [as_json, as_pmml, as_python])
def test_a_form_that_needs_no_settings(form, tmp_path, capsys):
    name = form.__name__.removeprefix("as_")
    assert export("individual", tmp_path / "out", "--to", name) == form(card_in_service("individual").card)
    digest = card_in_service("individual").card.digest
    assert capsys.readouterr().out.endswith(f"({digest}) is in {tmp_path / 'out'}.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_json_has_the_digest_of_the_card_and_is_the_card(tmp_path):
    text = export(VERSION, tmp_path / "card.json", "--to", "json")
    assert hashlib.sha256(text.encode()).hexdigest() == expert_card("company").digest
    assert Scorecard.from_dict(json.loads(text)).digest == expert_card("company").digest


def test_sql_is_for_sqlite_unless_told_otherwise(tmp_path):
    card = expert_card("company")
    assert export(VERSION, tmp_path / "a.sql", "--to", "sql") == as_sql(card, "sqlite")
    assert export(VERSION, tmp_path / "a.sql", "--to", "sql", "--dialect", "duckdb") == as_sql(card, "duckdb")


def test_sql_over_a_table_of_the_lenders_own(tmp_path):
    sql = export(
        "individual", tmp_path / "a.sql", "--to", "sql", "--table", "loans", "--key", "loan", "--key", "branch",
        "--column", "yearly_income=Доход", "--as-of", "2024-01-01", "--unavailable-column", "down",
    )  # fmt: skip
    card = card_in_service("individual").card
    columns = {entry.name for entry in card.inputs} - {"yearly_income"} | {"credit_history_scale"}
    names = ["loan", "branch", "Доход", "down", *columns]
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE loans ({})".format(", ".join(f'"{name}"' for name in names)))
    database.execute("INSERT INTO loans (loan, branch, Доход) VALUES (1, 'Xiva', 5000)")
    found = database.execute(sql).fetchone()
    assert found[:2] == (1, "Xiva")
    assert type(found[2]) is int


def test_the_expert_card_in_place_of_a_champion_is_told(tmp_path, capsys, no_models):
    export("individual", tmp_path / "a.json", "--to", "json")
    assert capsys.readouterr().err.startswith("Warning: The expert card is used: no model of this segment")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody", "OUT", "--to", "json"], '"nobody" is no model here: give the path of a .joblib file'),
        (["individual", "OUT", "--to", "json", "--dialect", "duckdb"], "--dialect: only for --to sql."),
        (["individual", "OUT", "--to", "sql", "--column", "salary"], "--column must be FACT=COLUMN, not 'salary'."),
        (["individual", "OUT", "--to", "sql", "--column", "xyz=a"], "xyz: not a fact that this card reads."),
        (["individual", "OUT", "--to", "sql", "--as-of", "1.3.2026"], "--as-of must be a day such as 2026-03-01"),
        (["individual", "OUT/no/such", "--to", "json"], "cannot be written (No such file or directory)."),
        (["individual", ".", "--to", "json"], ". cannot be written ("),
    ],
)
def test_a_refusal_is_one_sentence_and_writes_nothing(arguments, sentence, tmp_path):
    with pytest.raises(CommandError) as raised:
        call_command("export_model", *[text.replace("OUT", str(tmp_path / "out")) for text in arguments])
    assert sentence in str(raised.value)
    assert raised.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [as_json, as_pmml, as_python, lambda scorer: as_sql(scorer, "sqlite")])
def test_only_points_tables_are_exported(form):
    class Other:
        version = "lightgbm-3"

    with pytest.raises(ExportError) as raised:
        form(Other())
    assert str(raised.value) == "lightgbm-3 is not a points table: only scorecards can be exported."
