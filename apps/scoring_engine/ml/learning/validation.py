"""Validation: from a model file and a table to all figures of a validation report, as plain data.

Fixed seeds and no clock: the same model, recipe and data give the same figures to the last digit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..grades import GRADES_VERSION
from .comparison import MOST_ROWS, compare
from .errors import TableError
from .evidence import evidence
from .gaming import gaming_test, missing_ceilings
from .gates import check_gates, rows_by_score, score_edges
from .groups import fairness_figures, segment_figures
from .stability import monotonicity, rows_learnt_from, score_stability, table_figures
from .subject import Subject, load_model, load_subject

ACCEPT_SHARE = 0.7
DIGITS = 6
Progress = Callable[[str, float], None]
STEPS = ("reading", "training rows", "test rows", "tables", "segments", "logistic regression", "LightGBM", "gaming")


def validate(
    model: Path, data: Path, extras: Mapping[str, Path], *, recipe: Path | None = None, groups: Sequence[str] = (),
    progress: Progress = lambda step, done: None,
) -> dict[str, Any]:  # fmt: skip
    """Raises TrainingError with one sentence; writes nothing. `progress` gets a step and a share 0..1."""

    def on_step(name: str) -> None:
        progress(name, STEPS.index(name) / len(STEPS))

    on_step("reading")
    subject = load_subject(load_model(model, recipe), data, extras, groups)
    _check(subject)
    figures = plain(figures_of(subject, on_step))
    progress("done", 1.0)
    return figures


def figures_of(subject: Subject, on_step: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """All figures of a validation; see docs/how-to/validate-a-model.md for what each part is."""
    seed, sides = subject.recipe.seed, _sides(subject, on_step)
    on_step("tables")
    tables, accept = table_figures(subject), accepted(subject)
    on_step("segments")
    segments, fair = segment_figures(subject, seed=seed), fairness_figures(subject, accept["cut_off"])
    comparison = compare(subject, accept["share"], seed=seed, on_step=on_step) if subject.has_training else None
    on_step("gaming")
    ceilings = missing_ceilings(subject.tables, rows_learnt_from(subject, tables))
    return {
        "format": 1,
        "model": _model(subject),
        "data": _data(subject),
        "accepted": accept,
        **sides,
        "score_stability": _score_stability(subject),
        "tables": tables,
        "monotonicity": monotonicity(subject.tables),
        "segments": segments,
        "comparison": comparison,
        "fairness": fair,
        "gaming": gaming_test(subject, ceilings, accept["cut_off"], seed=seed),
        "gates": gates(subject, sides["test"]),
        "reject_inference": subject.model.reject_inference,
    }


def headline(figures: dict[str, Any]) -> dict[str, Any]:
    """The most important figures in one flat dict."""
    test, gaming, compared = figures["test"], figures["gaming"], figures["comparison"]
    named = ("rows", "bads", "auc", "auc_lower", "auc_upper", "gini", "ks", "brier", "calibration_slope",
             "calibration_intercept", "observed_to_expected", "expected_calibration_error")  # fmt: skip
    return {
        "model": figures["model"]["version"], "sample": figures["data"]["kind"],
        **{name: test[name] for name in named},
        "psi": figures["score_stability"] and figures["score_stability"]["psi"],
        "difference_to": {one["name"]: one["difference"] for one in compared["challengers"]} if compared else None,
        "gaming_violations": gaming["worsening"]["violations"] + gaming["hiding"]["violations"],
        "gates_passed": all(gate["passed"] for gate in figures["gates"]) if figures["gates"] else None,
    }  # fmt: skip


def accepted(subject: Subject) -> dict[str, Any]:
    """Approval for the purpose of the report: a score at or above the cut-off.

    The recipe's cut-off, or the highest score that still accepts 70 % of the test rows.
    """
    score = subject.score[subject.test]
    cut_off, source = subject.recipe.cut_off, "recipe"
    if cut_off is None:
        cut_off, source = int(np.sort(score)[::-1][math.ceil(ACCEPT_SHARE * len(score)) - 1]), "share"
    return {"cut_off": int(cut_off), "source": source, "share": float((score >= cut_off).mean())}


def gates(subject: Subject, test: dict[str, Any]) -> list[dict[str, Any]]:
    """The acceptance gates of the recipe on the test rows, as in training; what cannot be known has not passed."""
    recipe, rows = subject.recipe, subject.rows
    if subject.has_training:
        return check_gates(recipe, subject.card, rows.at(~subject.test), rows.at(subject.test), test)
    without = replace(recipe, gates=replace(recipe.gates, psi_at_most=None))
    found = check_gates(without, subject.card, rows, rows, test)
    if (most := recipe.gates.psi_at_most) is not None:
        required = f"at most {most}"
        found.append({"gate": "population_stability_index", "required": required, "found": None, "passed": False})
    return found


def plain(part: Any) -> Any:
    """Figures as JSON has them: floats rounded to six digits after the point, nothing that is not a number."""
    if isinstance(part, dict):
        return {str(name): plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [plain(value) for value in part]
    if isinstance(part, np.generic):
        return plain(part.item())
    if isinstance(part, float):
        return round(part, DIGITS) + 0.0 if math.isfinite(part) else None
    return part


def _check(subject: Subject) -> None:
    bads, rows = int(subject.rows.is_bad[subject.test].sum()), int(subject.test.sum())
    if bads in (0, rows):
        raise TableError(
            f"Column {subject.recipe.target.column!r}: all {rows:,} rows to validate on have the same outcome."
        )


def _sides(subject: Subject, on_step: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {"training": None}
    sides = {"training": ~subject.test, "test": subject.test}
    for name, side in sides.items():
        on_step(f"{name} rows")
        if side.any():
            found[name] = evidence(subject.rows.at(side), subject.score[side], subject.months()[side],
                                   seed=subject.recipe.seed, learnt_from=name == "training")  # fmt: skip
    return found


def _score_stability(subject: Subject) -> dict[str, Any] | None:
    """None where neither the training rows nor their counts in the manifest are known."""
    score, weight, test = subject.score, subject.rows.weight, subject.test
    if subject.has_training:
        edges = score_edges(score[~test])
        training = rows_by_score(edges, score[~test], weight[~test])
    elif kept := subject.model.manifest.get("training_scores"):
        edges, training = np.asarray(kept["edges"]), np.asarray(kept["rows"])
    else:
        return None
    return score_stability(edges, training, rows_by_score(edges, score[test], weight[test]))


def _model(subject: Subject) -> dict[str, Any]:
    card, made = subject.card, subject.model.scorecard
    provenance, low_high = card["provenance"], made.reachable
    tables = subject.tables
    cells = [int(np.prod([len(axis.labels()) for axis in table.axes])) for table in tables]
    texts = ("title", "origin", "population", "owner", "use", "materiality", "materiality_why")
    return {
        "file": subject.model.file, "sha256": subject.model.sha256, "card_digest": made.digest,
        "grades": GRADES_VERSION,
        **{name: card[name] for name in ("version", "segment", "purpose", "definition_of_bad", "horizon",
                                         "base_points", "points_to_double_odds", "reference")},
        **{name: provenance.get(name, "") for name in texts},
        "reference_score": made.reference_score, "least_score": low_high[0], "most_score": low_high[1],
        "characteristics": sum(table.kind == "characteristic" for table in tables),
        "pairs": sum(table.kind == "pair" for table in tables),
        "bins": sum(n for n, table in zip(cells, tables, strict=True) if table.kind == "characteristic"),
        "cells": sum(n for n, table in zip(cells, tables, strict=True) if table.kind == "pair"),
        "required_inputs": [entry["name"] for entry in card["inputs"] if entry["required"]],
        "has_manifest": bool(subject.model.manifest),
    }  # fmt: skip


def _data(subject: Subject) -> dict[str, Any]:
    recipe, provenance = subject.recipe, subject.card["provenance"]
    trained_on = {one["name"]: one["sha256"] for one in provenance.get("data", []) if isinstance(one, dict)}
    when = subject.sample.when
    return {
        "kind": subject.kind,
        "sources": [{**source.as_dict(), "as_in_training": trained_on.get(source.name) == source.sha256}
                    for source in subject.sources],
        "recipe": {"file": recipe.name, "sha256": recipe.digest, "named_by_hand": subject.model.recipe_given},
        "cut": str(recipe.time.cut) if recipe.time else None, "holdout": recipe.holdout or None,
        "grouped_by": recipe.group or None, "weighted_by": recipe.weight.column if recipe.weight else None,
        "rows_in_file": subject.sources[0].rows, "rows_used": len(subject.rows),
        "excluded": list(subject.sample.excluded), "warnings": list(subject.sample.warnings),
        "test_from": None if when is None else str(when[subject.test].min()),
        "test_to": None if when is None else str(when[subject.test].max()),
        "seed": recipe.seed, "most_challenger_rows": MOST_ROWS,
    }  # fmt: skip
