"""score_file: a table in; scores, refused rows and a summary out, whole or not at all."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.scoring_engine import score_files
from apps.scoring_engine.ml.drift import population_stability_index
from apps.scoring_engine.ml.risk_model import card_in_service, shipped_model
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF, EdgeApplicants
from apps.scoring_engine.ml.tests.test_batch import batch_of, by_row
from apps.scoring_engine.ml.vocabulary import FactsError, check_facts

MODEL = str(Path(score_files.__file__).parent / "ml/models/individual_model.joblib")
HEAD = "id,yearly_income,requested_amount,credit_history_score,credit_history_scale,oldest_account_date,term_months"
GOOD = "a1,60000000,12000000,712,fico_300_850,2012-03-01,36"


def run(source: Path, out: Path, *options: str) -> None:
    call_command("score_file", MODEL, str(source), str(out), "--as-of", AS_OF.isoformat(), *options)


def written(folder: Path, text: str, name: str = "in.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def summary_of(out: Path) -> dict[str, Any]:
    return json.loads(out.with_suffix(".summary.json").read_text())


def test_parquet_to_parquet_has_the_scores_of_the_row_path_and_the_kept_columns(tmp_path):
    card = card_in_service("individual").card
    drawn = EdgeApplicants(card, 3).take(300)
    table = pa.table(batch_of(card, drawn)).append_column("id", pa.array(range(300)))
    pq.write_table(table, tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", tmp_path / "out.parquet", "--keep", "id", "--contributions")
    wanted = [{"id": number} | by_row(card, applicant) for number, applicant in enumerate(drawn)]
    for row in wanted:
        del row["errors"]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == wanted
    assert files_in(tmp_path) == ["in.parquet", "out.parquet", "out.summary.json"]


def test_csv_to_csv_scores_what_it_can_and_names_what_it_refused(tmp_path):
    bad = "b2,-5,12000000,712,fico_300_850,2031-01-01,36"
    text = "c3,60000000,12000000.5,900,fico_300_850,,abc"
    run(
        written(tmp_path, "\n".join([HEAD, GOOD, bad, text, ""])),
        tmp_path / "out.csv",
        "--keep",
        "id",
        "--reasons",
        "2",
    )
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    card = card_in_service("individual").card
    facts = dict(zip(HEAD.split(",")[1:], [60000000, 12000000, 712, "fico_300_850", "2012-03-01", 36], strict=True))
    wanted = by_row(card, (check_facts("individual", facts, as_of=AS_OF), frozenset()))
    assert list(rows[0]) == ["id", "score", "probability_of_default", "grade", "reason_1", "reason_2"]
    assert (rows[0]["id"], int(rows[0]["score"]), rows[0]["grade"]) == ("a1", wanted["score"], wanted["grade"])
    assert float(rows[0]["probability_of_default"]) == wanted["probability_of_default"]
    assert [rows[0]["reason_1"], rows[0]["reason_2"]] == [wanted["reason_1"] or "", wanted["reason_2"] or ""]
    assert [(row["id"], row["score"], row["reason_1"]) for row in rows[1:]] == [("b2", "", ""), ("c3", "", "")]
    errors = list(csv.DictReader((tmp_path / "out.errors.csv").open()))
    assert [(row["row"], row["field"], row["given"]) for row in errors] == [
        ("2", "yearly_income", "-5"), ("2", "oldest_account_date", '"2031-01-01"'),
        ("3", "requested_amount", '"12000000.5"'), ("3", "term_months", '"abc"'),
        ("3", "credit_history_score", "900"),
    ]  # fmt: skip
    assert errors[0]["message"] == "must be a whole number from 0 to 1000000000000000"
    found = summary_of(tmp_path / "out.csv")
    assert (found["rows"], found["scored"], found["refused"]) == (3, 1, 2)
    assert found["score"]["quantiles"]["50%"] == found["score"]["least"] == wanted["score"]
    assert found["grades"][wanted["grade"]] == sum(found["grades"].values()) == 1


@pytest.mark.parametrize(
    ("value", "fact"), [(True, "yearly_income"), ("5", "yearly_income"), (5.5, "yearly_income"), ("x", "purpose"),
                        (float("nan"), "revolving_utilisation"), (7, "purpose"), ("2023-02-30", "oldest_account_date")],
)  # fmt: skip
def test_a_row_is_refused_in_the_words_of_the_check_of_facts(tmp_path, value, fact):
    pq.write_table(pa.table({fact: [value], "requested_amount": [1]}), tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", tmp_path / "out.parquet")
    with pytest.raises(FactsError) as refused:
        check_facts("individual", {fact: value, "requested_amount": 1}, as_of=AS_OF)
    said = refused.value.errors[0]
    found = list(csv.DictReader((tmp_path / "out.errors.csv").open()))
    assert found == [{"row": "1", "field": fact, "given": said.given, "message": said.message}]


def test_stability_is_told_against_the_training_rows_of_the_manifest(tmp_path):
    _, _, manifest = shipped_model("individual")
    run(written(tmp_path, "\n".join([HEAD, *[GOOD] * 50, ""])), tmp_path / "out.csv")
    found = summary_of(tmp_path / "out.csv")["training"]
    assert sorted(found["psi"]) == sorted(manifest["training_bins"])
    by_score, score = manifest["training_scores"], summary_of(tmp_path / "out.csv")["score"]["least"]
    now = np.bincount(np.searchsorted(by_score["edges"], [score], side="right"), [50], len(by_score["rows"]))
    wanted = population_stability_index(np.array(by_score["rows"]), now)
    assert found["psi_of_the_score"] == pytest.approx(wanted, abs=1e-4)
    assert found["moved"]["credit_history_score"] == "red"


def test_what_the_columns_lack_is_told_before_scoring(tmp_path, capsys):
    run(written(tmp_path, "name,credit_history_score\nx,700\n"), tmp_path / "out.csv")
    told = capsys.readouterr().err
    assert "Columns that are no facts, and are left out: name." in told
    assert "missing for every row: credit_history_scale, " in told
    assert "credit_history_score has no column credit_history_scale beside it" in told


@pytest.mark.parametrize(
    ("name", "text", "out", "options", "said"),
    [
        ("in.csv", "a,b\n1,2\n", "out.csv", (), "has none of the facts of this card"),
        ("in.csv", f"{HEAD}\n", "out.csv", (), "has no rows"),
        ("in.csv", f"{HEAD}\n{GOOD}\n", "out.csv", ("--keep", "nothing"), "no column nothing to keep"),
        ("in.csv", f"{HEAD}\n{GOOD}\n", "in.csv", (), "would be overwritten"),
        ("in.csv", f"{HEAD}\n{GOOD}\n1,2\n", "out.csv", (), "Expected 7 columns"),
        ("in.csv", f"{HEAD}\n{GOOD}\n", "out.xlsx", (), "must end in one of"),
        ("in.xlsx", "x", "out.csv", (), "must be CSV or Parquet"),
        ("in.parquet", "no parquet", "out.csv", (), "is no PARQUET"),
        ("in.csv", f"{HEAD}\n{GOOD}\n", "out.csv", ("--reasons", "-1"), "must be from 0"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence_and_leaves_nothing(tmp_path, name, text, out, options, said):
    source = written(tmp_path, text, name)
    with pytest.raises(CommandError, match=said) as refused:
        run(source, tmp_path / out, *options)
    assert refused.value.returncode == 2
    assert files_in(tmp_path) == [name]
    assert source.read_text() == text


def test_an_interrupted_run_leaves_the_files_of_the_run_before(tmp_path, monkeypatch):
    source = written(tmp_path, f"{HEAD}\n{GOOD}\n")
    run(source, tmp_path / "out.csv")
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(score_files.Summary, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out.csv")
    assert {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)} == before


def test_a_csv_reads_as_parquet_does(tmp_path):
    source = written(tmp_path, f"{HEAD}\n{GOOD}\nb2,,12000000,712,fico_300_850,,\n")
    pq.write_table(pacsv.read_csv(source), tmp_path / "in.parquet")
    run(source, tmp_path / "from_csv.parquet")
    run(tmp_path / "in.parquet", tmp_path / "from_parquet.parquet")
    assert pq.read_table(tmp_path / "from_csv.parquet").equals(pq.read_table(tmp_path / "from_parquet.parquet"))
