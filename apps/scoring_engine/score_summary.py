"""What a scored file looks like as a whole: scores, grades, and how far its applicants are from those learnt from."""

import math
from typing import Any

import numpy as np

from apps.scoring_engine.ml.batch import Scored
from apps.scoring_engine.ml.batch_kernels import count_places
from apps.scoring_engine.ml.batch_tables import Layout, TablePlan
from apps.scoring_engine.ml.drift import population_stability_index, stability_light
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.scorecard import Scorecard

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
NO_FIGURES = "the manifest keeps no rows of training by bin or by score"


class Summary:
    """Counts that add up, batch by batch; `rows` were seen so far."""

    def __init__(self, scorer: Scorecard, layout: Layout, manifest: dict[str, Any]) -> None:
        self.rows = 0
        self._scorer = scorer
        self._tables = layout.tables
        self._training = manifest.get("training_bins") or {}
        self._training_scores = manifest.get("training_scores")
        self._lowest, highest = scorer.reachable
        self._scores = np.zeros(highest - self._lowest + 1, np.int64)
        self._places = np.zeros(layout.points.shape, np.int64)
        self._grades = np.zeros(len(GRADES), np.int64)
        self._missing = dict.fromkeys(scorer.required, 0)

    def add(self, scored: Scored) -> None:
        self.rows += scored.batch.num_rows
        self._scores += np.bincount(scored.scores - self._lowest, minlength=len(self._scores))
        grades = scored.batch.column("grade").indices.drop_null().to_numpy()
        self._grades += np.bincount(grades, minlength=len(GRADES))
        count_places(np.ascontiguousarray(scored.places), self._places)
        for name, rows in scored.missing_required.items():
            self._missing[name] += rows

    def as_dict(self) -> dict[str, Any]:
        scored = int(self._scores.sum())
        return {
            "model": self._scorer.version,
            "digest": self._scorer.digest,
            "rows": self.rows,
            "scored": scored,
            "refused": self.rows - scored,
            "missing_required": {name: rows for name, rows in self._missing.items() if rows},
            "score": self._distribution(scored) if scored else None,
            "grades": {letter: int(count) for (letter, _), count in zip(GRADES, self._grades, strict=True)},
            "training": self._compared() if scored else None,
        }

    def _distribution(self, scored: int) -> dict[str, Any]:
        values = np.arange(len(self._scores)) + self._lowest
        reached = np.flatnonzero(self._scores)
        # Of n scores in order the k-th with k = ceil(n q): one that an applicant has.
        ranks = [max(1, math.ceil(q * scored)) for q in QUANTILES]
        found = values[np.searchsorted(np.cumsum(self._scores), ranks)]
        return {
            "mean": round(float(values @ self._scores / scored), 2),
            "least": int(values[reached[0]]),
            "most": int(values[reached[-1]]),
            "quantiles": {f"{q:.0%}": int(value) for q, value in zip(QUANTILES, found, strict=True)},
        }

    def _compared(self) -> dict[str, Any]:
        shares = {table.name: self._both(table, now) for table, now in zip(self._tables, self._places, strict=True)}
        compared = {name: both for name, both in shares.items() if both is not None}
        psi = {name: round(population_stability_index(*both), 4) for name, both in compared.items()}
        found: dict[str, Any] = {"psi_of_the_score": self._moved_score(), "psi": psi,
                                 "not_compared": sorted(set(shares) - set(psi))}  # fmt: skip
        if not psi and found["psi_of_the_score"] is None:
            found["why"] = NO_FIGURES
        if len(compared) == len(shares):
            means = (float(np.average(table.points, weights=compared[table.name][0])) for table in self._tables)
            found["mean_score"] = round(self._scorer.base_points + sum(means), 2)
        lights = {name: stability_light(value) for name, value in psi.items()}
        found["moved"] = {name: light for name, light in lights.items() if light != "green"}
        return found

    def _moved_score(self) -> float | None:
        """PSI of the score over bands of a tenth of the training rows each; None where the manifest has none."""
        if self._training_scores is None:
            return None
        values = np.arange(len(self._scores)) + self._lowest
        bands = np.searchsorted(self._training_scores["edges"], values, side="right")
        then = np.array(self._training_scores["rows"], float)
        return round(population_stability_index(then, np.bincount(bands, self._scores, len(then))), 4)

    def _both(self, table: TablePlan, now: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Rows by bin of training and of this file; None where the manifest does not fit the table."""
        kept = self._training.get(table.name)
        if not kept or not set(kept["labels"]) <= set(table.labels) or not sum(kept["rows"]):
            return None
        then = dict(zip(kept["labels"], kept["rows"], strict=True))
        return np.array([then.get(label, 0) for label in table.labels], float), now[: len(table.labels)].astype(float)
