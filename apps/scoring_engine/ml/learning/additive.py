"""Learning the fine shapes: screen efforts, pick pairs, boost features and pairs jointly, average the bags."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .boosting import LARGE_SCREEN, Effort, Matrix, Outcomes, bags_of, folds_of, matrix_of
from .encoding import Feature
from .metrics import log_loss, sigmoid
from .pairing import strongest_pairs
from .shapes import Pair, Shapes, add_trees, empty_shapes, purify

RATE = 0.05
PATIENCE = 50
SCREEN_RATE = 0.1
SCREEN_PATIENCE = 25
EFFORTS = (Effort(5, 0.5, 5.0), Effort(8, 0.8, 5.0), Effort(16, 0.9, 1.0))

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Learnt:
    """shapes: the mean of the bags; out_of_bag: log-odds of each row by the bag that did not see it (NaN: none)."""

    shapes: Shapes
    out_of_bag: np.ndarray
    effort: Effort


def learn(
    features: Sequence[Feature], rows: Outcomes, *, pairs: int | Sequence[Pair], seed: int,
    on_step: OnStep = lambda step: None,
) -> Learnt:  # fmt: skip
    """pairs: at most so many, found here; or those to use."""
    matrix = matrix_of(features)
    if isinstance(pairs, int):
        pairs = strongest_pairs(features, matrix, rows, most=pairs, seed=seed) if pairs and len(features) > 1 else ()
        on_step("picking pairs")
    groups = _groups(matrix, pairs)
    effort = _best_effort(matrix, rows, groups, seed)
    on_step("choosing how hard to try")
    return _averaged(features, matrix, rows, groups=groups, effort=effort, seed=seed, on_step=on_step)


def _groups(matrix: Matrix, pairs: Sequence[Pair]) -> list[list[int]]:
    """Columns that may meet in a leaf: a feature's value and state, or the values of a pair."""
    alone = [[v] if s < 0 else [v, s] for v, s in zip(matrix.value, matrix.state, strict=True)]
    return alone + [[matrix.value[j], matrix.value[k]] for j, k in pairs]


def _best_effort(matrix: Matrix, rows: Outcomes, groups: list[list[int]], seed: int) -> Effort:
    """The effort of least out-of-bag log-loss, each tried on the same two bags."""
    losses, folds = [], folds_of(rows, seed, most=LARGE_SCREEN)[:2]
    for effort in EFFORTS:
        found = np.full(len(rows.is_bad), np.nan)
        for bag in bags_of(matrix, rows, groups=groups, effort=effort, rate=SCREEN_RATE, patience=SCREEN_PATIENCE,
                           seed=seed, folds=folds):  # fmt: skip
            found[bag.stop] = bag.out_of_bag
        seen = ~np.isnan(found)
        losses.append(log_loss(rows.is_bad[seen], sigmoid(found[seen]), weight=rows.weight[seen]))
    return EFFORTS[int(np.argmin(losses))]


def _averaged(
    features: Sequence[Feature], matrix: Matrix, rows: Outcomes, *, groups: list[list[int]], effort: Effort,
    seed: int, on_step: OnStep,
) -> Learnt:  # fmt: skip
    shapes = empty_shapes(features)
    folds = folds_of(rows, seed)
    out_of_bag = np.full(len(rows.is_bad), np.nan)
    for bag in bags_of(matrix, rows, groups=groups, effort=effort, rate=RATE, patience=PATIENCE, seed=seed,
                       folds=folds):  # fmt: skip
        add_trees(shapes, bag.model, matrix, features, 1 / len(folds))
        shapes.start += bag.start / len(folds)
        out_of_bag[bag.stop] = bag.out_of_bag
        on_step("boosting")
    purify(shapes, features, rows.weight)
    return Learnt(shapes, out_of_bag, effort)
