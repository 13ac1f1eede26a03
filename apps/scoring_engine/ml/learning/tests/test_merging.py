from itertools import combinations

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.encoding import Bins, Feature
from apps.scoring_engine.ml.learning.merging import MOST_GRID_BINS, allot_to_pairs, merge, segments
from apps.scoring_engine.ml.learning.rows import MISSING, SPECIAL
from apps.scoring_engine.ml.learning.shapes import Shapes

from .made import feature


def merged(features, shapes, count):
    return merge(features, shapes, np.ones(count), most_bins=20, smallest_share=0.02, information=1e9)


def squares(values, weight, starts):
    ends = [*starts[1:], len(values)]
    found = 0.0
    for a, b in zip(starts, ends, strict=True):
        mean = np.average(values[a:b], axis=0, weights=weight[a:b])
        found += (weight[a:b] * (values[a:b] - mean) ** 2).sum()
    return found


def all_segmentations(n, most, weight, least):
    for runs in range(1, most + 1):
        for cuts in combinations(range(1, n), runs - 1):
            starts = [0, *cuts]
            if (np.add.reduceat(weight.sum(axis=1), starts) >= least).all():
                yield starts


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("columns", [1, 3])
def test_segments_are_the_best_of_all_there_are(seed, columns):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    most, least = int(rng.integers(1, n + 1)), float(rng.uniform(0, 8))
    values, weight = rng.normal(0, 1, (n, columns)), rng.uniform(0.5, 4, (n, columns))
    found = segments(values, weight, most, least, 0.0)
    possible = [squares(values, weight, starts) for starts in all_segmentations(n, most, weight, least)]
    if not possible:
        assert found == [0]
        return
    assert len(found) <= most
    assert squares(values, weight, found) == pytest.approx(min(possible), abs=1e-9)
    if found != [0]:
        assert (np.add.reduceat(weight.sum(axis=1), found) >= least).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_fewest_within_the_tolerance_are_taken(seed):
    rng = np.random.default_rng(seed)
    values, weight = rng.normal(0, 1, (7, 1)), rng.uniform(0.5, 4, (7, 1))
    tolerance = rng.uniform(0.1, 1.2)
    found = segments(values, weight, 7, 0.0, tolerance)
    within = [starts for starts in all_segmentations(7, 7, weight, 0)
              if squares(values, weight, starts) <= tolerance**2 * weight.sum()]  # fmt: skip
    assert len(found) == min(map(len, within))
    alike = [squares(values, weight, starts) for starts in all_segmentations(7, 7, weight, 0)
             if len(starts) == len(found)]  # fmt: skip
    assert squares(values, weight, found) == pytest.approx(min(alike))


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_what_costs_nothing_is_merged():
    assert segments(column(1, 1, 1, 2, 2), np.ones((5, 1)), 5, 0.0, 0.0) == [0, 3]
    assert segments(column(1, 1, 1, 1, 1), np.ones((5, 1)), 5, 0.0, 0.0) == [0]


def test_at_least_the_fewest_where_that_can_be():
    flat, weight = column(1, 1, 1, 1), np.ones((4, 1))
    assert len(segments(flat, weight, 4, 0.0, 0.01, fewest=2)) == 2
    assert segments(flat, weight, 4, 3.0, 0.01, fewest=2) == [0]
    assert len(segments(column(0, 0, 5, 5), weight, 4, 2.0, 9.0, fewest=2)) == 2


def test_no_segment_is_lighter_than_allowed():
    weight = column(1, 1, 1, 1, 1, 95)
    found = segments(column(0, 9, 0, 9, 0, 3), weight, 6, 2.0, 0.0)
    assert (np.add.reduceat(weight[:, 0], found) >= 2.0).all()
    assert segments(column(0, 9), column(1, 1), 2, 100.0, 0.0) == [0]


