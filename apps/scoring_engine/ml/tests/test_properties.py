"""What holds for every applicant, on the example cards, the expert cards and whatever is in service."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

from .examples import small_card, wide_card
from .strategies import AS_OF, applicants, facts_known, values_of

EXAMPLES = {"small": small_card, "wide": wide_card}


@cache
def card_called(name: str) -> Scorecard:
    kind, segment = name.split()
    if kind in EXAMPLES:
        return Scorecard.from_dict(EXAMPLES[kind]())
    return expert_card(segment) if kind == "expert" else card_in_service(segment).card


CARDS = [
    "small individual",
    "wide individual",
    "expert individual",
    "expert company",
    "serving individual",
    "serving company",
]
every_card = pytest.mark.parametrize("name", CARDS)
many = settings(max_examples=60, deadline=None)


@every_card
@many
@given(data=st.data())
def test_score_is_reference_score_and_impacts(name, data):
    card = card_called(name)
    facts = check_facts(card.segment, data.draw(applicants(card)), as_of=AS_OF, own=card.own)
    unavailable = data.draw(st.frozensets(st.sampled_from(sorted(facts_known(card)))))
    assessment = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    impacts = [e["impact"] for e in assessment.explanation]
    assert assessment.score == card.reference_score + sum(impacts)
    assert assessment.score == card.base_points + sum(e["points"] for e in assessment.explanation)
    assert [(e["impact"], e["feature"]) for e in assessment.explanation] == sorted(
        (e["impact"], e["feature"]) for e in assessment.explanation
    )
    assert all(e["impact"] == e["points"] - e["reference_points"] for e in assessment.explanation)
    assert card.reachable[0] <= assessment.score <= card.reachable[1]
    assert set(assessment.bins) == {c.feature for c in card.characteristics} | {p.name for p in card.pairs}
    assert json.loads(json.dumps(assessment.explanation, allow_nan=False)) == assessment.explanation


@every_card
@many
@given(data=st.data())
def test_a_card_read_back_from_json_scores_the_same(name, data):
    card = card_called(name)
    again = Scorecard.from_dict(json.loads(json.dumps(card.to_dict())))
    facts = check_facts(card.segment, data.draw(applicants(card)), as_of=AS_OF, own=card.own)
    first, second = card.score(facts, as_of=AS_OF), again.score(facts, as_of=AS_OF)
    assert again.digest == card.digest
    assert (first.score, first.explanation, first.bins, first.warnings) == (
        second.score, second.explanation, second.bins, second.warnings,
    )  # fmt: skip


def ordered_inputs(card: Scorecard) -> list[tuple[str, str]]:
    """(fact, direction) for facts that move the score in one order alone, through characteristics and pairs."""
    directions: dict[str, list[str]] = {}
    flip = {"higher_is_safer": "higher_is_riskier", "higher_is_riskier": "higher_is_safer", "free": "free"}
    parts = {f.name: f for f in card.features}
    for c in (*card.characteristics, *(axis for pair in card.pairs for axis in pair.axes)):
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
    one_way = {name: set(found) for name, found in directions.items()}
    return [(name, *found) for name, found in one_way.items() if len(found) == 1 and found != {"free"}]


@every_card
@many
@given(data=st.data())
def test_worsening_an_ordered_fact_never_improves_the_score(name, data):
    card = card_called(name)
    fact, direction = data.draw(st.sampled_from(ordered_inputs(card)))
    facts = data.draw(applicants(card))
    if card.segment == "individual":
        facts |= {"credit_history_scale": "fico_300_850", "credit_history_score": 650}
    # Special codes, such as 850 of the small card, are outside the order.
    values = st.integers(300, 849) if fact == "credit_history_score" else values_of(facts_known(card)[fact])
    pair = sorted([data.draw(values), data.draw(values)], reverse=direction == "higher_is_safer")
    checked = [check_facts(card.segment, facts | {fact: value}, own=card.own) for value in pair]
    better, worse = (card.score(facts, as_of=AS_OF).score for facts in checked)
    assert worse <= better


@every_card
def test_something_is_ordered(name):
    assert ordered_inputs(card_called(name))


@many
@given(data=st.data())
def test_nothing_that_is_not_a_value_earns_the_points_of_a_cell(data):
    card = card_called("wide individual")
    facts = check_facts(card.segment, data.draw(applicants(card)), as_of=AS_OF, own=card.own)
    unavailable = data.draw(st.frozensets(st.sampled_from(sorted(facts_known(card)))))
    assessment = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    entries = {entry["feature"]: entry for entry in assessment.explanation}
    for pair in card.pairs:
        entry, label = entries[pair.name], assessment.bins[pair.name]
        if label == "missing":
            assert entry["points"] == pair.missing_points
        elif None in entry["value"]:
            assert label in ("unavailable", "special")
            assert entry["impact"] == 0
        else:
            assert " x " in label
            assert entry["points"] in [points for line in pair.points for points in line]


def test_pairs_make_a_fact_ordered_or_free():
    assert dict(ordered_inputs(card_called("wide individual"))) == {
        "requested_amount": "higher_is_riskier",
        "credit_history_score": "higher_is_safer",
        "oldest_account_date": "higher_is_riskier",
        "months_at_address": "higher_is_safer",
        "savings": "higher_is_safer",
    }
