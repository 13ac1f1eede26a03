"""Deciding by the shipped policy: one request, and a million past ones from columns.

The columns stand in memory, as a snapshot gives them. One request in processor time, a million in time by the clock;
medians of one run; the last line is JSON.
"""

import json
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np

from apps.policies.columns import Assessments, decide_columns
from apps.policies.documents import Policy, read_policy
from apps.policies.engine import OUTCOMES, decide
from apps.policies.examples import assessment_of
from apps.policies.tests.random_requests import Row, as_columns, draw_rows

POLICY = Path("apps/policies/defaults/uz_individual.toml")
DAY = date(2026, 12, 1)
DRAWN, MILLION, AT_ONCE = 10_000, 1_000_000, 50_000
ROUNDS, REPEATED = 21, 40


def main() -> None:
    policy = read_policy(POLICY.read_text(encoding="utf-8"))
    rows = draw_rows(policy.segment, DRAWN)
    figures = {"decide_us": _one_by_one(policy), "million_seconds": _million(policy, rows)}
    figures |= {"rows_compared": DRAWN, "rows_that_differ": _differing(policy, rows)}
    one, many = figures["decide_us"], figures["million_seconds"]
    print(f"one request: {one:.1f} us median; 1,000,000 from columns: {many:.1f} s")
    print(json.dumps(figures))


def _one_by_one(policy: Policy) -> float:
    """Median over rounds of the mean over the policy's own examples, in microseconds of processor time."""
    asked = [(example.facts, assessment_of(example.assessment)) for example in policy.examples]
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for facts, assessment in asked * REPEATED:
            decide(facts, assessment, policy, DAY)
        rounds.append((time.process_time() - start) / len(asked) / REPEATED * 1e6)
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
