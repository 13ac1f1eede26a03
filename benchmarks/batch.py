"""Batches of applicants: in memory beside LightGBM with its contributions, and from Parquet to Parquet.

In memory both see the same 15 features of the same rows, on one thread, in turn within one run; seconds are those of
the processor, so that other work on the machine does not count. The file has the facts of the shipped card of
individuals and is scored with reasons by a process of its own, whose peak memory, seconds of the processor and seconds
on the clock are told. Run as `python -m benchmarks.batch`; the last line is JSON.
"""

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from apps.scoring_engine.ml.batch import score_batches
from apps.scoring_engine.ml.scorecard import Scorecard

ROOT = Path(__file__).resolve().parents[1]
AS_OF = dt.date(2024, 1, 1)
FEATURES = [f"feature_{number:02d}" for number in range(15)]
BINS, TREES = 10, 300
GROUP = 1 << 17
CHILD = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
from apps.scoring_engine.ml.risk_model import card_in_service
from apps.scoring_engine.score_files import Job, score_file
start, used = time.perf_counter(), time.process_time()
job = Job(Path(sys.argv[1]), Path(sys.argv[2]), date(2024, 1, 1), keep=("id",))
summary = score_file(card_in_service("individual").card, {}, job)
seconds, used = time.perf_counter() - start, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, used, peak, summary["rows"], summary["scored"]]))
"""


def card_of_15() -> Scorecard:
    """15 numbers from 0 to 1 with ten bins each."""
    edges = [round(number / BINS, 2) for number in range(1, BINS)]
    table = {
        "unit": "number", "edges": edges, "points": [5 * number - 25 for number in range(BINS)], "missing_points": -20,
        "unavailable_points": 0, "reference_points": 0, "special_points": {}, "direction": "higher_is_safer",
    }  # fmt: skip
    return Scorecard.from_dict({
        "format": 1, "segment": "individual", "version": "benchmark-1", "purpose": "demonstration",
        "definition_of_bad": "made up", "horizon": {"kind": "fixed", "months": 12}, "points_to_double_odds": 50,
        "base_points": 500, "reference": "all_applicants",
        "inputs": [{"name": name, "kind": "number", "unit": "ratio", "required": False, "least": 0, "most": 1}
                   for name in FEATURES],
        "features": [],
        "characteristics": [{"feature": name, "label": name, "code": name.upper(), **table} for name in FEATURES],
        "pairs": [], "provenance": {},
    })  # fmt: skip


def seconds_of(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def in_memory(rows: int, peer_rows: int, runs: int) -> dict[str, float]:
    """Rows a second on one thread, medians of runs that take turns."""
    draw = np.random.default_rng(1)
    features = draw.random((rows, len(FEATURES)))
    table = pa.table(dict(zip(FEATURES, np.ascontiguousarray(features.T), strict=True)))
    batches, card = table.to_batches(max_chunksize=GROUP), card_of_15()
    is_bad = draw.random(50_000) < 0.1 + 0.2 * features[:50_000, 0] * features[:50_000, 1]
    model = lightgbm.LGBMClassifier(n_estimators=TREES, n_jobs=1, verbose=-1).fit(features[:50_000], is_bad)
    ways = {
        "contributions": (rows, lambda: _drain(card, batches, top_reasons=0, contributions=True)),
        "contributions and 4 reasons": (rows, lambda: _drain(card, batches, top_reasons=4, contributions=True)),
        "lightgbm pred_contrib": (
            peer_rows, lambda: model.booster_.predict(features[:peer_rows], pred_contrib=True, num_threads=1)),
    }  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _, way in ways.values():
        way()  # compiled, and in memory
    for _ in range(runs):
        for name, (counted, way) in ways.items():
            found[name].append(counted / seconds_of(way))
    return {name: round(statistics.median(speeds)) for name, speeds in found.items()}


def _drain(card: Scorecard, batches: list[pa.RecordBatch], **options: object) -> None:
    for _ in score_batches(card, iter(batches), as_of=AS_OF, **options):
        pass


def write_applicants(path: Path, rows: int) -> None:
    """Facts of the shipped card of individuals, group by group."""
    draw, writer = np.random.default_rng(2), None
    for start in range(0, rows, GROUP):
        batch = _applicants(draw, start, min(GROUP, rows - start))
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="snappy")
        writer.write_batch(batch)
    writer.close()


def _applicants(draw: np.random.Generator, start: int, count: int) -> pa.RecordBatch:
    income = draw.integers(10_000_000, 300_000_000, count)
    purposes = np.array(["car", "house", "wedding", "medical", "other"])
    days = draw.integers(5_000, 19_000, count).astype(np.int32)
    return pa.RecordBatch.from_pydict({
        "id": np.arange(start, start + count),
        "yearly_income": pa.array(income, mask=draw.random(count) < 0.02),
        "requested_amount": (income * draw.uniform(0.02, 1.2, count)).astype(np.int64) + 1,
        "existing_debt": (income * draw.uniform(0, 2, count)).astype(np.int64),
        "monthly_debt_payments": (income * draw.uniform(0, 0.05, count)).astype(np.int64),
        "term_months": draw.choice(np.array([12, 24, 36, 60]), count),
        "purpose": pa.array(purposes[draw.integers(0, 5, count)]),
        "credit_history_score": draw.integers(500, 850, count),
        "credit_history_scale": pa.array(np.full(count, "fico_300_850")),
        "inquiries_6m": draw.integers(0, 8, count),
        "delinquencies_24m": draw.integers(0, 4, count),
        "public_records": draw.integers(0, 2, count),
        "revolving_utilisation": draw.random(count),
        "oldest_account_date": pa.array(days, pa.int32()).cast(pa.date32()),
    })  # fmt: skip


def file_to_file(folder: Path, rows: int) -> dict[str, float]:
    source, out = folder / "applicants.parquet", folder / "scores.parquet"
    write_applicants(source, rows)
    # A process inherits the peak of the one it was forked from: it is told by one that starts small.
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", CHILD, str(source), str(out)], cwd=ROOT, env=env, check=True,
                          capture_output=True, text=True)  # fmt: skip
    seconds, used, memory, read, scored = json.loads(done.stdout.splitlines()[-1])
    size = source.stat().st_size + out.stat().st_size
    source.unlink()
    out.unlink()
    if read != rows or scored != rows:
        raise SystemExit(f"{read} rows were read and {scored} scored, of {rows}")
    return {
        "rows": rows,
        "rows_per_s": round(rows / seconds),
        "processor_seconds": round(used, 2),
        "peak_MiB": round(memory),
        "files_MiB": size >> 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="in memory")
    parser.add_argument("--peer-rows", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--file-rows", type=int, default=20_000_000, help="0: no file")
    options = parser.parse_args()
    memory = in_memory(options.rows, options.peer_rows, options.runs)
    for name, speed in memory.items():
        print(f"  {name:<28} {speed:>12,} rows/s on one core")
    ratio = round(memory["contributions"] / memory["lightgbm pred_contrib"])
    print(f"  as fast as LightGBM with its contributions: {ratio:,} times")
    figures = {"in_memory": memory, "ratio": ratio, "load": os.getloadavg()[0]}
    if options.file_rows:
        with tempfile.TemporaryDirectory() as folder:
            figures["files"] = file_to_file(Path(folder), options.file_rows)
        print(
            "  Parquet to Parquet: {rows_per_s:,} rows/s, peak {peak_MiB} MiB, {rows:,} rows".format(**figures["files"])
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
