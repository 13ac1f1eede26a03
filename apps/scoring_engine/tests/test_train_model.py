import json

import pytest
from django.core.management import CommandError, call_command

from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written


def test_ends_with_one_line_of_figures_and_writes_four_files(tmp_path, capsys):
    recipe, data = written(tmp_path, loans(1500), recipe_text())
    call_command("train_model", str(recipe), "--data", str(data), "--out", str(tmp_path / "out"))
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(lines[-1])
    assert len(lines) == 1
    assert figures["out_of_time"] == "2015-01-01"
    assert 0.5 < figures["auc"] < 1
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"individual_model.{end}" for end in ("joblib", "manifest.json", "md", "recipe.toml")]


def test_an_absent_column_is_one_sentence_and_exit_2_and_nothing_is_written(tmp_path, capsys):
    recipe, data = written(tmp_path, loans(300).drop(columns=["amount", "purpose"]), recipe_text())
    with pytest.raises(CommandError) as refused:
        call_command("train_model", str(recipe), "--data", str(data), "--out", str(tmp_path / "out"))
    assert refused.value.returncode == 2
    assert str(refused.value) == "The table loans.csv has no column 'amount', 'purpose'."
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().out == ""


def test_an_extra_without_a_name_is_refused(tmp_path):
    recipe, data = written(tmp_path, loans(50), recipe_text())
    with pytest.raises(CommandError, match="--extra must be NAME=FILE") as refused:
        call_command("train_model", str(recipe), "--data", str(data), "--extra", "x.csv", "--out", str(tmp_path))
    assert refused.value.returncode == 2
