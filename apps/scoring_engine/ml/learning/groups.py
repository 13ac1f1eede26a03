"""Figures by segment, and fairness between groups of people."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from . import fairness, metrics
from .calibration import probability_of
from .evidence import is_enough
from .rows import Rows
from .subject import Subject

MOST_LEVELS = 12
BANDS = 5
NOT_GIVEN, OTHERS = "(not given)", "(all others)"


def segment_figures(subject: Subject, *, seed: int) -> dict[str, list[dict[str, Any]]]:
    """By segment column of the recipe: each level's rows, bads, expected bads and, with enough bads, AUC."""
    found = {}
    for column in subject.recipe.segments:
        texts = levels_of(subject.sample.extra[column][subject.test])
        rows, score = subject.rows.at(subject.test), subject.score[subject.test]
        levels = sorted(set(texts), key=lambda level: (-(texts == level).sum(), level))
        found[column] = [_segment(level, rows.at(texts == level), score[texts == level], seed) for level in levels]
    return found


def fairness_figures(subject: Subject, cut_off: int) -> dict[str, dict[str, Any]]:
    """By column: approval, approval of goods, and calibration of each group, beside the largest group."""
    found = {}
    for column in subject.recipe.fairness:
        texts = levels_of(subject.sample.extra[column][subject.test])
        given = texts != NOT_GIVEN
        group, is_bad = texts[given], subject.rows.is_bad[subject.test][given]
        score = subject.score[subject.test][given]
        found[column] = {"rows": len(group), "not_given": int((~given).sum()),
                         **_fairness(group, is_bad, score, cut_off)}  # fmt: skip
    return found


def levels_of(texts: np.ndarray) -> np.ndarray:
    """Texts as at most 12 levels: many numbers become bands of equal count, rare levels one of their own."""
    given = pd.Series(texts, dtype="string").str.strip().fillna("").replace("", NOT_GIVEN)
    counts = given[given != NOT_GIVEN].value_counts()
    if len(counts) <= MOST_LEVELS:
        return given.to_numpy(dtype=object)
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if np.isfinite(numbers[(given != NOT_GIVEN).to_numpy()]).all():
        return _bands(numbers)
    # Ties of counts are broken by name, so that a second run takes the same levels.
    kept = sorted(counts.index, key=lambda level: (-counts[level], level))[: MOST_LEVELS - 1]
    return given.where(given.isin([*kept, NOT_GIVEN]), OTHERS).to_numpy(dtype=object)


def _bands(numbers: np.ndarray) -> np.ndarray:
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], np.arange(1, BANDS) / BANDS, method="higher"))
    inner = [f"{low:g} to under {high:g}" for low, high in pairwise(edges)]
    names = [f"under {edges[0]:g}", *inner, f"{edges[-1]:g} or more"]
    found = np.full(len(numbers), NOT_GIVEN, dtype=object)
    found[known] = np.asarray(names, dtype=object)[np.searchsorted(edges, numbers[known], side="right")]
    return found


def _segment(level: str, rows: Rows, score: np.ndarray, seed: int) -> dict[str, Any]:
    expected, bads = float(probability_of(score).sum()), int(rows.is_bad.sum())
    found = {"level": level, "rows": len(rows), "bads": bads, "bad_rate": bads / len(rows), "expected_bads": expected,
             "observed_to_expected": bads / expected, "auc": None, "auc_lower": None, "auc_upper": None}  # fmt: skip
    if is_enough(rows.is_bad):
        area, lower, upper = metrics.auc_interval(rows.is_bad, -score, rows.group, seed=seed, draws=500)
        found |= {"auc": area, "auc_lower": lower, "auc_upper": upper}
    return found


def _fairness(group: np.ndarray, is_bad: np.ndarray, score: np.ndarray, cut_off: int) -> dict[str, Any]:
    if len(set(group)) < 2:
        return {"reference": None, "groups": []}
    levels, counts = np.unique(group.astype(str), return_counts=True)
    reference = str(levels[np.argmax(np.where(levels == OTHERS, 0, counts))])
    selected = score >= cut_off
    parts = {
        "approval": fairness.adverse_impact(selected, group, reference),
        "approval_of_goods": fairness.equal_opportunity(selected, is_bad, group, reference),
        "calibration": fairness.calibration_by_group(is_bad, probability_of(score), group),
    }
    by_group = {name: {str(one.group): asdict(one) for one in found} for name, found in parts.items()}
    return {"reference": reference, "groups": [
        {"group": level, **{name: found.get(level) for name, found in by_group.items()}} for level in levels.tolist()
    ]}  # fmt: skip
