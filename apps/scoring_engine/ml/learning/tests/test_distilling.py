"""Refitting merged tables to the fine score, against a quadratic programme and against definitions."""

import numpy as np
import pytest
from scipy.optimize import minimize

from apps.scoring_engine.ml.learning.distilling import distil, level, monotone_grid
from apps.scoring_engine.ml.learning.encoding import Bins
from apps.scoring_engine.ml.learning.merging import Grid, Part

from .made import feature


def ordered_pairs(shape, directions, bins):
    """(smaller, larger) flat places that the directions ask for."""
    places = np.arange(np.prod(shape)).reshape(shape)
    found = []
    for axis, (direction, count) in enumerate(zip(directions, bins, strict=True)):
        if direction:
            along = places[:count] if axis == 0 else places[:, :count].T
            steps = list(zip(along[:-1].ravel(), along[1:].ravel(), strict=True))
            found += steps if direction > 0 else [(b, a) for a, b in steps]
    return found


def nearest(values, mass, directions, bins):
    """The quadratic programme by a general solver."""
    pairs = ordered_pairs(values.shape, directions, bins)
    constraints = np.zeros((len(pairs), values.size))
    for row, (smaller, larger) in enumerate(pairs):
        constraints[row, smaller], constraints[row, larger] = -1, 1
    w, v = mass.ravel(), values.ravel()
    found = minimize(
        lambda x: (w * (x - v) ** 2).sum() / 2, np.zeros(values.size), jac=lambda x: w * (x - v), method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: constraints @ x, "jac": lambda x: constraints},
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    return found.x.reshape(values.shape)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("directions", [(0, 0), (1, 0), (0, -1), (1, 1), (-1, 1)])
@pytest.mark.parametrize("special", [(0, 0), (1, 0), (1, 1)])
def test_a_grid_becomes_the_nearest_that_keeps_its_directions(seed, directions, special):
    rng = np.random.default_rng(seed)
    bins = (3, 4)
    shape = (bins[0] + special[0], bins[1] + special[1])
    values, mass = rng.normal(0, 1, shape), rng.uniform(0.5, 5, shape)
    found = monotone_grid(values, mass, directions, bins)
    flat = found.ravel()
    assert all(flat[smaller] <= flat[larger] for smaller, larger in ordered_pairs(shape, directions, bins))
    assert found == pytest.approx(nearest(values, mass, directions, bins), abs=2e-4)


def test_what_is_in_order_stays_as_it_is():
    values = np.add.outer(np.arange(3.0), np.arange(4.0))
    assert (monotone_grid(values, np.ones((3, 4)), (1, 1), (3, 4)) == values).all()
    assert monotone_grid(-values, np.ones((3, 4)), (1, 1), (3, 4)) == pytest.approx(np.full((3, 4), -2.5), abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_the_level_is_where_the_excess_costs_the_price(seed):
    rng = np.random.default_rng(seed)
    values, mass = rng.normal(0.5, 1, 9), rng.uniform(0.1, 3, 9)
    price = rng.uniform(0.01, 4)
    found = level(values, mass, price)
    excess = (mass * np.maximum(values - found, 0)).sum()
    assert excess == pytest.approx(price) if found > 0 else excess <= price + 1e-9


def test_levels_by_hand():
    values, mass = np.array([3.0, 1.0, -2.0]), np.array([1.0, 2.0, 5.0])
    assert level(values, mass, 0.0) == np.inf
    assert level(values, mass, 1.0) == pytest.approx(2.0)  # 1 x (3 - 2)
    assert level(values, mass, 2.0) == pytest.approx(1.0)
    assert level(values, mass, 3.5) == pytest.approx(0.5)  # 1 x 2.5 + 2 x 0.5
    assert level(values, mass, 100.0) == 0.0
    assert level(np.array([-1.0, -2.0]), np.ones(2), 0.5) == 0.0


def two_parts(seed=1, count=4000):
    """Two parts of a fine score that is additive in their places, and the parts' own first values."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 5, count), rng.integers(0, 4, count)]
    truth = [np.array([-2.0, -0.5, 0, 0.5, 3.5]), np.array([-0.4, 0.0, 0.2, 0.6])]
    parts = [
        Part(feature(name, code, len(value)), Bins(tuple(range(1, len(value)))), np.zeros(len(value)), code)
        for name, code, value in zip("ab", codes, truth, strict=True)
    ]
    return parts, -1 + truth[0][codes[0]] + truth[1][codes[1]], truth


def test_an_additive_score_is_found_again():
    parts, fine, truth = two_parts()
    distil(parts, fine, np.ones(4000), 1, sweeps=60)
    for part, values in zip(parts, truth, strict=True):
        assert np.diff(part.values) == pytest.approx(np.diff(values), abs=0.08)


def test_a_price_lowers_the_extremes_and_nothing_else_by_much():
    free, fine, _ = two_parts()
    priced, _, _ = two_parts()
    low, _, _ = two_parts()
    distil(free, fine, np.ones(4000), 1, sweeps=10)
    distil(priced, fine, np.ones(4000), 1, sweeps=10, prices=(40.0, 0.0))
    distil(low, fine, np.ones(4000), 1, sweeps=10, prices=(0.0, 40.0))
    assert priced[0].values.max() < free[0].values.max() - 0.1
    assert low[0].values.min() > free[0].values.min() + 0.1
    assert np.diff(priced[0].values[:4]) == pytest.approx(np.diff(free[0].values[:4]), abs=0.1)
    dear, _, _ = two_parts()
    distil(dear, fine, np.ones(4000), 1, sweeps=10, prices=(1e9, 1e9))
    assert all((part.values == 0).all() for part in dear)


def test_parts_and_grids_keep_their_directions_against_the_fine_score():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 4, 3000), rng.integers(0, 3, 3000)
    one, other = feature("a", a, 4, direction=1), feature("b", b, 3, direction=-1)
    part = Part(one, Bins((1, 2, 3)), np.zeros(4), a)
    grid = Grid((one, other), (Bins((1, 2, 3)), Bins((1, 2))), np.zeros((4, 3)), a * 3 + b)
    distil([part, grid], -a + b + rng.normal(0, 1, 3000), np.ones(3000), 1)
    assert (np.diff(part.values) >= 0).all()
    assert (np.diff(grid.values, axis=0) >= 0).all()
    assert (np.diff(grid.values, axis=1) <= 0).all()


def test_rows_without_a_cell_get_nothing_from_a_grid():
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, 2000)
    grid = Grid((feature("a", a, 3), feature("b", a, 3)), (Bins((1, 2)), Bins((1, 2))), np.zeros((3, 3)),
                np.where(a == 0, -1, a * 3 + a))  # fmt: skip
    distil([grid], np.where(a == 0, -9.0, np.where(a == 1, -0.5, 0.5)), np.ones(2000), 1, sweeps=40)
    assert grid.values[2, 2] - grid.values[1, 1] == pytest.approx(1, abs=0.05)
    assert grid.values[0, 0] == 0
