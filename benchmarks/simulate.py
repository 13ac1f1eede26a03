"""A million past requests simulated from a column snapshot: both policies, every figure, reading included.

The rows are drawn around the edges of the shipped policy; the candidate is that policy with other cut-offs and another
limit of debt service. Beside it the same decisions one by one on 10,000 of the rows. The last line is JSON.
"""

import json
import os
import resource
import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path

import django
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from apps.credit_requests.simulation import Terms, simulate_file  # noqa: E402
from apps.credit_requests.simulation_figures import SIDES  # noqa: E402
from apps.credit_requests.simulation_policies import Named  # noqa: E402
from apps.credit_requests.simulation_tables import Form, as_rows  # noqa: E402
from apps.policies.documents import Policy, read_policy  # noqa: E402
from apps.policies.engine import OUTCOMES, decide  # noqa: E402
from apps.policies.tests.random_requests import Row, draw_rows  # noqa: E402

POLICY = Path("apps/policies/defaults/uz_individual.toml")
DAY = date(2026, 12, 1)
DRAWN, MILLION, AT_ONCE = 11_000, 1_000_000, 1 << 16


def main() -> None:
    text = POLICY.read_text(encoding="utf-8")
    current, candidate = read_policy(text), read_policy(_bolder(text))
    rows = [row for row in draw_rows(current.segment, DRAWN) if row[0].get("requested_amount") != 0]
    table = pa.Table.from_batches([as_rows([_as_dict(place, row) for place, row in enumerate(rows)],
                                           Form(current.segment).schema())])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        few, million = Path(folder) / "few.parquet", Path(folder) / "million.parquet"
        pq.write_table(table, few)
        places = np.random.default_rng(7).integers(0, len(rows), MILLION)
        with pq.ParquetWriter(million, table.schema) as writer:
            for first in range(0, MILLION, AT_ONCE):
                writer.write_table(table.take(places[first : first + AT_ONCE]))
        figures = {"rows_compared": len(rows), "counts_that_differ": _differing(few, current, candidate, rows)}
        figures |= _timed(million, current, candidate)
    print(f"1,000,000 rows, two policies: {figures['seconds']:.1f} s ({figures['cpu_seconds']:.1f} s of processor)")
    print(json.dumps(figures))


def _bolder(text: str) -> str:
    bolder = text.replace('version = "', 'version = "bolder-', 1)
    for band in read_policy(text).bands:
        for edge in ("from", "below"):
            at = band.start if edge == "from" else band.below
            if at is not None:
                bolder = bolder.replace(f"{edge} = {at:g}\n", f"{edge} = {at - 10:g}\n")
    return bolder


def _as_dict(place: int, row: Row) -> dict:
    facts, assessment = row
    assessed = asdict(assessment) if assessment else {}
    bars = assessed.pop("bars", ())
    return facts | assessed | {"id": str(place), "bar": bars[0] if bars else None, "branch": f"branch-{place % 40}"}


def _simulated(path: Path, current: Policy, candidate: Policy) -> dict:
    return simulate_file(candidate=Named(candidate, None), current=Named(current, None), path=path,
                         terms=Terms(DAY, cost_of_funds=0.14, by=("branch",)))  # fmt: skip


def _differing(path: Path, current: Policy, candidate: Policy, rows: list[Row]) -> int:
    """Outcomes, approved amounts and expected losses of both policies: by columns, and one by one."""
    found = _simulated(path, current, candidate)
    differing = 0
    for side, policy in zip(SIDES, (current, candidate), strict=True):
        decided = [decide(facts, assessment, policy, DAY) for facts, assessment in rows]
        approved = [one for one in decided if one.outcome == "approve"]
        after = found["outcomes"][side]["after_bars"]
        differing += sum(after[name]["number"] != sum(one.outcome == name for one in decided) for name in OUTCOMES)
        differing += found["approved"][side]["amount"] != sum(one.terms.amount for one in approved)
        differing += found["approved"][side]["expected_loss"] != sum(one.expected_loss for one in approved)
    return differing


def _timed(path: Path, current: Policy, candidate: Policy) -> dict:
    start, processor = time.perf_counter(), time.process_time()
    found = _simulated(path, current, candidate)
    seconds, used = time.perf_counter() - start, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"rows": found["requests"]["simulated"], "seconds": round(seconds, 2), "cpu_seconds": round(used, 2),
            "peak_mib": peak, "file_mib": round(path.stat().st_size / 2**20, 1)}  # fmt: skip


if __name__ == "__main__":
    main()
