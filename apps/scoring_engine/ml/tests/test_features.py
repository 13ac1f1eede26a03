import pytest

from apps.scoring_engine.ml.cards import Feature
from apps.scoring_engine.ml.features import Derivations

from .examples import AS_OF

RATIO = Feature("r", "ratio", ("a", "b"), 1, -2, 3)


def derived(*features: Feature, **facts: float) -> tuple[dict, dict]:
    values, states = Derivations((), features).derive(facts, AS_OF, frozenset({"down"}))
    return {f.name: values[f.name] for f in features}, states


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 2, 0.5),
        (10, 2, 3),  # clipped
        (-10, 2, -2),
        (5, 0, 3),  # over zero: as far out as the card allows
        (-5, 0, -2),
        (0, 0, 0),
        (10**15, 5e-324, 3),
        (-(10**15), 5e-324, -2),
    ],
)
def test_ratio(a, b, expected):
    assert derived(RATIO, a=a, b=b)[0] == {"r": expected}


def test_nothing_over_nothing_is_clipped_too():
    assert derived(Feature("r", "ratio", ("a", "b"), 1, 1, 3), a=0, b=0)[0] == {"r": 1}


def test_ratio_with_multiplier():
    feature = Feature("r", "ratio", ("a", "b"), 12, 0, 100)
    assert derived(feature, a=3, b=4)[0] == {"r": 9.0}


def test_difference_and_a_feature_of_features():
    working_capital = Feature("w", "difference", ("a", "b"), 1, 0, 0)
    ratio = Feature("r", "ratio", ("w", "c"), 1, -1, 1)
    assert derived(working_capital, ratio, a=30, b=50, c=100)[0] == {"w": -20, "r": -0.2}
    assert derived(working_capital, ratio, a=30, c=100) == (
        {"w": None, "r": None},
        {"down": "unavailable", "w": "missing", "r": "missing"},
    )


def test_unavailable_decides_before_missing():
    feature = Feature("r", "ratio", ("gone", "down"), 1, 0, 1)
    assert derived(feature)[1]["r"] == "unavailable"
