"""Facts of a lender's own: declared by a card, checked as strictly as the vocabulary, scored like any other."""

import datetime as dt
from collections.abc import Callable

import pytest

from apps.scoring_engine.ml.cards import CardError, read_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FactsError, as_input, check_facts

from .examples import AS_OF, OWN_FACTS, applicant, small_card, wide_card

CARD = Scorecard.from_dict(wide_card())
HOUSING, MONTHS, SAVINGS, LOAD, CAR, SINCE = range(5, 11)


def checked(**facts):
    return check_facts("individual", facts, as_of=AS_OF, own=CARD.own)


def refusal(**facts) -> str:
    with pytest.raises(FactsError) as caught:
        checked(**facts)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("housing", "own"),
        ("housing", "a boat"),
        ("months_at_address", 0),
        ("months_at_address", 900),
        ("months_at_address", 9999),
        ("savings", -(10**6)),
        ("savings", -9_000_000),
        ("load", -0.5),
        ("load", 4),
        ("has_car", False),
        ("customer_since", dt.date(2023, 12, 31)),
        ("purpose", "car"),
    ],
)
def test_what_the_card_declares_is_taken_as_it_is(name, value):
    assert checked(**{name: value}) == {name: value}


def test_a_day_is_parsed_and_none_left_out():
    assert checked(customer_since="2023-12-31", housing=None) == {"customer_since": dt.date(2023, 12, 31)}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("housing", 1, "housing: must be a text of 1 to 100 printable characters, not 1"),
        ("housing", "", 'not ""'),
        ("housing", "a" * 101, "(101 characters)"),
        ("housing", "a\nb", "must be a text"),
        ("months_at_address", 901, "a whole number from 0 to 900, or a special code (9999), not 901"),
        ("months_at_address", 9999.0, "a whole number from 0 to 900"),
        ("months_at_address", True, "not true"),
        ("months_at_address", [9999], "a list of 1"),
        ("savings", -1_000_001, "a whole number from -1000000 to 1000000000, or a special code (-9000000)"),
        ("load", 4.6, "load: must be a number from -0.5 to 4.5, not 4.6"),
        ("load", float("nan"), "not nan"),
        ("load", "0.4", "must be a number"),
        ("has_car", 1, "true or false"),
        ("has_car", "true", "true or false"),
        ("customer_since", "2024-01-02", "to 2024-01-01"),
        ("customer_since", "yesterday", "a day such as"),
        ("hobby", 1, "hobby: is not a fact known of an individual"),
    ],
)
def test_what_does_not_fit_is_refused(name, value, message):
    assert message in refusal(**{name: value})


def test_without_the_card_its_facts_are_unknown():
    with pytest.raises(FactsError, match="housing: is not a fact known of an individual"):
        check_facts("individual", {"housing": "own"})


def test_a_card_of_the_vocabulary_alone_needs_nothing_of_its_own():
    plain = small_card()
    del plain["inputs"][2]["special_codes"]["850"], plain["characteristics"][1]["special_points"]["850"]
    assert Scorecard.from_dict(plain).own is None


def test_a_special_code_of_the_vocabulary_outside_its_bounds_is_taken_and_scored():
    card = small_card()
    card["inputs"][2]["special_codes"] |= {"9999": "no such file"}
    card["characteristics"][1]["special_points"] |= {"9999": -3}
    read = Scorecard.from_dict(card)
    facts = check_facts("individual", applicant(credit_history_score=9999), as_of=AS_OF, own=read.own)
    found = read.score(facts, as_of=AS_OF)
    assert (found.score, found.bins["credit_history_score"]) == (475 - 33, "special:9999")
    for value in (9998, 851, 299):
        with pytest.raises(FactsError):
            check_facts("individual", applicant(credit_history_score=value), as_of=AS_OF, own=read.own)


def test_an_unseen_category_of_the_lender_is_scored_and_warned_of():
    found = CARD.score(checked(**applicant(**OWN_FACTS | {"housing": "a boat"})), as_of=AS_OF)
    assert found.bins["housing"] == "unseen"
    assert [(w["code"], w["fact"]) for w in found.warnings] == [
        ("fact_not_used", "load"),
        ("unseen_category", "housing"),
    ]


def test_a_required_fact_of_the_lender_is_missed():
    found = CARD.score(checked(**applicant()), as_of=AS_OF)
    assert found.missing_required == ("months_at_address",)
    assert found.bins["months_at_address"] == "missing"


