import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.scoring_engine.ml.learning.tests.hand_made import written

ROOT = Path(__file__).resolve().parents[3]


def test_ends_with_one_line_of_figures_and_writes_two_files(tmp_path, capsys):
    model, data = written(tmp_path)
    call_command("validate_model", str(model), "--data", str(data), "--group", "branch", "--out", str(tmp_path / "out"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["sample"] == "out_of_time"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["validation.html", "validation.json"]
    figures = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert list(figures["fairness"]) == ["sex", "branch"]
    assert json.loads(lines[0])["auc"] == figures["test"]["auc"]


def test_made_twice_the_files_are_the_same_to_the_byte_also_in_another_process(tmp_path):
    model, data = written(tmp_path)
    for number in ("1", "2"):
        subprocess.run(
            [sys.executable, "manage.py", "validate_model", model, "--data", data, "--out", tmp_path / number],
            check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": number},
        )  # fmt: skip
    for name in ("validation.json", "validation.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--group", "income"], "The column 'income' is an input of the recipe"),
        (["--group", "nothing"], "The table loans.csv has no column 'nothing'"),
        (["--extra", "x.csv"], "--extra must be NAME=FILE"),
        (["--recipe", "absent.toml"], "The recipe absent.toml cannot be read"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_2_and_nothing_is_written(tmp_path, capsys, arguments, sentence):
    model, data = written(tmp_path)
    with pytest.raises(CommandError) as refused:
        call_command("validate_model", str(model), "--data", str(data), "--out", str(tmp_path / "out"), *arguments)
    assert refused.value.returncode == 2
    assert str(refused.value).startswith(sentence)
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().out == ""


def test_a_model_without_its_recipe_is_refused(tmp_path):
    model, data = written(tmp_path)
    (tmp_path / "individual_model.recipe.toml").unlink()
    with pytest.raises(CommandError, match=r"individual_model.recipe.toml cannot be read") as refused:
        call_command("validate_model", str(model), "--data", str(data), "--out", str(tmp_path / "out"))
    assert refused.value.returncode == 2
