"""The smallest changes that reach a score: against every value tried one by one, and what is never changed."""

import random
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import Any

import pytest

from apps.scoring_engine.ml import changes
from apps.scoring_engine.ml.changes import ACTIONABLE, Changes, find_changes
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.examples import AS_OF, applicant, small_card
from apps.scoring_engine.ml.vocabulary import NEVER_SCORED, as_input

FACTS = {"requested_amount": 9, "term_months": 24, "existing_debt": 7, "yearly_income": 10}


def table(feature: str, edges: list[float], points: list[int], **rest: Any) -> dict[str, Any]:
    return {
        "feature": feature, "label": feature, "unit": "number", "edges": edges, "points": points,
        "missing_points": 0, "unavailable_points": 0, "reference_points": 0, "special_points": {}, "typical": None,
        "direction": "free", "code": feature.upper(),
    } | rest  # fmt: skip


def grid(features: list[str], edges: list[list[float]], points: list[list[int]]) -> dict[str, Any]:
    return {
        "features": features, "label": " ".join(features), "code": "_".join(features).upper(),
        "axes": [{"edges": side} for side in edges], "points": points,
        "missing_points": 0, "unavailable_points": 0, "reference_points": 0, "directions": ["free", "free"],
    }  # fmt: skip


def ratio(name: str, first: str, second: str) -> dict[str, Any]:
    return {"name": name, "kind": "ratio", "of": [first, second], "multiplier": 1, "least": -20, "most": 20}


def card_of(features: list[dict], characteristics: list[dict], pairs: list[dict], **codes: dict) -> Scorecard:
    names = ("requested_amount", "term_months", "existing_debt", "yearly_income", "monthly_debt_payments")
    inputs = [as_input("individual", name, special_codes=codes.get(name, {})) for name in names]
    plain = small_card() | {"inputs": inputs, "features": features, "characteristics": characteristics, "pairs": pairs}
    return Scorecard.from_dict(plain)


def random_card(rng: random.Random) -> Scorecard:
    """Free directions, a code of the term, a ratio that changes its sign, and a grid that two facts share."""

    def points(count: int) -> list[int]:
        return [rng.randint(-20, 20) for _ in range(count)]

    room = {"name": "room", "kind": "difference", "of": ["yearly_income", "existing_debt"]}
    shift = {"name": "shift", "kind": "difference", "of": ["existing_debt", "monthly_debt_payments"]}
    return card_of(
        [
            ratio("amount_to_income", "requested_amount", "yearly_income"),
            shift,
            ratio("turn", "yearly_income", "shift"),
            room,
        ],
        [
            table("amount_to_income", sorted(rng.sample([0.15, 0.2, 0.35, 0.5, 0.75, 0.8], 3)), points(4)),
            table("term_months", [6, 13, 25, 37, 200], points(6), special_points={"12": rng.randint(-5, 5)}),
            table("turn", [-4, -2.5, 0, 3, 6], points(6)),
            table("room", [4.5, 8], points(3)),
        ],
        [grid(["requested_amount", "term_months"], [[4, 7], [13, 30]], [points(3) for _ in range(3)])],
        term_months={"12": "not agreed"},
    )  # fmt: skip


def allowed_values(name: str) -> list[int]:
    if name == "term_months":
        return [months for months in range(1, 601) if months != 12]
    return list(range(1 if name == "requested_amount" else 0, FACTS[name] + 1))


NAMES = ("requested_amount", "term_months", "existing_debt")


def every_score(card: Scorecard, facts: dict[str, int]) -> list[tuple[dict[str, int], Fraction, int]]:
    """(values, size, score) of every change there is."""
    found = []
    for values in product(*(allowed_values(name) for name in NAMES)):
        changed = dict(zip(NAMES, values, strict=True))
        size = sum((Fraction(abs(changed[n] - facts[n]), facts[n]) for n in NAMES), Fraction(0))
        found.append((changed, size, card.score(facts | changed, as_of=AS_OF).score))
    return found


def by_brute_force(every: list, facts: dict[str, int], target: int) -> dict[tuple[str, ...], Fraction]:
    """The least size by the facts that may change, where it is less than with any of fewer facts."""
    enough = [(changed, size) for changed, size, score in every if score >= target]
    least = {}
    for count in range(len(NAMES) + 1):
        for names in combinations(NAMES, count):
            kept = [n for n in NAMES if n not in names]
            sizes = [size for changed, size in enough if all(changed[n] == facts[n] for n in kept)]
            if sizes and not any(set(part) < set(names) and least[part] <= min(sizes) for part in least):
                least[names] = min(sizes)
    return {names: size for names, size in least.items() if names}


@pytest.mark.parametrize("seed", range(6))
def test_the_changes_found_are_the_smallest_there_are(seed):
    rng = random.Random(seed)
    card = random_card(rng)
    facts = FACTS | {"monthly_debt_payments": 3}
    every = every_score(card, facts)
    now, best = card.score(facts, as_of=AS_OF).score, max(score for _, _, score in every)
    targets = sorted({now - 5, now + 1, best, best + 1, *(rng.randint(now, best + 1) for _ in range(8))})
    for target in targets:
        changes = find_changes(card, facts, target, as_of=AS_OF)
        told = {tuple(change.values): change.size for change in changes.found}
        wanted = {} if target <= now else by_brute_force(every, facts, target)
        assert {names: told.get(names) for names in wanted} == wanted
        assert {names for names in told if set(names) <= set(NAMES)} == set(wanted)
        assert_checked(card, facts, target, changes)


