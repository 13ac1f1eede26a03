"""The unrolled card and its tables are one card: where the first answers at all, it answers as the second."""

import pytest

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card
from apps.scoring_engine.ml.scorecard import Assessment, Scorecard

from .edge_applicants import AS_OF, EdgeApplicants
from .examples import applicant, small_card, wide_card
from .exported import exported_card

NOBODY = frozenset()


def hostile_card() -> dict:
    """The golden card without its pairs."""
    return exported_card("golden").to_dict() | {"pairs": []}


CARDS = {
    "small": lambda: Scorecard.from_dict(small_card()),
    "hostile": lambda: Scorecard.from_dict(hostile_card()),
    "individual": lambda: card_in_service("individual").card,
    "company": lambda: card_in_service("company").card,
    "expert": lambda: expert_card("individual"),
}


def all_of(assessment: Assessment) -> tuple:
    return (
        assessment.score, assessment.explanation, assessment.bins, assessment.warnings, assessment.missing_required,
    )  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
def test_both_ways_give_the_same_assessment(name):
    card = CARDS[name]()
    for facts, unavailable in EdgeApplicants(card, 5, absent=0).take(2000):
        for down in (unavailable, NOBODY):
            by_tables = card._by_tables(facts, AS_OF, down)
            assert all_of(card.score(facts, as_of=AS_OF, unavailable=down)) == all_of(by_tables)


@pytest.mark.parametrize("name", CARDS)
def test_the_ordinary_applicant_is_met_often_enough_to_be_tested(name):
    card = CARDS[name]()
    drawn = EdgeApplicants(card, 5, absent=0).take(2000)
    assert sum(card._ordinary(facts, AS_OF) is not None for facts, _ in drawn) >= 5


@pytest.mark.parametrize(
    "changes",
    [{"purpose": None}, {"yearly_income": None}, {"oldest_account_date": None}, {"credit_history_score": 850},
     {"credit_history_scale": "katm_0_500", "credit_history_score": 400}, {"credit_history_scale": None}],
)  # fmt: skip
def test_whoever_is_not_ordinary_is_left_to_the_tables(changes):
    card = CARDS["small"]()
    assert card._ordinary(applicant(), AS_OF) is not None
    assert card._ordinary(applicant(**changes), AS_OF) is None


def test_a_scale_is_warned_of_where_no_table_rests_on_the_score():
    card = small_card()
    del card["characteristics"][1]
    facts = applicant(credit_history_scale="katm_0_500", credit_history_score=400)
    found = Scorecard.from_dict(card).score(facts, as_of=AS_OF)
    assert [(warning["code"], warning["fact"]) for warning in found.warnings] == [
        ("fact_not_used", "credit_history_score"), ("fact_not_used", "credit_history_scale"),
        ("other_scale", "credit_history_score"),
    ]  # fmt: skip


def test_a_card_with_pairs_is_not_unrolled():
    assert Scorecard.from_dict(wide_card())._ordinary is None
