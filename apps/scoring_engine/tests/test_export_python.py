"""The exported Python, run by a Python that sees nothing else, gives the engine's own assessments."""

import ast
import datetime as dt
import json
import subprocess
import sys

import pytest

from apps.scoring_engine.ml.exports.as_python import as_python
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF
from apps.scoring_engine.ml.tests.examples import applicant, small_card
from apps.scoring_engine.ml.tests.exported import DRAWN, cases, exported_card

pytestmark = pytest.mark.xdist_group("exports")
# No project, no packages: the module is loaded by its path alone.
ASK = """
import datetime, json, runpy, sys
score = runpy.run_path(sys.argv[1])["score"]
as_of = datetime.date.fromisoformat(sys.argv[2])
for line in sys.stdin:
    facts, unavailable = json.loads(line)
    print(json.dumps(score(facts, as_of, frozenset(unavailable))))
"""


def without_texts(explanation: list[dict]) -> list[dict]:
    return [{key: value for key, value in entry.items() if key != "reason"} for entry in explanation]


@pytest.mark.parametrize("name", DRAWN)
def test_it_gives_what_the_engine_gives(name, tmp_path):
    module = tmp_path / "card.py"
    module.write_text(as_python(exported_card(name)), encoding="utf-8")
    asked = "\n".join(json.dumps([case.plain(), sorted(case.unavailable)]) for case in cases(name))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, module, AS_OF.isoformat()],
        input=asked, capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == DRAWN[name]
    for answer, case in zip(answers, cases(name), strict=True):
        assessment = case.assessment
        assert (answer["score"], answer["probability_of_default"]) == (
            assessment.score, assessment.probability_of_default,
        )  # fmt: skip
        assert answer["explanation"] == without_texts(assessment.explanation)


def loaded(card: dict) -> dict:
    names: dict = {}
    exec(compile(as_python(Scorecard.from_dict(card)), "card", "exec"), names)  # noqa: S102
    return names


def test_dates_may_be_texts_nan_is_missing_and_the_day_is_today():
    score = loaded(small_card())["score"]
    today = dt.date.today()
    facts = applicant(oldest_account_date=today.isoformat(), yearly_income=float("nan"))
    points = {entry["feature"]: entry["points"] for entry in score(facts)["explanation"]}
    assert points == {"amount_to_income": -10, "credit_age": 0, "credit_history_score": 30, "purpose": 10}
    assert score(applicant(), AS_OF)["score"] == 475


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(as_python(exported_card("golden")))
    found = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
             for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)}  # fmt: skip
    assert found == {"datetime", "bisect"}


def test_a_hostile_text_stays_a_text():
    text = '""" \\""" + os.abort() #{0} \\N{x} \\'
    card = small_card() | {"definition_of_bad": text}
    card["inputs"][2]["special_codes"]["850"] = "frozen\nimport os; os.abort()\r\u2028raise SystemExit"
    card["characteristics"][0]["label"] = "x\\' ''' \"\"\" # {0}"
    names = loaded(card)
    assert text in names["__doc__"]
    assert names["score"](applicant(), AS_OF)["score"] == 475
