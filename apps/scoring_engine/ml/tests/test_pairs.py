"""Pairs: grids of points over two features, read strictly and scored exactly."""

from collections.abc import Callable

import pytest

from apps.scoring_engine.ml.cards import CardError, reachable_range, read_card
from apps.scoring_engine.ml.reasons import cell_labels, reasons_of_cells, reasons_of_pair_states
from apps.scoring_engine.ml.scorecard import Scorecard

from .examples import AS_OF, OWN_FACTS, applicant, small_card, wide_card

RATIO_MONTHS, CAR_HOUSING, SAVINGS_YEARS = range(3)
NAME = "amount_to_income x months_at_address"
CARD = Scorecard.from_dict(wide_card())


def scored(unavailable=(), **changes):
    facts = applicant(**(OWN_FACTS | changes))
    return CARD.score(facts, as_of=AS_OF, unavailable=frozenset(unavailable))


def entry_of(assessment, name=NAME):
    return next(entry for entry in assessment.explanation if entry["feature"] == name)


def test_a_reference_applicant_has_the_reference_score():
    assert CARD.reference_score == scored().score == 497
    assert [entry["impact"] for entry in scored().explanation] == [0] * 9


def test_the_entry_of_a_pair_is_exact():
    assert entry_of(scored(requested_amount=450, months_at_address=12)) == {
        "feature": NAME,
        "value": [0.45, 12],
        "points": 0,
        "reference_points": 4,
        "impact": -4,
        "code": "AMOUNT_TO_INCOME_X_MONTHS_AT_ADDRESS",
        "reason": "Requested amount to yearly income is 30 % or more, while Time at the address is from 12 to under"
        " 60 months",
    }


@pytest.mark.parametrize(
    ("amount", "months", "points", "label"),
    [
        (299, 11, 4, "(-inf, 0.3) x (-inf, 12)"),
        (299, 12, 5, "(-inf, 0.3) x [12, 60)"),
        (299, 60, 6, "(-inf, 0.3) x [60, inf)"),
        (300, 0, -7, "[0.3, inf) x (-inf, 12)"),
        (300, 59, 0, "[0.3, inf) x [12, 60)"),
        (10**9, 900, 0, "[0.3, inf) x [60, inf)"),
    ],
)
def test_every_cell(amount, months, points, label):
    found = scored(requested_amount=amount, months_at_address=months)
    assert (entry_of(found)["points"], found.bins[NAME]) == (points, label)


@pytest.mark.parametrize(
    ("car", "housing", "points", "label"),
    [
        (True, "own", 3, "yes x own"),
        (True, "rent", -1, "yes x rent"),
        (False, "own", 0, "no x own"),
        (False, "rent", 1, "no x rent"),
        (False, "with parents", -2, "missing"),
        (False, "a boat", -2, "missing"),
        (None, "rent", -2, "missing"),
        (False, None, -2, "missing"),
    ],
)
def test_cells_of_groups(car, housing, points, label):
    found = scored(has_car=car, housing=housing)
    name = "has_car x housing"
    assert (entry_of(found, name)["points"], found.bins[name]) == (points, label)
    assert entry_of(found, name)["value"] == [car, housing]


@pytest.mark.parametrize(
    ("changes", "unavailable", "state", "points"),
    [
        ({"yearly_income": None}, [], "missing", -7),
        ({"months_at_address": None}, [], "missing", -7),
        ({"months_at_address": 9999}, [], "special", 4),
        ({"months_at_address": 9999, "yearly_income": None}, [], "special", 4),
        ({"months_at_address": None}, ["months_at_address"], "unavailable", 4),
        ({"months_at_address": None, "yearly_income": None}, ["months_at_address"], "unavailable", 4),
        ({"months_at_address": 9999, "yearly_income": None}, ["yearly_income"], "unavailable", 4),
    ],
)
def test_unavailable_decides_before_special_and_special_before_missing(changes, unavailable, state, points):
    found = scored(unavailable, **changes)
    assert (found.bins[NAME], entry_of(found)["points"]) == (state, points)
    assert entry_of(found)["impact"] == points - 4


def test_an_unseen_category_beside_a_source_that_was_down_is_unavailable():
    assert scored(["has_car"], has_car=None, housing="a boat").bins["has_car x housing"] == "unavailable"


def test_impacts_are_sorted_with_pairs_among_them_and_ties_by_name():
    found = scored(savings=-5, months_at_address=0, requested_amount=250)
    order = [(entry["impact"], entry["feature"]) for entry in found.explanation]
    assert order == sorted(order)
    assert order[:2] == [(-14, "months_at_address"), (-8, "savings x years_known")]
    assert found.score == 497 - 14 - 8


def test_a_category_seen_by_one_table_only_is_warned_of():
    assert [w["fact"] for w in scored(housing="with parents").warnings if w["code"] == "unseen_category"] == ["housing"]


