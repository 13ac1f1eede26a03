"""Batches give what the row path gives: the same points, probability bits, grade and reasons, for any applicant."""

from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.batch import BatchScorer
from apps.scoring_engine.ml.grades import grade
from apps.scoring_engine.ml.risk_model import expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

from .databases import ARROW_TYPES
from .edge_applicants import AS_OF, Applicant, EdgeApplicants
from .examples import small_card
from .exported import exported_card
from .strategies import applicants, facts_known

CARDS = ("golden", "individual", "company", "expert", "expert of individuals", "wide", "small")


@cache
def card_named(name: str) -> Scorecard:
    if name == "small":
        return Scorecard.from_dict(small_card())
    return expert_card("individual") if name == "expert of individuals" else exported_card(name)


@cache
def scorer_of(name: str) -> BatchScorer:
    return BatchScorer(card_named(name), as_of=AS_OF, contributions=True)


def batch_of(card: Scorecard, drawn: list[Applicant]) -> pa.RecordBatch:
    columns = {
        name: pa.array([facts.get(name) for facts, _ in drawn], ARROW_TYPES[fact.kind])
        for name, fact in facts_known(card).items()
    }
    down = pa.array([sorted(unavailable) or None for _, unavailable in drawn], pa.list_(pa.string()))
    return pa.RecordBatch.from_pydict(columns | {"unavailable": down})


def by_row(card: Scorecard, applicant: Applicant) -> dict[str, Any]:
    facts, unavailable = applicant
    found = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    worst = [entry["code"] for entry in found.explanation if entry["impact"] < 0]
    probability = found.probability_of_default
    return {
        "score": found.score,
        "probability_of_default": probability,
        "grade": grade(probability, card.horizon_months(facts.get("term_months"))),
        **{f"reason_{k + 1}": worst[k] if k < len(worst) else None for k in range(4)},
        **{f"points_{entry['feature']}": entry["points"] for entry in found.explanation},
        "errors": None,
    }


def assert_same(name: str, drawn: list[Applicant]) -> None:
    card = card_named(name)
    found = scorer_of(name).score(batch_of(card, drawn)).batch.to_pylist()
    for applicant, row in zip(drawn, found, strict=True):
        assert row == by_row(card, applicant)


@pytest.mark.parametrize("name", CARDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_applicants_have_the_points_of_the_row_path(name, data):
    card = card_named(name)
    sent = applicants(card).map(lambda facts: check_facts(card.segment, facts, as_of=AS_OF, own=card.own))
    names = st.frozensets(st.sampled_from(sorted(facts_known(card))), max_size=4)
    assert_same(name, data.draw(st.lists(st.tuples(sent, names), min_size=1, max_size=12)))


@pytest.mark.parametrize("name", CARDS)
def test_edges_codes_zeros_and_denormals_have_the_points_of_the_row_path(name):
    assert_same(name, EdgeApplicants(card_named(name), 7).take(1500))