def test_a_category_called_like_a_state_is_not_taken_for_it():
    card = wide_card()
    card["inputs"][HOUSING]["values"] = ["missing", "unseen", "a|b", "a", "b"]
    card["characteristics"][4] |= {"groups": [["missing"], ["a|b"], ["a", "b"]], "points": [1, 2, 3]}
    card["pairs"] = []
    read = Scorecard.from_dict(card)
    bins = [read.score({"housing": value}, as_of=AS_OF).bins["housing"] for value in (None, "missing", "a|b", "b")]
    assert bins == ["missing", '"missing"', '"a|b"', "a|b"]


def entry(number: int, **changes) -> Callable[[dict], None]:
    return lambda card: card["inputs"][number].update(changes)


def special(number: int, *codes: str) -> Callable[[dict], None]:
    return entry(number, special_codes=dict.fromkeys(codes, "no answer"))


REFUSALS = {
    "a name with capitals": (entry(LOAD, name="Load"), "name must match"),
    "the day of scoring": (entry(LOAD, name="as_of"), "the name as_of is taken"),
    "a name of the API": (entry(LOAD, name="currency"), "the name currency is taken"),
    "sex": (entry(LOAD, name="sex"), "sex is for fairness tests only"),
    "a fact of the vocabulary with other bounds": (entry(LOAD, name="employment_years"), "employment_years): unit"),
    "a derived feature": (entry(LOAD, name="credit_age"), "the name credit_age is taken"),
    "an unknown kind": (entry(LOAD, kind="text"), "kind must be one of"),
    "no unit": (entry(LOAD, unit=""), "unit must be one line"),
    "a long unit": (entry(LOAD, unit="m" * 61), "unit must be short"),
    "no bounds": (entry(LOAD, least=None, most=None), "least and most must be numbers"),
    "bounds upside down": (entry(LOAD, least=5), "least must be below most"),
    "bounds past all money": (entry(LOAD, most=10**15 + 1), "from -1000000000000000 to 1000000000000000"),
    "bounds with a part": (entry(SAVINGS, least=0.5), "least and most must be whole numbers"),
    "bounds of a flag": (entry(CAR, least=0, most=1), "least and most of a flag must be null"),
    "a scale": (entry(LOAD, scale="fico_300_850"), "scale must be left out"),
    "required in words": (entry(LOAD, required="no"), "required must be of type bool"),
    "no values": (entry(HOUSING, values=[]), "values must be texts of 1 to 100"),
    "a number as value": (entry(HOUSING, values=["own", 1]), "values must be texts"),
    "a value of two lines": (entry(HOUSING, values=["own", "a\nb"]), "values must be texts"),
    "a value twice": (entry(HOUSING, values=["own", "own"]), '"own" stands twice'),
    "values of a number": (entry(LOAD, values=["1"]), "values belong to a category"),
    "values of the vocabulary": (entry(3, values=["car"]), "the vocabulary has them"),
    "a group without its value": (entry(HOUSING, values=["own", "with parents"]), '"rent" is not a value of it'),
    "a code of a category": (special(HOUSING, "1"), "is no number"),
    "a code of a date": (special(SINCE, "1"), "is no number"),
    "a code with a part for whole numbers": (special(SAVINGS, "0.5"), "is no number"),
    "a code that is not finite": (special(LOAD, "nan"), "is no number"),
    "the same code twice": (special(LOAD, "7", "7.0"), "stands twice"),
    "a characteristic of a date": (
        lambda card: card["characteristics"][4].update(feature="customer_since"), "a date has groups"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unsound_input_is_refused(name):
    spoil, message = REFUSALS[name]
    card = wide_card()
    spoil(card)
    with pytest.raises(CardError) as caught:
        read_card(card)
    assert message in str(caught.value)


def test_a_value_missing_from_values_is_named():
    card = wide_card()
    del card["inputs"][HOUSING]["values"]
    with pytest.raises(CardError, match=r"\(housing\) lacks values"):
        read_card(card)


def test_a_fact_that_is_someone_elses_vocabulary_may_be_ones_own():
    card = small_card() | {"segment": "company", "pairs": []}
    card["inputs"] = [as_input("company", "revenue"), {**wide_card()["inputs"][LOAD], "name": "yearly_income"}]
    card["features"] = []
    card["characteristics"] = [card["characteristics"][0] | {"feature": "yearly_income"}]
    read = Scorecard.from_dict(card)
    assert check_facts("company", {"yearly_income": 0.3}, own=read.own) == {"yearly_income": 0.3}
