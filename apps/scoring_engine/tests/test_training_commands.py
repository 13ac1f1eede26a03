"""The commands of training as a script sees them: what they print, write and exit with."""

import json

import pytest
from django.core.management import CommandError, call_command

from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written

QUICK = "pairs = 0\n"


def refused(*command):
    with pytest.raises(CommandError) as error:
        call_command(*map(str, command))
    return error.value.returncode, str(error.value)


def test_a_draft_is_printed_or_written_once(tmp_path, capsys):
    data, out = tmp_path / "loans.csv", tmp_path / "draft.toml"
    loans(600).to_csv(data, index=False)
    command = ["draft_recipe", str(data), "--target", "outcome", "--date", "issued"]
    call_command(*command)
    printed = capsys.readouterr().out
    call_command(*command, "--out", str(out))
    assert out.read_text() == printed
    assert refused(*command, "--out", out) == (2, f"The file {out} is there already: name another with --out.")
    assert refused(*command, "--out", tmp_path / "no" / "x.toml")[0] == 2
    assert refused("draft_recipe", data, "--target", "x")[0] == 2


def test_a_refusal_exits_with_2_and_writes_nothing(tmp_path):
    table = loans(600).astype({"amount": object})
    table.loc[4, "amount"] = "abc"
    recipe, data = written(tmp_path, table, QUICK + recipe_text())
    code, sentence = refused("train_model", recipe, "--data", data, "--out", tmp_path / "out")
    assert (code, sentence) == (2, "Column 'amount', row 5: 'abc' is not a finite number.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loans.csv", "recipe.toml"]
    assert refused("train_model", tmp_path / "no.toml", "--data", data, "--out", tmp_path / "out")[0] == 2
    assert refused("train_model", recipe, "--data", data, "--out", tmp_path / "out", "--extra", "x")[0] == 2


def test_a_failed_gate_exits_with_3_and_warnings_are_told(tmp_path, capsys):
    table = loans(1500)
    table.loc[table["issued"] >= "2016-06-01", "purpose"] = "moving"
    recipe, data = written(tmp_path, table, QUICK + recipe_text() + "\n[gates]\nauc_at_least = 0.999\n")
    code, sentence = refused("train_model", recipe, "--data", data, "--out", tmp_path / "out")
    assert code == 3
    assert sentence.startswith("The model is written, but a gate of the recipe failed: auc is 0.")
    printed = capsys.readouterr()
    assert json.loads(printed.out)["model"] == "small-1.0.0"
    assert "Warning: Column 'purpose': " in printed.err
    assert (tmp_path / "out" / "individual_model.joblib").exists()