def assert_checked(card: Scorecard, facts: dict[str, int], target: int, changes: Changes) -> None:
    assert [change.size for change in changes.found] == sorted(change.size for change in changes.found)
    for change in changes.found:
        assert change.score == card.score(facts | change.values, as_of=AS_OF).score >= target
        assert all(facts[name] != value for name, value in change.values.items())


def test_the_best_score_is_the_best_of_all():
    card = random_card(random.Random(77))
    facts = FACTS | {"monthly_debt_payments": 0}
    best = max(score for _, _, score in every_score(card, facts))
    changes = find_changes(card, facts, 1200, as_of=AS_OF)
    assert (changes.found, changes.best_score) == ([], best)
    assert changes.movable == ("requested_amount", "term_months", "existing_debt", "monthly_debt_payments")


def test_an_amount_of_billions_is_found_to_the_unit():
    facts = applicant(yearly_income=1_000_000_000_003, requested_amount=800_000_000_000)
    card = Scorecard.from_dict(small_card())
    # Under 35 % of the income gives 20 points in place of -40.
    [change] = find_changes(card, facts, 470, as_of=AS_OF).found
    amount = change.values["requested_amount"]
    assert change.values.keys() == {"requested_amount"}
    assert amount / facts["yearly_income"] < 0.35 <= (amount + 1) / facts["yearly_income"]
    assert (change.score, change.size) == (475, Fraction(facts["requested_amount"] - amount, facts["requested_amount"]))


def test_a_score_that_is_reached_needs_no_change():
    card = Scorecard.from_dict(small_card())
    changes = find_changes(card, applicant(), 475, as_of=AS_OF)
    assert (changes.found, changes.best_score) == ([], 485)


def test_neither_age_nor_history_is_ever_changed():
    history = {"credit_history_score", "oldest_account_date", "delinquencies_24m", "inquiries_6m", "public_records"}
    facts = {action.fact for action in ACTIONABLE}
    assert not facts & (history | set(NEVER_SCORED) | {"employment_years", "years_in_business", "yearly_income"})
    card = Scorecard.from_dict(small_card())
    assert find_changes(card, applicant(), 475, as_of=AS_OF).movable == ("requested_amount",)


@pytest.mark.parametrize(
    ("facts", "unavailable"),
    [({"requested_amount": 5}, {"term_months"}), ({"requested_amount": 5}, set()),
     ({"requested_amount": 5, "term_months": 12}, set())],
    ids=["unavailable", "missing", "a special code"],
)  # fmt: skip
def test_what_is_not_known_is_not_changed(facts, unavailable):
    card = card_of(
        [],
        [table("requested_amount", [3], [9, 0]), table("term_months", [20], [0, 9], special_points={"12": 0})],
        [],
        term_months={"12": "not agreed"},
    )
    changes = find_changes(card, facts, 401, as_of=AS_OF, unavailable=frozenset(unavailable))
    assert changes.movable == ("requested_amount",)
    assert [change.values for change in changes.found] == [{"requested_amount": 2}]


def test_facts_that_enter_one_feature_together_are_not_changed_together():
    card = card_of([ratio("share", "requested_amount", "existing_debt")], [table("share", [0.5, 1.5], [20, 10, 0])], [])
    changes = find_changes(card, {"requested_amount": 8, "existing_debt": 4}, 420, as_of=AS_OF)
    assert [change.values for change in changes.found] == [{"requested_amount": 1}]
    assert changes.not_searched == [("requested_amount", "existing_debt")]


def test_a_fact_that_enters_a_feature_twice_is_left_alone():
    rest = {"name": "rest", "kind": "difference", "of": ["existing_debt", "requested_amount"]}
    twice = ratio("twice", "rest", "requested_amount")
    card = card_of([rest, twice], [table("twice", [0], [0, 9])], [])
    changes = find_changes(card, {"requested_amount": 8, "existing_debt": 4}, 409, as_of=AS_OF)
    assert (changes.movable, changes.found, changes.best_score) == (("existing_debt",), [], 400)


def test_liabilities_stay_above_those_that_are_current():
    plain = small_card() | {
        "segment": "company",
        "inputs": [as_input("company", "liabilities"), as_input("company", "current_liabilities")],
        "features": [{"name": "long_term", "kind": "difference", "of": ["liabilities", "current_liabilities"]}],
        "characteristics": [table("long_term", [-5, 1, 20], [90, 20, 10, 0])],
    }
    card = Scorecard.from_dict(plain)
    changes = find_changes(card, {"liabilities": 100, "current_liabilities": 60}, 410, as_of=AS_OF)
    assert [(change.values, change.score) for change in changes.found] == [({"liabilities": 79}, 410)]
    assert changes.best_score == 420


def test_a_grid_of_too_many_cells_is_said_not_to_be_searched(monkeypatch):
    monkeypatch.setattr(changes, "MOST_PRODUCTS", 3)
    card = random_card(random.Random(3))
    found = find_changes(card, FACTS | {"monthly_debt_payments": 0}, 1200, as_of=AS_OF)
    assert found.not_searched == [("requested_amount", "term_months"), ("existing_debt", "monthly_debt_payments")]


def test_pieces_hold_every_value_once():
    card = random_card(random.Random(5))
    search = changes._Search(card, FACTS | {"monthly_debt_payments": 3}, AS_OF, frozenset())
    pieces = search._pieces("term_months", 1, 600)
    assert [value for low, high in pieces for value in range(low, high + 1)] == [v for v in range(1, 601) if v != 12]
    assert all(before[1] < after[0] for before, after in pairwise(pieces))
