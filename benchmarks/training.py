"""Training side by side in one run: the card, its readable peers, the strong ones and a ceiling, on nine sets.

    python -m benchmarks.training [--sets german,spanish] [--models card,lightgbm] [--save DIR] [--reuse DIR]

Run it with the bench environment (`make bench-env`). Every model sees the same features and the same folds; all
tuning is inside the rows to learn from and the same for every set. The data are looked for in $CREDIT_ML_DATA, else
in ../shared/data; a set that is not there is skipped with a line saying so. --reuse takes the peers' answers of an
earlier --save instead of fitting them, for work on the card; the figures to report come from a run without it.
The last line is JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from apps.scoring_engine.ml.learning.calibration import probability_of
from apps.scoring_engine.ml.learning.card import scores
from apps.scoring_engine.ml.learning.fitting import fit_card

from .peers import PEERS, Answer, Task, task_of
from .sets import ALL, SETS, SHIPPED, Case, load, path_of
from .tables import CARD, Run, as_json, demands, print_tables


def card(task: Task) -> Answer:
    """The card of the recipe, as train_model makes it; its note is its size."""
    start = time.perf_counter()
    made = fit_card(task.recipe, task.learn)
    seconds = time.perf_counter() - start
    probability = probability_of(scores(made, task.test))
    return Answer(np.asarray(probability, dtype=float), seconds, json.dumps(size_of(made)))


def size_of(made: dict[str, Any]) -> dict[str, int]:
    """Bins of the characteristics, pairs and the cells of their grids (values only, without missing and special)."""
    mains, pairs = made["characteristics"], made.get("pairs", [])
    grids = [int(np.prod([_bins(axis) for axis in pair["axes"]])) for pair in pairs]
    return {
        "characteristics": len(mains), "bins": sum(_bins(entry) for entry in mains),
        "most_bins": max((_bins(entry) for entry in mains), default=0),
        "pairs": len(pairs), "cells": sum(grids), "most_cells": max(grids, default=0),
    }  # fmt: skip


def _bins(entry: dict[str, Any]) -> int:
    return len(entry["edges"]) + 1 if entry.get("edges") is not None else len(entry["groups"])


MODELS: dict[str, Callable[[Task], Answer]] = {CARD: card, **PEERS}


def run_model(case: Case, model: str) -> Run:
    """The model's probabilities of every tested row, each from a fit that has not seen the row."""
    probability = np.full(len(case.rows), np.nan)
    fold_of = np.full(len(case.rows), -1)
    fits, wholes, notes = [], [], []
    for place, fold in enumerate(case.folds):
        task = task_of(case.recipe, case.rows, fold)
        start = time.perf_counter()
        answer = MODELS[model](task)
        wholes.append(time.perf_counter() - start)
        fits.append(answer.fit_seconds)
        notes.append(answer.note)
        probability[fold[1]], fold_of[fold[1]] = answer.probability, place
        say(f"{case.name}, {model}, fold {place + 1} of {len(case.folds)}: {wholes[-1]:.1f} s {answer.note}")
    tested = fold_of >= 0
    return Run(
        case.name, model, case.rows.is_bad[tested], probability[tested], case.rows.group[tested], fold_of[tested],
        tuple(fits), tuple(wholes), tuple(notes), case.grouped,
    )  # fmt: skip


def runs_of(name: str, models: list[str], save: Path | None, reuse: Path | None) -> list[Run]:
    case, runs = load(name), []
    for model in models:
        kept = reuse / f"{name}.{model}.npz" if reuse and model != CARD else None
        if kept and kept.exists():
            runs.append(Run.read(kept))
            continue
        runs.append(run_model(case, model))
        if save:
            runs[-1].write(save / f"{name}.{model}.npz")
    return runs


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def chosen(text: str, known: list[str], default: list[str]) -> list[str]:
    names = [name for name in text.split(",") if name] or default
    if odd := [name for name in names if name not in known]:
        raise SystemExit(f"There is no {odd[0]!r}; choose from {', '.join(known)}.")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default="", help=f"{', '.join(SETS)}; and the shipped {', '.join(SHIPPED)}")
    parser.add_argument("--models", default="", help=", ".join(MODELS))
    parser.add_argument("--save", type=Path, help="folder for each model's predictions")
    parser.add_argument("--reuse", type=Path, help="folder of an earlier --save: peers found there are not fitted")
    options = parser.parse_args()
    names = chosen(options.sets, list(ALL), list(SETS))
    models = chosen(options.models, list(MODELS), list(MODELS))
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
    start, found = time.perf_counter(), []
    for name in names:
        if not path_of(name).exists():
            print(f"{name}: skipped, {path_of(name).name} is not in $CREDIT_ML_DATA or ../shared/data")
            continue
        found += runs_of(name, models, options.save, options.reuse)
        if options.save:
            with (options.save / "TABLE.txt").open("w") as file:
                print_tables(found, file)
    if found:
        print_tables(found, sys.stdout)
        print(f"\nWhole run: {time.perf_counter() - start:.0f} s" + (", peers reused" if options.reuse else ""))
        print("\nThe figures to reach\n" + "\n".join(f"  {line}" for line in demands(found)))
        print(json.dumps(as_json(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
