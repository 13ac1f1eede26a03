"""Whatever is given as a card either scores soundly or is refused with a CardError."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.cards import CardError, reachable_range, read_card
from apps.scoring_engine.ml.scorecard import Scorecard

from .examples import AS_OF, OWN_FACTS, applicant, small_card, wide_card

RATIO, SCORE, PURPOSE, AGE = range(4)


def characteristic(number: int, **changes) -> Callable[[dict], None]:
    return lambda card: card["characteristics"][number].update(changes)


def entry(number: int, **changes) -> Callable[[dict], None]:
    return lambda card: card["inputs"][number].update(changes)


def feature(number: int, **changes) -> Callable[[dict], None]:
    return lambda card: card["features"][number].update(changes)


def whole(**changes) -> Callable[[dict], None]:
    return lambda card: card.update(changes)


def no_income(name: str) -> Callable[[dict], None]:
    return entry(0, name=name)


REFUSALS = {
    "edges descend": (characteristic(RATIO, edges=[0.35, 0.2, 0.5]), "edges must ascend"),
    "edges repeat": (characteristic(RATIO, edges=[0.2, 0.2, 0.5]), "edges must ascend"),
    "an edge is infinite": (characteristic(RATIO, edges=[0.2, 0.35, float("inf")]), "plain JSON"),
    "an edge is NaN": (characteristic(RATIO, edges=[0.2, 0.35, float("nan")]), "plain JSON"),
    "an edge is huge": (characteristic(RATIO, edges=[0.2, 0.35, 10**400]), "finite numbers"),
    "an edge is a flag": (characteristic(RATIO, edges=[False, True, 2]), "finite numbers"),
    "an edge is text": (characteristic(RATIO, edges=["0.2", "0.3", "0.4"]), "finite numbers"),
    "no edges": (characteristic(RATIO, edges=[], points=[1]), "at least one"),
    "a point too few": (characteristic(RATIO, points=[30, 20, 5]), "4 bins need 4 points, not 3"),
    "a point too many": (characteristic(PURPOSE, points=[1, 2, 3]), "2 bins need 2 points, not 3"),
    "points are not whole": (characteristic(RATIO, points=[30, 20.0, 5, 0]), "whole numbers"),
    "points are flags": (characteristic(RATIO, points=[True, True, False, False]), "whole numbers"),
    "missing points are a flag": (characteristic(RATIO, missing_points=False), "missing_points must be of type int"),
    "points against the direction": (characteristic(RATIO, points=[30, 20, 25, 0]), "direction higher_is_riskier"),
    "points against safety": (characteristic(SCORE, points=[30, 20, 25]), "direction higher_is_safer"),
    "an unknown direction": (characteristic(RATIO, direction="up"), "direction must be one of"),
    "groups with an order": (characteristic(PURPOSE, direction="higher_is_safer"), "direction must be free"),
    "an unknown unit": (characteristic(RATIO, unit="dollars"), "unit must be one of"),
    "edges as categories": (characteristic(RATIO, unit="category"), "unit category"),
    "unavailable is not neutral": (characteristic(RATIO, unavailable_points=21), "must be neutral"),
    "another scale is not neutral": (
        characteristic(SCORE, special_points={"other_scale": 31, "850": 12}),
        "other_scale must be neutral",
    ),
    "a special code without points": (characteristic(SCORE, special_points={"other_scale": 30}), "must cover exactly"),
    "points for an unknown code": (characteristic(AGE, special_points={"9": 0}), "must cover exactly"),
    "a value in two groups": (characteristic(PURPOSE, groups=[["car"], ["car"]]), '"car" stands twice'),
    "an empty group": (characteristic(PURPOSE, groups=[["car"], []]), "none of them empty"),
    "an unknown category": (characteristic(PURPOSE, groups=[["car"], ["yacht"]]), '"yacht" is not a value'),
    "edges on a category": (characteristic(RATIO, feature="purpose"), "stands twice"),
    "a date as it is": (characteristic(AGE, feature="oldest_account_date"), "a date has"),
    "an unknown feature": (characteristic(RATIO, feature="charm"), "neither an input nor a derived feature"),
    "a feature twice": (characteristic(AGE, feature="amount_to_income"), "stands twice"),
    "a code twice": (characteristic(AGE, code="PURPOSE"), "codes of characteristics"),
    "a code in small letters": (characteristic(AGE, code="age"), "code must match"),
    "a label of two lines": (characteristic(AGE, label="a\nb"), "one line of text"),
    "typical of the wrong type": (characteristic(AGE, typical="old"), "typical must be a number"),
    "a rule this reader does not know": (characteristic(AGE, cap=5), 'unknown key "cap"'),
    "sex": (no_income("sex"), "sex is for fairness tests only"),
    "ethnicity": (no_income("ethnicity"), "fairness"),
    "place": (no_income("place"), "fairness"),
    "pinfl": (no_income("pinfl"), "encodes sex and birth date"),
    "birth_date": (no_income("birth_date"), "legal capacity"),
    "criminal_history": (no_income("criminal_history"), "legal rule"),
    "collateral_value": (no_income("collateral_value"), "loss given default"),
    "an input of another kind": (entry(0, kind="number"), "kind must be"),
    "an input of another unit": (entry(0, unit="currency per month"), "unit must be"),
    "an input with other bounds": (entry(0, most=5), "most must be"),
    "an input twice": (entry(0, name="requested_amount", unit="currency", least=1), "stands twice"),
    "required as text": (entry(0, required="yes"), "required must be of type bool"),
    "a code that no value has": (entry(0, special_codes={"none": "x"}), "no number that this fact could have"),
    "a code that is NaN": (entry(0, special_codes={"nan": "x"}), "no number that this fact could have"),
    "an unknown scale": (entry(2, scale="vantage"), "scale must be one of"),
    "a scale on money": (entry(0, scale="fico_300_850"), "scale must be left out"),
    "a scale without its code": (entry(2, special_codes={}), "belongs to inputs with a scale"),
    "an unknown derivation": (feature(0, kind="product"), "kind must be one of"),
    "a part that is not there": (feature(0, of=["requested_amount", "salary"]), "among the inputs and features"),
    "a date as a number": (feature(0, of=["requested_amount", "oldest_account_date"]), "among the inputs"),
    "a feature of itself": (feature(0, of=["requested_amount", "amount_to_income"]), "among the inputs"),
    "three parts": (feature(0, of=["a", "b", "c"]), "must name two values"),
    "an unknown multiplier": (feature(0, multiplier=4), "multiplier must be 1 or 12"),
    "a clip upside down": (feature(0, least=5, most=0), "least must be below most"),
    "years to another day": (feature(1, of=["oldest_account_date", "birth_date"]), "to as_of"),
    "a taken name": (feature(0, name="salary"), "the name salary is taken"),
    "another format": (whole(format=2), "format must be 1"),
    "another segment": (whole(segment="fund"), "segment must be one of"),
    "an unknown purpose": (whole(purpose="test"), "purpose must be one of"),
    "an empty pair": (whole(pairs=[{}]), "pairs[0] lacks features"),
    "a feature called as_of": (feature(1, name="as_of"), "the name as_of is taken"),
    "other odds": (whole(points_to_double_odds=20), "must be 50"),
    "no characteristics": (whole(characteristics=[]), "at least one characteristic"),
    "a version of two lines": (whole(version="a\nb"), "version must match"),
    "no horizon": (whole(horizon=None), "horizon must be of type dict"),
    "a horizon of no time": (whole(horizon={"kind": "fixed", "months": 0}), "months must be from 1"),
    "a base of parts": (whole(base_points=1.5), "base_points must be of type int"),
    "too high a score": (whole(base_points=1100), "are reachable"),
    "too low a score": (whole(base_points=74), "are reachable"),
    "too high through missing": (characteristic(AGE, missing_points=800), "are reachable"),
    "too low through a code": (characteristic(SCORE, special_points={"other_scale": 30, "850": -900}), "reachable"),
    "too low through unseen": (characteristic(PURPOSE, unseen_points=-(10**400)), "are reachable"),
    "an unknown key": (whole(offset=5), 'unknown key "offset"'),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unsound_card_is_refused(name):
    spoil, message = REFUSALS[name]
    card = small_card()
    spoil(card)
    with pytest.raises(CardError) as caught:
        Scorecard.from_dict(card)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("key", small_card())
def test_a_part_that_lacks_is_named(key):
    card = small_card()
    del card[key]
    with pytest.raises(CardError, match=f"the card lacks {key}"):
        read_card(card)


@pytest.mark.parametrize("value", [None, [], "card", 5, {}, {"format": 1}, {1: 2}, {("a",): 1}, {"a": object()}])
def test_what_is_no_card_at_all_is_refused(value):
    with pytest.raises(CardError):
        read_card(value)


def test_a_card_that_holds_itself_is_refused():
    card = small_card()
    card["provenance"]["self"] = card
    with pytest.raises(CardError, match="plain JSON"):
        read_card(card)


def test_reachable_range_counts_every_kind_of_points():
    # -40 + -20 + -15 + 0 and 30 + 60 + 10 + 25 on 400
    assert reachable_range(read_card(small_card())) == (325, 525)


def test_the_bounds_of_the_range_are_allowed():
    assert Scorecard.from_dict(small_card() | {"base_points": 75}).reachable == (0, 200)
    assert Scorecard.from_dict(small_card() | {"base_points": 1075}).reachable == (1000, 1200)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.just(10**400),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=2),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(part: object, path: tuple = ()) -> list[tuple]:
    keys = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    return [here for key in keys for here in [(*path, key), *places(part[key], (*path, key))]]


PLACES = places(wide_card())


@settings(max_examples=400, deadline=None)
@example(changes=[(("inputs", 2, "scale"), [])])
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_a_spoilt_card_is_refused_or_scores_soundly(changes):
    card = wide_card()
    for path, junk in changes:
        try:
            parent = card
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = junk
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took this place away
    try:
        scorecard = Scorecard.from_dict(card)
    except CardError:
        return
    assessment = scorecard.score(applicant(**OWN_FACTS), as_of=AS_OF)
    assert scorecard.reachable[0] <= assessment.score <= scorecard.reachable[1]
    assert assessment.score == scorecard.reference_score + sum(e["impact"] for e in assessment.explanation)
