"""Acceptance gates: what a recipe demands of a card on its test rows."""

from typing import Any

import numpy as np

from ..drift import population_stability_index
from .card import scores
from .recipe import Recipe
from .rows import Rows

SCORE_BANDS = 10


def check_gates(
    recipe: Recipe, card: dict[str, Any], training: Rows, test: Rows, found: dict[str, float | int]
) -> list[dict[str, Any]]:
    """One dict for each gate of the recipe: gate, required (text), found, passed."""
    gates, checks = recipe.gates, []
    if gates.auc_at_least is not None:
        checks.append(_gate("auc", gates.auc_at_least, None, found["auc"]))
    for name in ("calibration_slope", "observed_to_expected"):
        if bounds := getattr(gates, name):
            checks.append(_gate(name, bounds[0], bounds[1], found[name]))
    if gates.psi_at_most is not None:
        psi = score_stability(scores(card, training), scores(card, test), training.weight, test.weight)
        checks.append(_gate("population_stability_index", None, gates.psi_at_most, round(psi, 6)))
    return checks


def score_stability(
    expected: np.ndarray, actual: np.ndarray, expected_weight: np.ndarray, actual_weight: np.ndarray
) -> float:
    """PSI of the score between two sets of rows, over bands that each hold a tenth of the expected rows."""
    edges = score_edges(expected)
    return float(
        population_stability_index(
            rows_by_score(edges, expected, expected_weight), rows_by_score(edges, actual, actual_weight)
        )
    )


def score_edges(score: np.ndarray) -> np.ndarray:
    """Whole scores at which the bands begin that each hold about a tenth of the rows."""
    return np.unique(np.ceil(np.quantile(score, np.arange(1, SCORE_BANDS) / SCORE_BANDS)).astype(int))


def rows_by_score(edges: np.ndarray, score: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weight of the rows in each band: one more than edges."""
    return np.bincount(np.searchsorted(edges, score, side="right"), weight, len(edges) + 1)


def _gate(name: str, least: float | None, most: float | None, found: float | None) -> dict[str, Any]:
    required = " and ".join(
        text for text in (least is not None and f"at least {least}", most is not None and f"at most {most}") if text
    )
    known = found is not None  # what cannot be known has not passed
    passed = known and (least is None or found >= least) and (most is None or found <= most)
    return {"gate": name, "required": required, "found": found, "passed": bool(passed)}
