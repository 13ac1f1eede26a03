"""One golden card per format of cards: whatever the engine becomes, it loads and scores as on the day it was kept.

The files are never written anew; a new format of cards adds one.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from apps.scoring_engine.ml.cards import FORMAT
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

FOLDER = Path(__file__).parent
FORMATS = range(1, FORMAT + 1)


def kept(number: int) -> dict[str, Any]:
    return json.loads((FOLDER / f"card_format_{number}.json").read_text())


@pytest.mark.parametrize("number", FORMATS)
def test_a_card_of_each_format_scores_as_it_did(number):
    golden = kept(number)
    card, as_of = Scorecard.from_dict(golden["card"]), dt.date.fromisoformat(golden["as_of"])
    assert card.digest == golden["digest"]
    assert len(golden["applicants"]) == 60
    for applicant in golden["applicants"]:
        facts = check_facts(card.segment, applicant["facts"], as_of=as_of, own=card.own)
        found = card.score(facts, as_of=as_of, unavailable=frozenset(applicant["unavailable"]))
        points = {entry["feature"]: entry["points"] for entry in found.explanation}
        assert (found.score, points) == (applicant["score"], applicant["points"])
        assert found.probability_of_default.hex() == applicant["probability_of_default"]


def test_the_golden_card_has_every_part_that_its_format_knows():
    card = kept(1)["card"]
    assert {feature["kind"] for feature in card["features"]} == {"ratio", "difference", "years_between"}
    assert {entry["kind"] for entry in card["inputs"]} == {"money", "integer", "number", "category", "flag", "date"}
    assert {"groups" in table for table in card["characteristics"]} == {True, False}
    assert {axis.get("special", False) for pair in card["pairs"] for axis in pair["axes"]} == {True, False}
    assert any("values" in entry for entry in card["inputs"])
    assert any("scale" in entry for entry in card["inputs"])
