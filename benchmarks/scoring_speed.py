"""One applicant, dict to score and reasons: the card in service against LightGBM with its contributions.

Both answer in turn within one run, on the same applicants and the same features, on one thread. LightGBM's
time has no strict check of the facts, only the building of its row; so the card is timed without the check too
(like for like), with it, and as `predict_individual_risk`, which is what a user calls. Run as
`python -m benchmarks.scoring_speed`; the last line is JSON.
"""

import argparse
import datetime as dt
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from apps.scoring_engine.ml.features import Derivations
from apps.scoring_engine.ml.risk_model import card_in_service, expert_card, predict_individual_risk
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

ROOT = Path(__file__).resolve().parents[1]
AS_OF = dt.date(2024, 1, 1)
NO_SOURCE_DOWN: frozenset[str] = frozenset()
TREES = 300
BLOCK = 250
COLD = (
    "from apps.scoring_engine.ml.risk_model import predict_individual_risk as p;"
    'p({"yearly_income": 50000, "existing_debt": 5000, "requested_amount": 10000, "credit_history_score": 650})'
)


def applicant(draw: random.Random) -> dict[str, Any]:
    """Every fact that a card of individuals may use, as it comes out of JSON."""
    income = draw.randrange(10_000_000, 300_000_000)
    return {
        "yearly_income": income,
        "requested_amount": int(income * draw.uniform(0.02, 1.2)) + 1,
        "existing_debt": int(income * draw.uniform(0, 2)),
        "monthly_debt_payments": int(income * draw.uniform(0, 0.05)),
        "term_months": draw.choice([12, 24, 36, 60]),
        "purpose": draw.choice(["car", "house", "wedding", "medical", "other"]),
        "credit_history_score": draw.randrange(500, 850),
        "credit_history_scale": "fico_300_850",
        "employment_years": draw.randrange(0, 30),
        "inquiries_6m": draw.randrange(0, 8),
        "delinquencies_24m": draw.randrange(0, 4),
        "open_accounts": draw.randrange(1, 25),
        "public_records": draw.randrange(0, 2),
        "revolving_utilisation": draw.random(),
        "oldest_account_date": f"{draw.randrange(1985, 2023)}-06-15",
    }


def used_facts(card: Scorecard, facts: dict[str, Any]) -> dict[str, Any]:
    known = {entry.name for entry in card.inputs} | {"credit_history_scale"}
    return {name: value for name, value in facts.items() if name in known}


def by_card(card: Scorecard) -> Callable[[dict[str, Any]], object]:
    return lambda facts: card.score(check_facts("individual", facts, as_of=AS_OF), as_of=AS_OF).explanation


def by_checked(card: Scorecard, applicants: list[dict[str, Any]]) -> Callable[[dict[str, Any]], object]:
    """Facts that were checked before the clock starts."""
    checked = {id(facts): check_facts("individual", facts, as_of=AS_OF) for facts in applicants}
    return lambda facts: card.score(checked[id(facts)], as_of=AS_OF).explanation


def row_builder(card: Scorecard) -> Callable[[dict[str, Any]], list[float]]:
    derivations = Derivations(card.inputs, card.features)
    columns = [c.feature for c in card.characteristics]
    numbers = {c.feature: _numbers(c.groups) for c in card.characteristics if c.groups is not None}

    def row(facts: dict[str, Any]) -> list[float]:
        checked = facts | {"oldest_account_date": dt.date.fromisoformat(facts["oldest_account_date"])}
        values, _ = derivations.derive(checked, AS_OF, NO_SOURCE_DOWN)
        return [numbers[name].get(values[name], -1) if name in numbers else values[name] for name in columns]

    return row


def _numbers(groups: tuple) -> dict[Any, int]:
    return {value: number for number, group in enumerate(groups) for value in group}


def learnt(card: Scorecard, applicants: list[dict[str, Any]]) -> lightgbm.Booster:
    """300 trees of 31 leaves on as many features, learnt on labels drawn from the card's own probability."""
    row = row_builder(card)
    rows = np.array([row(facts) for facts in applicants])
    checked = [check_facts("individual", facts, as_of=AS_OF) for facts in applicants]
    probability = [card.score(facts, as_of=AS_OF).probability_of_default for facts in checked]
    is_bad = np.random.default_rng(1).random(len(rows)) < np.array(probability)
    settings = {"objective": "binary", "num_leaves": 31, "num_threads": 1, "seed": 1, "verbose": -1}
    return lightgbm.train(settings, lightgbm.Dataset(rows, label=is_bad), num_boost_round=TREES)


def by_lightgbm(card: Scorecard, applicants: list[dict[str, Any]]) -> Callable[[dict[str, Any]], object]:
    row, booster = row_builder(card), learnt(card, applicants)

    def explain(facts: dict[str, Any]) -> object:
        contributions = booster.predict(np.array([row(facts)]), pred_contrib=True, num_threads=1)[0]
        return sorted(zip(contributions, range(len(contributions)), strict=True))

    return explain


def timed(function: Callable[[dict[str, Any]], object], facts: dict[str, Any]) -> float:
    start = time.perf_counter_ns()
    function(facts)
    return (time.perf_counter_ns() - start) / 1000


def medians(ways: dict[str, Callable], applicants: list[dict[str, Any]]) -> dict[str, float]:
    """Microseconds by way. The ways take turns, a block of applicants each, so that noise meets them all."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(0, len(applicants), BLOCK):
        for name, way in ways.items():
            times[name] += [timed(way, facts) for facts in applicants[start : start + BLOCK]]
    return {name: round(statistics.median(found), 2) for name, found in times.items()}


def cold_start_seconds(code: str, runs: int) -> float:
    """Median of whole processes, from their start to their end."""
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        found.append(time.perf_counter() - start)
    return round(statistics.median(found), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=2000)
    parser.add_argument("--cold-starts", type=int, default=9)
    options = parser.parse_args()
    draw = random.Random(1)  # noqa: S311
    serving = card_in_service("individual").card
    learning = [used_facts(serving, applicant(draw)) for _ in range(20_000)]
    tested = [used_facts(serving, applicant(draw)) for _ in range(options.applicants)]
    ways = {
        "card, facts checked before": by_checked(serving, tested),
        "card, with the check": by_card(serving),
        "expert card, with the check": by_card(expert_card("individual")),
        "predict_individual_risk": predict_individual_risk,
        "lightgbm": by_lightgbm(serving, learning),
    }
    found = medians(ways, tested)
    print(f"{serving.version}, {len(serving.characteristics)} characteristics; LightGBM {TREES} trees")
    for name, median in found.items():
        print(f"  {name:<28} {median:>10.2f} us median")
    cold = cold_start_seconds(COLD, options.cold_starts)
    empty = cold_start_seconds("pass", options.cold_starts)
    print(f"  cold import and one score    {cold:>10.3f} s (an empty Python: {empty:.3f} s)")
    ratios = {name: round(found["lightgbm"] / median) for name, median in found.items() if name != "lightgbm"}
    print("  as fast as LightGBM with its contributions: " + ", ".join(f"{n} times ({k})" for k, n in ratios.items()))
    figures = {"medians_us": found, "ratios": ratios, "cold_start_s": cold, "empty_python_s": empty}
    print(json.dumps({"card": serving.version, "characteristics": len(serving.characteristics), **figures}))


if __name__ == "__main__":
    main()
