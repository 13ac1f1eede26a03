"""Fitting a card to training rows: learn, merge, distil, calibrate, round; then what is fitted after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cards import LEAST_SCORE, MOST_SCORE
from ..characteristics import read_characteristic
from ..pairs import read_pairs
from ..reach import reach
from .additive import learn
from .boosting import Outcomes
from .calibration import (
    Points,
    base_points,
    log_odds_of,
    out_of_bag_slope,
    points_of_grid,
    points_of_part,
)
from .card import row_points, scores
from .distilling import distil
from .encoding import encode
from .errors import TableError
from .merging import Grid, Part, merge
from .metrics import sigmoid
from .recipe import CharacteristicRule, Recipe
from .rows import Rows
from .writing import empty_card, finished, table_entry

FIRST_PRICE = 1e-4  # of an extreme, as a share of all weight x log-odds
PRICE_RISE = 1.15
LAST_PRICE = 10.0  # as FIRST_PRICE; nobody pays it
PRICED_SWEEPS = 10

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Learnt:
    """Tables of log-odds in few bins, the fine log-odds they stand for, and how much of them holds."""

    tables: list[Part | Grid]
    fine: np.ndarray
    slope: float
    outcomes: Outcomes
    seed: int

    def points(self) -> list[Points]:
        weight = self.outcomes.weight
        return [
            points_of_grid(table, self.slope, weight) if isinstance(table, Grid)
            else points_of_part(table, self.slope, weight)
            for table in self.tables
        ]  # fmt: skip


def fit_card(recipe: Recipe, rows: Rows, *, on_step: OnStep = lambda step: None) -> dict[str, Any]:
    """A card of format 1 (provenance empty) from the training rows, which are all the rows given."""
    learnt = _learn(recipe, recipe.stage("main"), rows, np.zeros(len(rows)), on_step=on_step)
    tables = _in_range(learnt, lambda tables: _card(recipe, rows, tables, learnt.outcomes))
    if not tables:
        raise TableError("Nothing was learnt: no characteristic separates bad rows from good ones.")
    card = _card(recipe, rows, tables, learnt.outcomes)
    for rule in recipe.stage("after"):
        if entry := _fit_after(recipe, rule, card, rows, on_step=on_step):
            card["characteristics"].append(entry)
    card = finished(recipe, card, rows)
    return {**card, "base_points": _final_base(recipe, card, rows, learnt.outcomes)}


def _learn(
    recipe: Recipe, rules: Sequence[CharacteristicRule], rows: Rows, offset: np.ndarray, *, on_step: OnStep
) -> _Learnt:
    """Merged and distilled tables of each characteristic, and of the pairs among them."""
    outcomes = Outcomes(rows.is_bad, rows.weight / rows.weight.mean(), offset, rows.group)
    features = encode(rows, rules, recipe.seed)
    learnt = learn(features, outcomes, pairs=_pairs(recipe, rules), seed=recipe.seed, on_step=on_step)
    fine = learnt.shapes.total(features)
    p = sigmoid(fine)
    parts, grids = merge(features, learnt.shapes, outcomes.weight, most_bins=recipe.most_bins,
                         smallest_share=recipe.smallest_bin_share,
                         information=float((outcomes.weight * p * (1 - p)).sum()))  # fmt: skip
    tables = [*(part for part in parts if part.bins.count > 1), *grids]
    distil(tables, fine, outcomes.weight, recipe.seed)
    on_step("merging into bins")
    return _Learnt(tables, fine, out_of_bag_slope(learnt.out_of_bag, outcomes), outcomes, recipe.seed)


def _pairs(recipe: Recipe, rules: Sequence[CharacteristicRule]) -> int | list[tuple[int, int]]:
    names = [rule.feature for rule in rules]
    if isinstance(recipe.pairs, int):
        return recipe.pairs if len(names) > 1 else 0
    return [tuple(sorted((names.index(a), names.index(b)))) for a, b in recipe.pairs if {a, b} <= set(names)]


def _in_range(learnt: _Learnt, card_of: Callable[[list[Points]], dict[str, Any]]) -> list[Points]:
    """Whole points of the tables that say anything, such that no score outside 0..1200 can be reached.

    Where one can, extremes are given a price, raised until the card fits: rare extremes, and those that other
    tables can stand in for, go first.
    """
    tables, prices = _not_flat(learnt.points()), [0.0, 0.0]
    weight = learnt.outcomes.weight
    total = float(weight.sum())
    while outside := _outside(_range(card_of(tables))):
        if not tables:
            raise TableError("Bad rows are too rare, or good ones: no score from 0 to 1200 stands for their share.")
        # Where nothing is left on one side, what remains on the other has to go: then the loop ends.
        for side in outside if max(prices) < LAST_PRICE * total else (0, 1):
            prices[side] = prices[side] * PRICE_RISE or FIRST_PRICE * total
        distil(learnt.tables, learnt.fine, weight, learnt.seed, prices=(prices[0], prices[1]), sweeps=PRICED_SWEEPS)
        tables = _not_flat(learnt.points())
    return tables


def _outside(reached: tuple[int, int]) -> list[int]:
    """Which extremes of risk are too far out: 0 the highest (scores too low), 1 the lowest."""
    return [side for side, far in enumerate((reached[0] < LEAST_SCORE, reached[1] > MOST_SCORE)) if far]


def _not_flat(tables: Sequence[Points]) -> list[Points]:
    return [table for table in tables if not table.is_flat]


def _card(recipe: Recipe, rows: Rows, tables: Sequence[Points], outcomes: Outcomes) -> dict[str, Any]:
    """A card with these tables, and the base that goes with them."""
    entries = {1: [], 2: []}
    for table in tables:
        entries[len(table.features)].append(table_entry(recipe, rows, table, neutral=0))
    return {
        **empty_card(recipe, rows), "characteristics": entries[1], "pairs": entries[2],
        "base_points": _base(tables, outcomes),
    }  # fmt: skip


def _range(card: dict[str, Any]) -> tuple[int, int]:
    characteristics = [read_characteristic(entry, entry["feature"]) for entry in card["characteristics"]]
    return reach(card["base_points"], characteristics, read_pairs(card))


def _base(tables: Sequence[Points], outcomes: Outcomes) -> int:
    return base_points(sum(table.of_rows(0) for table in tables) + np.zeros(len(outcomes.is_bad)), outcomes)


def _final_base(recipe: Recipe, card: dict[str, Any], rows: Rows, outcomes: Outcomes) -> int:
    """The base of the finished card, whose neutral points are settled, as near as 0..1200 allows.

    It is right for a row without what was fitted after the rest, since such rows are not those that have it.
    """
    low, high = _range({**card, "base_points": 0})
    after = {rule.feature for rule in recipe.stage("after")}
    main = [entry for entry in card["characteristics"] if entry["feature"] not in after]
    base = base_points(row_points({**card, "characteristics": main}, rows), outcomes)
    return int(np.clip(base, LEAST_SCORE - low, MOST_SCORE - high))


def _fit_after(
    recipe: Recipe, rule: CharacteristicRule, card: dict[str, Any], rows: Rows, *, on_step: OnStep
) -> dict[str, Any] | None:
    """A characteristic from the rows where it is known, with the finished rest of the card as offset.

    Its points have mean zero over those rows, so that a row without it keeps its score. None: it adds nothing.
    """
    known = rows.at(rows.known(rule.feature))
    offset = log_odds_of(scores(card, known).astype(float))
    learnt = _learn(recipe, (rule,), known, offset, on_step=on_step)

    def with_it(tables: list[Points]) -> dict[str, Any]:
        entries = [table_entry(recipe, known, table, neutral=0) for table in tables]
        return {**card, "characteristics": card["characteristics"] + entries}

    tables = _in_range(learnt, with_it)
    return table_entry(recipe, known, tables[0], neutral=0) if tables else None
