"""Training on made-up tables of awkward sizes: 2,000,000 rows x 20 inputs, 1,000 rows, and outcomes of 0.5 %.

    python -m benchmarks.large_table [--rows 2000000]

The tables are synthetic: drawn here, from a known probability of default, with numbers, counts, flags, categories (one
of them with 3,000 levels), empty cells, special codes and weights. Each is trained on by `manage.py train_model` as a
process of its own; time is its wall time from start to end, reading and writing included, memory its greatest resident
set. Beside the large one stands a single LightGBM fit of the same rows, measured in the same way.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from apps.scoring_engine.ml.learning.metrics import auc, fit_intercept, sigmoid

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
NUMBERS, COUNTS, LEVELS = 10, 3, {"product": 4, "sector": 25, "dealer": 3000}
MOST_SECONDS, MOST_MEMORY = 600.0, 8.0  # the demand for 2,000,000 rows: ten minutes, 8 GiB
NOT_STATED = 99999999
LIGHTGBM_TREES = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """seconds of wall time, memory in GiB (greatest resident set), and what the process printed last."""

    seconds: float
    memory: float
    last_line: str


def drawn(rows: int, bad_rate: float) -> tuple[pd.DataFrame, np.ndarray]:
    """(the table, the true probability of default of each row)."""
    rng = np.random.default_rng(SEED)
    table: dict[str, np.ndarray] = {}
    risk = np.zeros(rows)
    for k in range(NUMBERS):
        value = rng.normal(size=rows) if k % 2 else rng.lognormal(sigma=0.8, size=rows)
        risk += (0.45 - 0.04 * k) * np.tanh(value - 1) * (-1) ** k
        table[f"number_{k}"] = value.round(4)
    risk += 0.4 * np.sign(table["number_1"] * table["number_3"])  # what only a pair can say
    for k in range(COUNTS):
        table[f"count_{k}"] = rng.poisson(0.6 + k, rows)
        risk += 0.25 * np.minimum(table[f"count_{k}"], 4)
    for name, levels in LEVELS.items():
        level = np.minimum((levels * rng.random(rows) ** 1.7).astype(int), levels - 1)
        risk += rng.normal(0, 0.4, levels)[level]
        table[name] = np.char.add(f"{name}_", level.astype(str)).astype(object)
    for k in range(4):
        table[f"flag_{k}"] = rng.random(rows) < 0.2 + 0.1 * k
        risk += 0.2 * table[f"flag_{k}"] * (-1) ** k
    probability = sigmoid(1.2 * risk + fit_intercept(1.2 * risk, np.arange(rows) < bad_rate * rows))
    table["is_bad"] = (rng.random(rows) < probability).astype(int)
    table["weight"] = rng.choice([0.5, 1.0, 2.0], rows)
    return _with_gaps(pd.DataFrame(table), rng), probability


def _with_gaps(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Empty cells in three columns, a special code in one."""
    rows = len(table)
    table.loc[rng.random(rows) < 0.05, "number_2"] = np.nan
    table.loc[rng.random(rows) < 0.4, "number_4"] = np.nan
    table.loc[rng.random(rows) < 0.02, "sector"] = None
    table.loc[rng.random(rows) < 0.03, "number_6"] = NOT_STATED
    return table


def recipe_of(table: pd.DataFrame) -> str:
    """A recipe with plain settings."""
    lines = [
        "format = 1", 'segment = "individual"', 'version = "synthetic"', 'title = "A made-up table"',
        'purpose = "demonstration"', 'definition_of_bad = "drawn from a known probability"',
        'origin = "synthetic"', 'population = "none: the rows are drawn"', "seed = 1", "pairs = 12", "holdout = 0.25",
        "[horizon]", 'kind = "fixed"', "months = 12", "[target]", 'column = "is_bad"', "equals = [1]",
        "[weight]", 'column = "weight"',
    ]  # fmt: skip
    for name in table.columns.drop(["is_bad", "weight"]):
        start = name.partition("_")[0]
        kind = {"number": "number", "count": "integer", "flag": "flag"}.get(start, "category")
        lines += ["[[inputs]]", f'column = "{name}"', f'kind = "{kind}"', 'direction = "free"']
        if name == "number_6":
            lines.append(f'special_codes = {{ "{NOT_STATED}" = "not stated" }}')
    return "\n".join(lines) + "\n"


def run(command: list[str]) -> Measured:
    """Raises CalledProcessError when the process fails."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    lines = printed.strip().splitlines() or [""]
    return Measured(time.perf_counter() - start, usage.ru_maxrss / 1024**2, lines[-1])


def trained(folder: Path, rows: int, bad_rate: float) -> Measured:
    table, probability = drawn(rows, bad_rate)
    table.to_parquet(folder / "table.parquet")
    (folder / "recipe.toml").write_text(recipe_of(table), encoding="utf-8")
    bads = int(table["is_bad"].sum())
    print(f"\n{rows:,} rows, {bads:,} bad, AUC of the true probability {auc(table['is_bad'], probability):.4f}")
    del table
    command = [sys.executable, "manage.py", "train_model", str(folder / "recipe.toml")]
    found = run([*command, "--data", str(folder / "table.parquet"), "--out", str(folder / "model")])
    print(f"  card: {found.seconds:.1f} s, {found.memory:.2f} GiB")
    print(f"  {found.last_line}", flush=True)
    return found


def fit_lightgbm(path: str) -> None:
    """In a process of its own: one fit of LIGHTGBM_TREES trees of 31 leaves, its categories as it takes them."""
    import lightgbm

    table = pd.read_parquet(path)
    weight, is_bad = table.pop("weight"), table.pop("is_bad")
    texts = [name for name in table if table[name].dtype == object]
    table = table.astype(dict.fromkeys(texts, "category"))
    settings = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "num_threads": 2, "verbose": -1}
    start = time.perf_counter()
    lightgbm.train(settings, lightgbm.Dataset(table, is_bad, weight=weight), LIGHTGBM_TREES)
    print(f"{time.perf_counter() - start:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--lightgbm", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lightgbm:
        fit_lightgbm(options.lightgbm)
        return 0
    report = {}
    for rows, bad_rate in ((1_000, 0.2), (20_000, 0.005), (options.rows, 0.03)):
        with tempfile.TemporaryDirectory() as name:
            found = trained(Path(name), rows, bad_rate)
            report[f"{rows} rows"] = {"seconds": round(found.seconds, 1), "gib": round(found.memory, 2),
                                      **json.loads(found.last_line)}  # fmt: skip
            if rows == options.rows:
                path = str(Path(name) / "table.parquet")
                beside = run([sys.executable, "-m", "benchmarks.large_table", "--lightgbm", path])
                print(f"  one LightGBM, {LIGHTGBM_TREES} trees: {beside.last_line} s to fit, {beside.seconds:.1f} s in "
                      f"all, {beside.memory:.2f} GiB")  # fmt: skip
    ok = found.seconds <= MOST_SECONDS and found.memory <= MOST_MEMORY
    print(f"\n{options.rows:,} rows within {MOST_SECONDS / 60:.0f} minutes and {MOST_MEMORY:.0f} GiB: "
          f"{'reached' if ok else 'not reached'}; {found.seconds:.0f} s, {found.memory:.2f} GiB")  # fmt: skip
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
