"""Bags: rows of one group stay together, and every bag sees the same share of bads."""

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.boosting import FOLDS, Outcomes, folds_of


def outcomes(group, bad_rate=0.06, seed=0):
    count = len(group)
    is_bad = np.random.default_rng(seed).random(count) < bad_rate
    return Outcomes(is_bad, np.ones(count), np.zeros(count), np.asarray(group))


def test_every_row_stops_one_bag_and_groups_stay_together():
    rng = np.random.default_rng(1)
    rows = outcomes(np.sort(rng.integers(0, 700, 4000)))
    folds = folds_of(rows, 1)
    assert len(folds) == FOLDS
    assert sorted(np.concatenate([stop for _, stop in folds])) == list(range(4000))
    for fit, stop in folds:
        assert len(fit) + len(stop) == 4000
        assert not set(rows.group[fit]) & set(rows.group[stop])


@pytest.mark.parametrize("grouped", [False, True])
def test_bags_are_alike(grouped):
    rows = outcomes(np.arange(6000) // 4 if grouped else np.arange(6000))
    folds = folds_of(rows, 2)
    bads = [rows.is_bad[stop].sum() for _, stop in folds]
    sizes = [len(stop) for _, stop in folds]
    assert max(bads) - min(bads) <= 3
    assert max(sizes) - min(sizes) <= 8


def test_a_seed_decides_the_bags():
    rows = outcomes(np.arange(3000) // 3)
    first, again, other = (folds_of(rows, seed)[0][1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_bags_of_a_large_table_are_bounded():
    folds = folds_of(outcomes(np.arange(5000)), 1, most=1000)
    assert [(len(fit), len(stop)) for fit, stop in folds] == [(1000, 200)] * FOLDS
