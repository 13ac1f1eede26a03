from itertools import combinations

import numpy as np

from apps.scoring_engine.ml.learning.merging import segments


def squares(values, weight, starts):
    ends = [*starts[1:], len(values)]
    parts = [(values[a:b], weight[a:b]) for a, b in zip(starts, ends, strict=True)]
    return sum((w * (v - np.average(v, weights=w)) ** 2).sum() for v, w in parts)


def test_segments_are_the_best_of_all_possible_ones():
    rng = np.random.default_rng(4)
    values, weight = np.cumsum(rng.normal(0, 1, 11)), rng.uniform(1, 5, 11)
    found = segments(values, weight, 4, least_weight=0.0)
    best = min(squares(values, weight, [0, *cuts]) for k in range(4) for cuts in combinations(range(1, 11), k))
    assert len(found) == 4
    assert np.isclose(squares(values, weight, found), best)


def test_no_segment_is_lighter_than_allowed():
    weight = np.array([1.0, 1, 1, 1, 1, 95])
    found = segments(np.array([0.0, 9, 0, 9, 0, 3]), weight, 6, least_weight=2.0)
    sums = np.add.reduceat(weight, found)
    assert (sums >= 2.0).all()


def test_what_costs_nothing_is_merged():
    assert segments(np.array([1.0, 1, 1, 2, 2]), np.ones(5), 5, least_weight=0.0) == [0, 3]
    assert segments(np.ones(5), np.ones(5), 5, least_weight=0.0) == [0]
