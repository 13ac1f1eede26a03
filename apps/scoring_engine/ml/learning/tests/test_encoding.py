import numpy as np
import pytest

from apps.scoring_engine.ml.learning.encoding import Bins, fine_bins, readable


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.3371, 0.3624, 0.35), (0, 1, 1.0), (12, 13, 13.0), (987, 1013, 1000.0), (-0.3, 0.2, 0.0),
     (-0.36, -0.34, -0.35), (0.0, 0.004, 0.002), (36, 60, 50.0)],
)  # fmt: skip
def test_the_number_with_the_fewest_digits_is_taken(low, high, expected):
    assert readable(low, high) == expected


def test_every_value_falls_into_the_bin_that_serving_takes():
    bins = Bins((1.0, 2.5))
    assert bins.codes(np.array([-9, 0.99, 1.0, 2.4, 2.5, 9, np.nan])).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_few_distinct_values_get_a_bin_each():
    bins = fine_bins(np.array([0.0, 0, 1, 2, 2, 3, np.nan]), np.zeros(7, dtype=bool))
    assert bins.edges == (1.0, 2.0, 3.0)


def test_a_heavy_value_stands_alone_among_many():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.3, 0.0, rng.uniform(0.01, 1, 5000))
    bins = fine_bins(values, np.zeros(5000, dtype=bool))
    assert bins.codes(np.array([0.0]))[0] == 0
    assert bins.edges[0] > 0
    assert 40 <= bins.count <= 64


def test_levels_are_ordered_by_bad_rate_and_unseen_is_not_missing():
    values = np.array(["a"] * 100 + ["b"] * 100 + [None] * 5, dtype=object)
    bins = fine_bins(values, np.array([True] * 60 + [False] * 145))
    assert bins.groups == (("b",), ("a",))
    assert bins.codes(np.array(["a", None, "z"], dtype=object)).tolist() == [1, 2, 3]