def test_reachable_range_counts_pairs():
    # 325 - 6 - 9 and 525 + 10 + 8 of the characteristics; -7 - 2 - 8 and 6 + 3 + 9 of the pairs
    assert reachable_range(read_card(wide_card())) == (293, 561)
    assert reachable_range(read_card(small_card())) == (325, 525)


def special_card() -> dict:
    """The wide card with a column for the special codes of months_at_address, and the codes neutral elsewhere."""
    card = wide_card()
    card["pairs"][RATIO_MONTHS] |= {
        "axes": [{"edges": [0.3], "special": False}, {"edges": [12, 60], "special": True}],
        "points": [[4, 5, 6, 50], [-7, 0, 0, -20]],
    }
    return card


@pytest.mark.parametrize(
    ("changes", "unavailable", "label", "points"),
    [
        ({"months_at_address": 9999}, [], "(-inf, 0.3) x special", 50),
        ({"months_at_address": 9999, "requested_amount": 900}, [], "[0.3, inf) x special", -20),
        ({"months_at_address": 9999, "yearly_income": None}, [], "missing", -7),
        ({"months_at_address": 9999, "yearly_income": None}, ["yearly_income"], "unavailable", 4),
        ({"months_at_address": None}, [], "missing", -7),
        ({"months_at_address": 60}, [], "(-inf, 0.3) x [60, inf)", 6),
    ],
)
def test_a_special_code_with_a_place_of_its_own(changes, unavailable, label, points):
    card = Scorecard.from_dict(special_card())
    found = card.score(applicant(**OWN_FACTS | changes), as_of=AS_OF, unavailable=frozenset(unavailable))
    assert (found.bins[NAME], entry_of(found)["points"]) == (label, points)


def test_a_special_code_has_a_reason_and_stands_outside_the_order():
    card = read_card(special_card())
    assert reasons_of_cells(card, card.pairs[RATIO_MONTHS])[3] == (
        "Requested amount to yearly income is under 30 %, while Time at the address is a special code"
    )
    assert cell_labels(card.pairs[RATIO_MONTHS])[7] == "[0.3, inf) x special"


@pytest.mark.parametrize("special", [None, 1, "yes"])
def test_a_place_for_special_codes_is_true_or_false(special):
    card = special_card()
    card["pairs"][RATIO_MONTHS]["axes"][1]["special"] = special
    with pytest.raises(CardError, match="special must be of type bool"):
        read_card(card)


def test_the_range_knows_that_a_value_lies_in_one_bin_of_each_table():
    card = wide_card()
    card["characteristics"][5] |= {"edges": [12], "points": [0, 100]}
    card["pairs"] = [
        card["pairs"][RATIO_MONTHS] | {"axes": [{"edges": [0.3]}, {"edges": [12]}], "points": [[0, 0], [-9, -9]],
                                       "missing_points": 0, "unavailable_points": 0, "reference_points": 0}
    ]  # fmt: skip
    # -9 for a time that is missing and -9 from the pair for a time that is known: never both.
    assert reachable_range(read_card(card)) == (325 - 6 - 9, 525 + 10 + 100)


def test_facts_of_a_pair_are_used():
    assert {"savings", "customer_since", "has_car"} <= CARD.facts_used
    assert "load" not in CARD.facts_used


def test_reasons_say_both_sides():
    card = read_card(wide_card())
    assert reasons_of_cells(card, card.pairs[SAVINGS_YEARS])[:3] == [
        "Savings is under 0, while Years known is under 2",
        "Savings is under 0, while Years known is 2 or more",
        "Savings is from 0 to under 1200.5, while Years known is under 2",
    ]
    assert reasons_of_cells(card, card.pairs[CAR_HOUSING])[0] == "Has car is yes, while Housing is own"


def test_reasons_of_states():
    card = read_card(wide_card())
    assert reasons_of_pair_states(card, card.pairs[CAR_HOUSING]) == {
        "missing": "Has car and Housing cannot be seen together, because a value was not given or is one that the card"
        " was not made for",
        "unavailable": "Has car and Housing cannot be seen together, because a source could not be reached, so it"
        " counts neither for nor against",
        "special": "Has car and Housing cannot be seen together, because a value is a special code, so it counts"
        " neither for nor against",
    }
    assert reasons_of_pair_states(card, card.pairs[RATIO_MONTHS])["missing"] == (
        "Requested amount to yearly income and Time at the address cannot be seen together, because a value was not"
        " given"
    )


@pytest.mark.parametrize("number", range(3))
def test_no_two_cells_share_a_label_or_a_reason(number):
    card = read_card(wide_card())
    pair = card.pairs[number]
    cells = sum(len(line) for line in pair.points)
    assert len(set(cell_labels(pair))) == len(set(reasons_of_cells(card, pair))) == cells


def pair(number: int, **changes) -> Callable[[dict], None]:
    return lambda card: card["pairs"][number].update(changes)


def again(**changes) -> Callable[[dict], None]:
    return lambda card: card["pairs"].append(card["pairs"][0] | {"code": "AGAIN"} | changes)


def many_edges(count: int) -> Callable[[dict], None]:
    axes = [{"edges": list(range(count))}, {"edges": [2]}]
    return pair(SAVINGS_YEARS, axes=axes, points=[[0, 0]] * (count + 1))


