"""Trees read as tables say what the trees say; moving effects between tables changes no total."""

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.boosting import Effort, Outcomes, bags_of, matrix_of
from apps.scoring_engine.ml.learning.pairing import strongest_pairs
from apps.scoring_engine.ml.learning.rows import MISSING, SPECIAL, UNAVAILABLE
from apps.scoring_engine.ml.learning.shapes import (
    Shapes,
    add_trees,
    cell_of,
    cell_weights,
    empty_shapes,
    purify,
    strength,
)

from .made import drawn, feature

EFFORT = Effort(leaves=8, bagging=0.8, penalty=1.0)


def made(seed=1, count=3000):
    """Features with states of every kind, directions and an interaction; the outcomes that go with them."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 12, count), rng.integers(0, 9, count)
    c, d = rng.integers(0, 6, count), rng.integers(0, 15, count)
    a[rng.random(count) < 0.1] = 12  # one state only, no direction: no column of states
    b[rng.random(count) < 0.2] = 9 + rng.integers(0, 3)  # directed, several states
    c[rng.random(count) < 0.2] = 6 + rng.integers(0, 2)
    b[:30], b[30:60], b[60:90] = 9, 10, 11
    features = (
        feature("a", a, 12, states=(MISSING,)),
        feature("b", b, 9, states=(MISSING, UNAVAILABLE, SPECIAL), direction=1),
        feature("c", c, 6, states=(SPECIAL, SPECIAL + 1)),
        feature("d", d, 15, direction=-1),
    )
    log_odds = -2 + a / 6 + b / 5 - d / 8 + (a > 6) * (d < 7) + (c > 4) * (b < 4) + (b == 11)
    outcomes = Outcomes(drawn(rng, log_odds), rng.uniform(0.5, 1.5, count), rng.normal(0, 0.2, count), np.arange(count))
    return features, outcomes


def trees(features, outcomes, folds, pairs=()):
    matrix = matrix_of(features)
    groups = [[v] if s < 0 else [v, s] for v, s in zip(matrix.value, matrix.state, strict=True)]
    groups += [[matrix.value[j], matrix.value[k]] for j, k in pairs]
    return matrix, next(bags_of(matrix, outcomes, groups=groups, effort=EFFORT, rate=0.1, patience=10, seed=3,
                                folds=folds))  # fmt: skip


def halves(count):
    return [(np.arange(0, count, 2), np.arange(1, count, 2))]


@pytest.mark.parametrize("pairs", [(), ((0, 3), (1, 2), (0, 1))])
@pytest.mark.parametrize("seed", [1, 2])
def test_tables_say_what_the_trees_say_on_every_row(pairs, seed):
    features, outcomes = made(seed)
    matrix, bag = trees(features, outcomes, halves(3000), pairs)
    shapes = empty_shapes(features)
    add_trees(shapes, bag.model, matrix, features, 1.0)
    assert set(shapes.pairs) == set(pairs)
    assert np.abs(shapes.total(features) - bag.model.predict(matrix.data, raw_score=True)).max() < 1e-9


def test_also_where_a_value_is_absent_outside_the_rows_learnt_from_only():
    features, outcomes = made()
    first = features[0]
    whole = np.flatnonzero(first.codes < first.bins.count)
    rest = np.flatnonzero(first.codes == first.bins.count)
    assert len(rest) > 100
    folds = [(whole[:1500], np.concatenate([whole[1500:], rest]))]
    matrix, bag = trees(features, outcomes, folds, ((0, 3),))
    shapes = empty_shapes(features)
    add_trees(shapes, bag.model, matrix, features, 1.0)
    assert np.abs(shapes.total(features) - bag.model.predict(matrix.data, raw_score=True)).max() < 1e-9
    expected = outcomes.offset + bag.start + shapes.total(features)
    assert np.abs(expected[bag.stop] - bag.out_of_bag).max() < 1e-9


def test_purifying_changes_no_total_and_leaves_pairs_pure():
    features, outcomes = made()
    matrix, bag = trees(features, outcomes, halves(3000), ((0, 3), (1, 2)))
    shapes = empty_shapes(features)
    add_trees(shapes, bag.model, matrix, features, 1.0)
    before = shapes.total(features)
    purify(shapes, features, outcomes.weight)
    assert np.abs(shapes.total(features) - before).max() < 1e-9
    for (j, k), table in shapes.pairs.items():
        mass = cell_weights(features[j], features[k], outcomes.weight)
        assert np.abs((table * mass).sum(axis=0) / mass.sum(axis=0).clip(1e-9)).max() < 1e-6
        assert np.abs((table * mass).sum(axis=1) / mass.sum(axis=1).clip(1e-9)).max() < 1e-6
    for table, one in zip(shapes.mains, features, strict=True):
        assert abs(np.average(table[one.codes], weights=outcomes.weight)) < 1e-9


def test_an_effect_of_one_feature_put_into_a_pair_goes_back_to_it():
    one, other = feature("a", np.tile([0, 1, 2], 200), 3), feature("b", np.repeat([0, 1], 300), 2)
    table = np.array([[1.0, 1, 0], [4, 4, 0], [7, 7, 0], [0, 0, 0]])
    shapes = Shapes(0.0, [np.zeros(3), np.zeros(2)], {(0, 1): table.copy()})
    purify(shapes, (one, other), np.ones(600))
    assert shapes.mains[0] == pytest.approx([-3, 0, 3])
    assert shapes.mains[1] == pytest.approx([0, 0])
    assert shapes.start == pytest.approx(4)
    assert np.abs(shapes.pairs[0, 1][:3, :2]).max() < 1e-9


def test_strength_is_the_spread_of_the_pure_interaction():
    # +1 and -1 on a chequerboard of equal cells: the standard deviation is 1.
    assert strength(np.array([[1.0, -1], [-1, 1]]), np.full((2, 2), 25.0)) == 1
    # Cells: counts 30, 0, 10, 0 (+ none without a value), and 0.2 of rows x columns / 40.
    one, other = feature("a", [0] * 30 + [1] * 10, 2), feature("b", np.zeros(40, dtype=int), 2)
    assert cell_weights(one, other, np.ones(40)) == pytest.approx(np.array([[36, 0, 0], [12, 0, 0], [0, 0, 0]]))
    assert cell_of(feature("a", [0, 2, 3, 1], 2, states=(1, 2))).tolist() == [0, 2, 2, 1]


def test_the_pair_that_interacts_is_picked_first():
    features, outcomes = made(count=6000)
    assert strongest_pairs(features, matrix_of(features), outcomes, most=1, seed=3) == ((0, 3),)


def test_absence_alone_is_no_interaction():
    """Two effects that only add up, one feature absent in half of the rows for two reasons."""
    rng = np.random.default_rng(0)
    count = 8000
    a, b = rng.integers(0, 10, count), rng.integers(0, 10, count)
    a[rng.random(count) < 0.5] = 10
    a[rng.random(count) < 0.1] = 11
    features = (feature("a", a, 10, states=(MISSING, SPECIAL), direction=1), feature("b", b, 10),
                feature("c", rng.integers(0, 10, count), 10))  # fmt: skip
    log_odds = -1.5 + np.where(a < 10, a / 5, 1.5) + b / 4
    outcomes = Outcomes(drawn(rng, log_odds), np.ones(count), np.zeros(count), np.arange(count))
    shapes = empty_shapes(features)
    matrix = matrix_of(features)
    for bag in bags_of(matrix, outcomes, groups=None, effort=Effort(4, 0.8, 5.0), rate=0.1, patience=25, seed=3,
                       folds=halves(count), depth=2):  # fmt: skip
        add_trees(shapes, bag.model, matrix, features, 1.0)
    purify(shapes, features, outcomes.weight)
    found = {pair: strength(t, cell_weights(features[pair[0]], features[pair[1]], outcomes.weight))
             for pair, t in shapes.pairs.items()}  # fmt: skip
    assert found.get((0, 1), 0.0) < 0.06  # 0.117 when both sides of a split by state fell on the place for no value
