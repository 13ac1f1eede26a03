"""The texts that are put together of kept parts are those that json would write of the whole."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.facts import Found
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.examples import small_card, wide_card
from apps.scoring_engine.ml.tests.strategies import AS_OF, applicants
from apps.scoring_engine.sealing import digested_text, sealed_text, written_facts

AT = datetime(2024, 1, 1, 9, 30, tzinfo=UTC)
SOURCES = [Found(1, "profile", AT), Found(1, "soliq", AT, "mock", True), Found(1, "soliq", AT, "mock", False)]
KEPT = ("feature", "value", "points", "reference_points", "code")


def plain(facts):
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def bits(value):
    """1, 1.0 and true are equal in Python and are not the same text."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("card", [Scorecard.from_dict(small_card()), Scorecard.from_dict(wide_card())])
@given(data=st.data())
def test_texts_are_those_of_the_whole_documents(card, data):
    facts = data.draw(applicants(card))
    names = st.sampled_from(sorted(entry.name for entry in card.inputs))
    unavailable = data.draw(st.sets(names)) - set(facts)
    sources = {name: dict(SOURCES[place % 3].provenance()) for place, name in enumerate(facts)}
    scored = card.score(facts, as_of=AS_OF, unavailable=frozenset(unavailable))
    bins, written = scored.bins, written_facts(facts)
    rest = {"currency": "UZS", "unavailable": sorted(unavailable), "missing_required": scored.missing_required}

    digested = {"facts": plain(facts), "unavailable": sorted(unavailable), "currency": "UZS"}
    digested |= {"model": card.digest, "bins": bins}
    expected = json.dumps(digested, sort_keys=True, separators=(",", ":"))
    assert digested_text(written, unavailable, "UZS", card.digest, bins) == expected

    opened = json.loads(sealed_text(written, sources, scored.explanation, bins, scored.warnings, rest))
    kept = [{name: entry[name] for name in KEPT} | {"bin": bins[entry["feature"]]} for entry in scored.explanation]
    whole = rest | {"warnings": scored.warnings, "facts": plain(facts), "sources": sources, "characteristics": kept}
    assert bits(opened) == bits(whole)
    assert [*opened["facts"]] == [*facts]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_number_is_refused(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        written_facts({"revolving_utilisation": value})


def test_texts_are_escaped():
    assert written_facts({"industry": 'ў"\\'}) == {"industry": '"industry":' + json.dumps('ў"\\')}