REFUSALS = {
    "one feature": (pair(RATIO_MONTHS, features=["savings"]), "features must be two texts"),
    "a feature with itself": (pair(RATIO_MONTHS, features=["savings", "savings"]), "not of savings twice"),
    "an unknown feature": (pair(RATIO_MONTHS, features=["charm", "months_at_address"]), "charm is neither an input"),
    "a date": (pair(SAVINGS_YEARS, features=["savings", "customer_since"]), "a date has"),
    "edges of a category": (pair(SAVINGS_YEARS, features=["savings", "purpose"]), "a category has groups"),
    "groups of a number": (pair(CAR_HOUSING, features=["has_car", "load"]), "a number has edges"),
    "a value that is none": (
        pair(CAR_HOUSING, axes=[{"groups": [[True], [False]]}, {"groups": [["own"], ["tent"]]}]), '"tent" is not a'
    ),
    "groups with an order": (pair(CAR_HOUSING, directions=["free", "higher_is_safer"]), "direction must be free"),
    "an unknown direction": (pair(CAR_HOUSING, directions=["free", "up"]), "direction must be one of"),
    "three axes": (pair(RATIO_MONTHS, axes=[{"edges": [1]}] * 3), "axes must be two, not 3"),
    "an axis with both": (pair(RATIO_MONTHS, axes=[{"edges": [1], "groups": [["a"]]}, {"edges": [1]}]), "unknown key"),
    "edges descend": (pair(RATIO_MONTHS, axes=[{"edges": [0.3]}, {"edges": [60, 12]}]), "edges must ascend"),
    "one bin on a side": (
        pair(CAR_HOUSING, axes=[{"groups": [[True, False]]}, {"groups": [["own"], ["rent"]]}]), "2 to 20 bins, not 1"
    ),
    "21 bins on a side": (many_edges(20), "2 to 20 bins, not 21"),
    "a ragged grid": (pair(RATIO_MONTHS, points=[[4, 5, 6], [0, 0]]), "need 2 lists of 3 points"),
    "a line too few": (pair(RATIO_MONTHS, points=[[4, 5, 6]]), "need 2 lists of 3 points"),
    "points are not whole": (pair(RATIO_MONTHS, points=[[4, 5, 6.0], [0, 0, 0]]), "lists of whole numbers"),
    "unavailable is not neutral": (pair(RATIO_MONTHS, unavailable_points=3), "must be neutral"),
    "against the first direction": (pair(RATIO_MONTHS, points=[[4, 5, 6], [-7, 6, 6]]), "of amount_to_income"),
    "against the second direction": (pair(RATIO_MONTHS, points=[[4, 5, 4], [-7, 0, 0]]), "of months_at_address"),
    "another direction than its characteristic": (
        pair(RATIO_MONTHS, directions=["higher_is_riskier", "free"]), "months_at_address has the direction"
    ),
    "the same pair twice": (again(), "stands twice"),
    "the same pair the other way round": (
        again(features=["months_at_address", "amount_to_income"], directions=["higher_is_safer", "higher_is_riskier"],
              axes=[{"edges": [12]}, {"edges": [0.3]}], points=[[0, 0], [0, 0]]), "stands twice",
    ),
    "the code of a characteristic": (pair(RATIO_MONTHS, code="PURPOSE"), '"PURPOSE" stands twice'),
    "a label of two lines": (pair(RATIO_MONTHS, label="a\nb"), "one line of text"),
    "a rule this reader does not know": (pair(RATIO_MONTHS, special_points={}), 'unknown key "special_points"'),
    "too high a score": (pair(RATIO_MONTHS, points=[[4, 5, 700], [-7, 0, 0]]), "are reachable"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unsound_pair_is_refused(name):
    spoil, message = REFUSALS[name]
    card = wide_card()
    spoil(card)
    with pytest.raises(CardError) as caught:
        read_card(card)
    assert message in str(caught.value)


def test_twenty_bins_on_a_side_are_read():
    card = wide_card()
    many_edges(19)(card)
    assert read_card(card).pairs[SAVINGS_YEARS].axes[0].bins() == 20


def test_thirty_pairs_at_most():
    card = wide_card()
    numbers = [f"number_{i}" for i in range(9)]
    own = {"kind": "number", "unit": "points", "required": False, "least": 0, "most": 9}
    card["inputs"] += [{"name": name, **own} for name in numbers]
    grid = {"axes": [{"edges": [1]}] * 2, "points": [[0, 0]] * 2, "directions": ["free", "free"]}
    card["pairs"] = [
        card["pairs"][0] | grid | {"features": [a, b], "code": f"{a}_{b}".upper()}
        for i, a in enumerate(numbers)
        for b in numbers[i + 1 :]
    ]
    with pytest.raises(CardError, match="at most 30 pairs, not 36"):
        read_card(card)
    card["pairs"] = card["pairs"][:30]
    assert len(read_card(card).pairs) == 30
