"""The reachable range is what trying out every applicant finds; a split bucket can only widen it."""

import datetime as dt
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml import reach
from apps.scoring_engine.ml.scorecard import Scorecard

from .examples import small_card

NAMES = ("first", "second", "third")
# A value of each bin, the special code, missing; and unavailable, told apart by name.
WAYS = (0, 1, 2, -1, None, "unavailable")
points = st.integers(-9, 9)
grids = st.tuples(*[st.tuples(points, points, points) for _ in range(3)])


def own(name: str) -> dict:
    return {"name": name, "kind": "integer", "unit": "count", "required": False, "least": 0, "most": 2,
            "special_codes": {"-1": "no answer"}}  # fmt: skip


def characteristic(name: str, bins: tuple[int, ...], missing: int, special: int) -> dict:
    return {
        "feature": name, "label": name, "unit": "count", "edges": [1, 2], "points": list(bins),
        "missing_points": missing, "unavailable_points": 0, "special_points": {"-1": special}, "reference_points": 0,
        "direction": "free", "code": name.upper(),
    }  # fmt: skip


def pair(names: tuple[str, str], grid: tuple, missing: int, *, special: bool) -> dict:
    axis = {"edges": [1], "special": special}
    lines = [list(line)[: 2 + special] for line in grid][: 2 + special]
    return {
        "features": list(names), "label": "pair", "code": "_".join(names).upper(), "axes": [axis, axis],
        "points": lines, "missing_points": missing, "unavailable_points": 0, "reference_points": 0,
        "directions": ["free", "free"],
    }  # fmt: skip


@st.composite
def cards(draw: st.DrawFn) -> Scorecard:
    tables = [characteristic(n, draw(st.tuples(points, points, points)), draw(points), draw(points)) for n in NAMES]
    sides = [("first", "second"), ("second", "third"), ("third", "first")]
    pairs = [pair(names, draw(grids), draw(points), special=draw(st.booleans())) for names in sides]
    plain = small_card() | {
        "inputs": [own(name) for name in NAMES], "features": [], "characteristics": tables[: draw(st.integers(1, 3))],
        "pairs": pairs[: draw(st.integers(0, 3))],
    }  # fmt: skip
    return Scorecard.from_dict(plain)


def tried(card: Scorecard) -> tuple[int, int]:
    scores = []
    for ways in product(WAYS, repeat=len(NAMES)):
        by_name = dict(zip(NAMES, ways, strict=True))
        down = frozenset(name for name, way in by_name.items() if way == "unavailable")
        facts = {name: way for name, way in by_name.items() if way is not None and name not in down}
        scores.append(card.score(facts, as_of=dt.date(2024, 1, 1), unavailable=down).score)
    return min(scores), max(scores)


@settings(max_examples=60, deadline=None)
@given(cards())
def test_the_range_is_the_one_that_every_applicant_together_reaches(card):
    assert card.reachable == tried(card)


@pytest.mark.parametrize("most", [1, 8, 40])
@settings(max_examples=20, deadline=None)
@given(card=cards())
def test_with_less_work_it_is_wider_at_most(most, card):
    low, high = tried(card)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "MOST_WORK", most)
        found = reach.reach(card.base_points, card.characteristics, card.pairs)
    assert found[0] <= low
    assert found[1] >= high
