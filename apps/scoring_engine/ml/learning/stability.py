"""The tables of a card row by row: counts and bad rates of every bin, information value, stability, order."""

from itertools import pairwise
from typing import Any

import numpy as np

from ..drift import population_stability_index, stability_light
from .card import Table
from .metrics import information_value
from .rows import Rows
from .subject import Subject

SIGNS = {"higher_is_safer": 1, "higher_is_riskier": -1, "free": 0}
Counts = tuple[np.ndarray, np.ndarray]


def table_figures(subject: Subject) -> list[dict[str, Any]]:
    """For each characteristic and pair: its bins with points, weight of rows and bads on both sides, IV and PSI."""
    sides = None
    if subject.has_training:
        sides = subject.rows.at(~subject.test), subject.rows.at(subject.test)
    return [_of_table(table, *_both(subject, table, sides)) for table in subject.tables]


def rows_learnt_from(subject: Subject, figures: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Rows by place of each table, where they are known: training rows, and rejected ones if they were inferred."""
    if subject.model.reject_inference and not subject.has_training:
        return {}
    found = {one["name"]: np.asarray(one["training"]["rows"], dtype=float) for one in figures if one["training"]}
    if (rejected := subject.rejected()) is not None:
        for table in subject.tables:
            found[table.name] = found[table.name] + _counted(table, rejected)[0]
    return found


def monotonicity(tables: tuple[Table, ...]) -> list[dict[str, Any]]:
    """For each directed axis of each table: its points in order, steps looked at, and steps against it."""
    found = []
    for table in tables:
        sides = [len(axis.labels()) for axis in table.axes]
        grid = table.points[: int(np.prod(sides))].reshape(sides)
        if table.kind == "characteristic":
            found += _order_of(table, table.entry["direction"], table.features[0], grid[:, None])
            continue
        # A special code has a line of its own in the grid, which has no place in the order along its scale.
        alongs = (grid[: table.axes[0].count], grid.T[: table.axes[1].count])
        for direction, feature, along in zip(table.entry["directions"], table.features, alongs, strict=True):
            found += _order_of(table, direction, feature, along)
    return found


def score_stability(edges: np.ndarray, training: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """PSI of the score; weight of the rows on both sides in the bands between the edges."""
    bounds = [None, *edges.tolist(), None]
    return {**_moved(training, test), "bands": [
        {"from": low, "below": high, "training": a, "test": b}
        for (low, high), a, b in zip(pairwise(bounds), _listed(training), _listed(test), strict=True)
    ]}  # fmt: skip


def _both(subject: Subject, table: Table, sides: tuple[Rows, Rows] | None) -> tuple[Counts | None, Counts]:
    if sides is not None:
        return _counted(table, sides[0]), _counted(table, sides[1])
    return _from_manifest(subject.model.manifest, table), _counted(table, subject.rows)


def _counted(table: Table, rows: Rows) -> Counts:
    place, size = table.index(rows), len(table.labels)
    return np.bincount(place, rows.weight, size), np.bincount(place, rows.weight * rows.is_bad, size)


def _from_manifest(manifest: dict[str, Any], table: Table) -> Counts | None:
    """The counts of training that the manifest keeps, if they fit the table."""
    kept = manifest.get("training_bins", {}).get(table.name)
    if not kept or tuple(kept["labels"]) != table.labels:
        return None
    return np.asarray(kept["rows"]), np.asarray(kept["bads"])


def _of_table(table: Table, training: Counts | None, test: Counts) -> dict[str, Any]:
    found = {
        "name": table.name, "title": table.title, "kind": table.kind, "features": list(table.features),
        "directions": table.entry["directions"] if table.kind == "pair" else [table.entry["direction"]],
        "code": table.entry["code"], "reference_points": table.reference, "labels": list(table.labels),
        "points": table.points.tolist(), "axes": [list(axis.labels()) for axis in table.axes],
        "least_points": int(table.points.min()), "most_points": int(table.points.max()),
        "training": _side(training), "test": _side(test), "psi": None, "psi_by_chance": None, "light": None,
    }  # fmt: skip
    return found if training is None else found | _moved(training[0], test[0])


def _moved(training: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """PSI with its light, and the PSI that two samples of one population show by chance: (bins - 1)(1/n + 1/m)."""
    psi, bins = float(population_stability_index(training, test)), int(((training + test) > 0).sum())
    by_chance = (bins - 1) * (1 / training.sum() + 1 / test.sum())
    return {"psi": psi, "psi_by_chance": float(by_chance), "light": stability_light(psi)}


def _side(counts: Counts | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    rows, bads = counts
    used = rows > 0
    return {"rows": _listed(rows), "bads": _listed(bads),
            "information_value": float(information_value(bads[used], (rows - bads)[used]))}  # fmt: skip


def _listed(counts: np.ndarray) -> list[float]:
    """Whole numbers where nothing is weighted."""
    whole = counts.astype(int)
    return (whole if (whole == counts).all() else counts).tolist()


def _order_of(table: Table, direction: str, feature: str, points: np.ndarray) -> list[dict[str, Any]]:
    """points: one line a bin of the axis, in its order."""
    if direction == "free":
        return []
    steps = np.diff(points, axis=0) * SIGNS[direction]
    return [{
        "table": table.name, "feature": feature, "direction": direction, "kind": table.kind,
        "points": points[:, 0].tolist() if table.kind == "characteristic" else points.T.tolist(),
        "steps": int(steps.size), "against": int((steps < 0).sum()),
    }]  # fmt: skip
