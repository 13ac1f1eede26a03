"""The exported PMML, read by JPMML, gives the engine's own scores and reasons."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from apps.scoring_engine.ml.exports.as_pmml import as_pmml
from apps.scoring_engine.ml.tests.edge_applicants import AS_OF
from apps.scoring_engine.ml.tests.exported import DRAWN, Case, cases, exported_card

pytestmark = pytest.mark.xdist_group("exports")
READER = Path(__file__).with_name("pmml_reader.py")
NAMES = {"": "http://www.dmg.org/PMML-4_4"}


def row_of(case: Case) -> dict:
    down = ", ".join(sorted(case.unavailable)) or None
    return {**case.plain(), "as_of": AS_OF.isoformat(), "unavailable": down}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What JPMML says, by card: one Java machine for all of them."""
    if shutil.which("java") is None:
        pytest.skip("there is no Java here (apt-get install default-jre-headless)")
    folder = tmp_path_factory.mktemp("pmml")
    for name in DRAWN:
        (folder / f"{name}.pmml").write_text(as_pmml(exported_card(name)))
        (folder / f"{name}.rows.json").write_text(json.dumps([row_of(case) for case in cases(name)]))
    subprocess.run([sys.executable, READER, folder], check=True, capture_output=True, text=True)
    return {name: json.loads((folder / f"{name}.answers.json").read_text()) for name in DRAWN}


@pytest.mark.parametrize("name", DRAWN)
def test_an_independent_reader_gives_the_scores_of_the_engine(answers, name):
    found = answers[name]
    assert [answer["score"] for answer in found] == [case.assessment.score for case in cases(name)]
    # Java's power of two may differ from Python's in the last bit.
    assert all(
        math.isclose(answer["probability_of_default"], case.assessment.probability_of_default, rel_tol=1e-15)
        for answer, case in zip(found, cases(name), strict=True)
    )


@pytest.mark.parametrize("name", DRAWN)
def test_an_independent_reader_ranks_the_reasons_alike(answers, name):
    """Only negative impacts are reasons; equal ones stand in any order."""
    for answer, case in zip(answers[name], cases(name), strict=True):
        impacts = {entry["code"]: entry["impact"] for entry in case.assessment.explanation}
        harmful = [impact for impact in sorted(impacts.values()) if impact < 0][:4]
        named = [answer[f"reason_code_{rank}"] for rank in range(1, len(harmful) + 1)]
        assert [impacts[code] for code in named] == harmful
        assert len(set(named)) == len(named)


def test_texts_of_a_card_stay_texts():
    root = ElementTree.fromstring(as_pmml(exported_card("golden")))  # noqa: S314
    values = {predicate.get("value") for predicate in root.iterfind(".//SimplePredicate", NAMES)}
    assert {"it's", 'a "b"', "back\\slash", "<b>&amp;]]>", "*/ --;"} <= values
    assert root.find("Header/Extension", NAMES).get("value") == exported_card("golden").digest