def test_levels_are_merged_by_what_they_were_learnt_to_be_and_states_stay_apart():
    codes = np.repeat([0, 1, 2, 3, 4], 100)
    levels = Feature("x", Bins(None, (("a",), ("b",), ("c",), ("d",))), (MISSING,), 0, codes, codes)
    (part,), _ = merged((levels,), Shapes(0.0, [np.array([1.0, -1.0, 1.0, 0.0, 7.0])]), 500)
    assert part.bins.groups == (("b",), ("d",), ("a", "c"))
    assert part.values == pytest.approx([-1, 0, 1, 7])
    assert part.places[::100].tolist() == [2, 0, 2, 1, 3]


# Pairs


def random_pair(seed, directions, count=4000):
    """Two features with states; shapes whose total keeps the directions though no table has to."""
    rng = np.random.default_rng(seed)
    one = feature("a", rng.integers(0, 11, count), 9, states=(MISSING, SPECIAL), direction=directions[0])
    other = feature("b", rng.integers(0, 8, count), 7, states=(MISSING,), direction=directions[1])
    table = rng.normal(0, 0.2, (10, 8))
    mains = [rng.normal(0, 0.1, 11), rng.normal(0, 0.1, 8)]
    total = mains[0][:9, None] + table[:9]
    if directions[0]:
        worst = (directions[0] * np.diff(total, axis=0)).min(axis=1)
        mains[0][1:9] += directions[0] * np.cumsum(np.maximum(-worst, 0) + 0.01)
    if directions[1]:
        worst = (directions[1] * np.diff(mains[1][:7] + table[:, :7], axis=1)).min(axis=0)
        mains[1][1:7] += directions[1] * np.cumsum(np.maximum(-worst, 0) + 0.01)
    return (one, other), Shapes(0.0, mains, {(0, 1): table})


def in_order(values, direction, axis):
    return direction == 0 or (direction * np.diff(values, axis=axis) >= -1e-9).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("directions", [(1, 0), (0, -1), (1, -1), (-1, -1)])
def test_every_table_keeps_the_direction_that_only_the_total_kept(seed, directions):
    features, shapes = random_pair(seed, directions)
    before = shapes.total(features)
    allot_to_pairs(features, shapes)
    assert np.abs(shapes.total(features) - before).max() < 1e-9
    table = shapes.pairs[0, 1]
    assert in_order(table[:-1], directions[0], 0)
    assert in_order(table[:, :-1], directions[1], 1)
    assert in_order(shapes.mains[0][:9], directions[0], 0)
    assert in_order(shapes.mains[1][:7], directions[1], 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("directions", [(1, 0), (1, -1), (-1, -1)])
def test_a_merged_grid_is_small_and_keeps_its_directions(seed, directions):
    features, shapes = random_pair(seed, directions)
    _, (grid,) = merged(features, shapes, 4000)
    rows, columns = (bins.count for bins in grid.bins)
    assert min(rows, columns) >= 2
    assert max(rows, columns) <= MOST_GRID_BINS
    assert grid.values.shape == (rows + 1, columns)  # special codes of the first have a row of their own
    assert in_order(grid.values[:rows], directions[0], 0)
    assert in_order(grid.values, directions[1], 1)


def test_the_cell_of_each_row_is_where_its_values_lie():
    features, shapes = random_pair(1, (1, -1))
    _, (grid,) = merged(features, shapes, 4000)
    sides = [np.searchsorted(np.asarray(bins.edges), one.codes, side="right")
             for one, bins in zip(features, grid.bins, strict=True)]  # fmt: skip
    rows, columns = grid.values.shape
    first = np.where(features[0].codes == 10, rows - 1, sides[0])
    absent = (features[0].codes == 9) | (features[1].codes == 7)
    assert grid.places.tolist() == np.where(absent, -1, first * columns + sides[1]).tolist()


def test_the_less_is_known_the_more_a_bin_must_bring():
    codes = np.repeat(np.arange(10), 100)
    one, table = feature("a", codes, 10), np.linspace(-0.3, 0.3, 10)
    counts = [
        merge((one,), Shapes(0.0, [table.copy()]), np.ones(1000), most_bins=20, smallest_share=0.02, information=known)[
            0
        ][0].bins.count
        for known in (1e9, 30, 1)
    ]
    assert counts[0] == 10 > counts[1] > counts[2] == 1
