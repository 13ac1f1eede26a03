"""Which pairs of features are worth a grid of their own."""

from collections.abc import Sequence

import numpy as np

from .boosting import LARGE_SCREEN, Effort, Matrix, Outcomes, bags_of, folds_of
from .encoding import Feature
from .shapes import Pair, Shapes, add_trees, cell_weights, empty_shapes, purify, strength

BAGS = 2
RATE = 0.1
PATIENCE = 25
WEAKEST = 0.01  # log-odds: a pair whose interaction is weaker than this is not worth a page
DOUBT = 0.35  # nor is one weaker than so many standard errors of the log-odds of all rows together
SCREEN = Effort(leaves=4, bagging=0.8, penalty=5.0)


def strongest_pairs(
    features: Sequence[Feature], matrix: Matrix, rows: Outcomes, *, most: int, seed: int
) -> tuple[Pair, ...]:
    """At most `most` pairs by the weighted standard deviation of their pure interaction.

    Found by boosting trees of depth two, whose leaves use two features at most, over any pair.
    """
    shapes = empty_shapes(features)
    folds = folds_of(rows, seed, most=LARGE_SCREEN)[:BAGS]
    for bag in bags_of(matrix, rows, groups=None, effort=SCREEN, rate=RATE, patience=PATIENCE, seed=seed,
                       folds=folds, depth=2):  # fmt: skip
        add_trees(shapes, bag.model, matrix, features, 1 / BAGS)
    purify(shapes, features, rows.weight)
    found = ranked(shapes, features, rows.weight)
    base = np.average(rows.is_bad, weights=rows.weight)
    weakest = max(WEAKEST, DOUBT / np.sqrt(rows.weight.sum() * base * (1 - base)))
    return tuple(pair for pair, value in found[:most] if value >= weakest)


def ranked(shapes: Shapes, features: Sequence[Feature], weight: np.ndarray) -> list[tuple[Pair, float]]:
    """Pairs of purified shapes, the strongest first."""
    found = [
        (pair, strength(table, cell_weights(features[pair[0]], features[pair[1]], weight)))
        for pair, table in shapes.pairs.items()
    ]
    return sorted(found, key=lambda each: (-each[1], each[0]))
