"""Deciding by the shipped policy: one request, and a million past ones from columns.

The columns stand in memory, as a snapshot gives them. Medians of one run; the last line is JSON.
"""

import json
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np

from apps.policies.columns import Assessments, decide_columns
from apps.policies.documents import Policy, read_policy
from apps.policies.engine import OUTCOMES, bind, decide
from apps.policies.tests.random_requests import Row, as_columns, draw_rows

POLICY = Path("apps/policies/defaults/uz_individual.toml")
DAY = date(2026, 12, 1)
DRAWN, MILLION, AT_ONCE = 10_000, 1_000_000, 50_000
ROUNDS = 21


def main() -> None:
    policy = read_policy(POLICY.read_text(encoding="utf-8"))
    rows = draw_rows(policy.segment, DRAWN)
    figures = {"decide_us": _one_by_one(policy, rows), "million_seconds": _million(policy, rows)}
    figures |= {"rows_compared": DRAWN, "rows_that_differ": _differing(policy, rows)}
    one, many = figures["decide_us"], figures["million_seconds"]
    print(f"one request: {one:.1f} us median; 1,000,000 from columns: {many:.1f} s")
    print(json.dumps(figures))


def _one_by_one(policy: Policy, rows: list[Row]) -> float:
    """Median over rounds of the mean of a thousand complete requests, in microseconds."""
    asked = bind(policy, DAY).asked
    complete = [(facts, one) for facts, one in rows if one is not None and all(name in facts for name in asked)][:1_000]
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for facts, assessment in complete:
            decide(facts, assessment, policy, DAY)
        rounds.append((time.perf_counter() - start) / len(complete) * 1e6)
    return statistics.median(rounds)


def _million(policy: Policy, rows: list[Row]) -> float:
    columns, scored = as_columns(policy.segment, rows)
    places = np.random.default_rng(7).integers(0, len(rows), MILLION)
    start = time.perf_counter()
    for first in range(0, MILLION, AT_ONCE):
        chosen = places[first : first + AT_ONCE]
        drawn = Assessments(**{name: getattr(scored, name)[chosen] for name in Assessments.__slots__})
        decide_columns({name: column[chosen] for name, column in columns.items()}, drawn, policy, DAY)
    return time.perf_counter() - start


def _differing(policy: Policy, rows: list[Row]) -> int:
    found = decide_columns(*as_columns(policy.segment, rows), policy, DAY)
    outcomes = [decide(facts, assessment, policy, DAY) for facts, assessment in rows]
    return sum(
        (OUTCOMES[found.outcome[place]], found.first_reason[place])
        != (one.outcome, one.reasons[0] if one.reasons else "")
        or (one.terms is not None and int(found.amount[place]) != one.terms.amount)
        for place, one in enumerate(outcomes)
    )


if __name__ == "__main__":
    main()
