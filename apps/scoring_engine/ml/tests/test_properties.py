"""What holds for every applicant, on the small card, the expert cards and whatever is in service."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FACTS, check_facts

from .examples import small_card
from .strategies import AS_OF, applicants, values_of


@cache
def card_called(name: str) -> Scorecard:
    kind, segment = name.split()
    if kind == "small":
        return Scorecard.from_dict(small_card())
    return expert_card(segment) if kind == "expert" else card_in_service(segment).card


CARDS = ["small individual", "expert individual", "expert company", "serving individual", "serving company"]
every_card = pytest.mark.parametrize("name", CARDS)
many = settings(max_examples=60, deadline=None)


@every_card
@many
@given(data=st.data())
def test_score_is_reference_score_and_impacts(name, data):
    card = card_called(name)
    facts = check_facts(card.segment, data.draw(applicants(card.segment)), as_of=AS_OF)
    unavailable = data.draw(st.frozensets(st.sampled_from(sorted(FACTS[card.segment]))))
    assessment = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    impacts = [e["impact"] for e in assessment.explanation]
    assert assessment.score == card.reference_score + sum(impacts)
    assert assessment.score == card.base_points + sum(e["points"] for e in assessment.explanation)
    assert [(e["impact"], e["feature"]) for e in assessment.explanation] == sorted(
        (e["impact"], e["feature"]) for e in assessment.explanation
    )
    assert all(e["impact"] == e["points"] - e["reference_points"] for e in assessment.explanation)
    assert card.reachable[0] <= assessment.score <= card.reachable[1]
    assert set(assessment.bins) == {c.feature for c in card.characteristics}
    assert json.loads(json.dumps(assessment.explanation, allow_nan=False)) == assessment.explanation


@every_card
@many
@given(data=st.data())
def test_a_card_read_back_from_json_scores_the_same(name, data):
    card = card_called(name)
    again = Scorecard.from_dict(json.loads(json.dumps(card.to_dict())))
    facts = check_facts(card.segment, data.draw(applicants(card.segment)), as_of=AS_OF)
    first, second = card.score(facts, as_of=AS_OF), again.score(facts, as_of=AS_OF)
    assert again.digest == card.digest
    assert (first.score, first.explanation, first.bins, first.warnings) == (
        second.score, second.explanation, second.bins, second.warnings,
    )  # fmt: skip


def ordered_inputs(card: Scorecard) -> list[tuple[str, str]]:
    """(fact, direction) for facts that move the score through one ordered characteristic alone."""
    directions: dict[str, list[str]] = {}
    flip = {"higher_is_safer": "higher_is_riskier", "higher_is_riskier": "higher_is_safer", "free": "free"}
    parts = {f.name: f for f in card.features}
    for c in card.characteristics:
        feature = parts.get(c.feature)
        if feature is None:
            directions.setdefault(c.feature, []).append(c.direction)
        elif feature.kind == "ratio":
            # Of a ratio only the part above the line has one direction whatever the signs are.
            directions.setdefault(feature.of[0], []).append(c.direction)
            directions.setdefault(feature.of[1], []).append("free")
        elif feature.kind == "years_between":
            directions.setdefault(feature.of[0], []).append(flip[c.direction])
    # A difference may stand in several characteristics, with its parts on either side.
    for part in [part for f in card.features if f.kind == "difference" for part in (f.name, *f.of)]:
        directions.setdefault(part, []).append("free")
    return [
        (name, found[0]) for name, found in directions.items() if found in (["higher_is_safer"], ["higher_is_riskier"])
    ]


@every_card
@many
@given(data=st.data())
def test_worsening_an_ordered_fact_never_improves_the_score(name, data):
    card = card_called(name)
    fact, direction = data.draw(st.sampled_from(ordered_inputs(card)))
    facts = data.draw(applicants(card.segment))
    if card.segment == "individual":
        facts |= {"credit_history_scale": "fico_300_850", "credit_history_score": 650}
    # Special codes, such as 850 of the small card, are outside the order.
    values = st.integers(300, 849) if fact == "credit_history_score" else values_of(FACTS[card.segment][fact])
    pair = sorted([data.draw(values), data.draw(values)], reverse=direction == "higher_is_safer")
    checked = [check_facts(card.segment, facts | {fact: value}) for value in pair]
    better, worse = (card.score(facts, as_of=AS_OF).score for facts in checked)
    assert worse <= better


@every_card
def test_something_is_ordered(name):
    assert ordered_inputs(card_called(name))
