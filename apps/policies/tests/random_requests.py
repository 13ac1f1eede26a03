"""Requests drawn at random around the edges of a policy, as rows for the engine and as columns for simulation."""

import random
from typing import Any

import numpy as np

from apps.policies.columns import Assessments
from apps.policies.engine import BARS, Assessment
from apps.policies.expressions import FLAG, TEXT
from apps.policies.names import names_of
from apps.scoring_engine.ml.grades import grade, probability_of_default
from apps.scoring_engine.ml.vocabulary import FACTS

HORIZONS = (12, 24, 36)
NOT_FACTS = {"score", "annual_probability_of_default", "grade", "loss_given_default"}
SCALES = {"currency": 40_000_000, "currency per month": 6_000_000, "currency per year": 120_000_000}
RATES = (0.0, 0.19, 0.24, 0.2615, 0.49)
Row = tuple[dict[str, Any], Assessment | None]


def draw_rows(segment: str, count: int, *, seed: int = 7) -> list[Row]:
    chance = random.Random(seed)
    return [(_facts(segment, chance) | _solid(segment, chance), _assessment(chance)) for _ in range(count)]


def _facts(segment: str, chance: random.Random) -> dict[str, Any]:
    known = {name: about for name, about in names_of(segment).items() if name not in NOT_FACTS}
    return {name: _value(segment, name, about, chance) for name, about in known.items() if chance.random() > 0.04}


def _solid(segment: str, chance: random.Random) -> dict[str, Any]:
    """One in five has nothing against it, but perhaps the amount."""
    if chance.random() > 0.2:
        return {}
    facts = {name: 0 for name, about in names_of(segment).items() if about.unit == "count"}
    large = ("yearly_income", "declared_yearly_income", "revenue", "declared_revenue", "assets", "current_assets",
             "ebit", "net_income", "retained_earnings", "collateral_value")  # fmt: skip
    facts |= {name: 2_000_000_000 for name in large if name in names_of(segment)}
    facts |= {"requested_amount": chance.randint(1, 100) * 1_000_000, "term_months": 24, "self_banned": False}
    return facts | {"age_years": 40, "age_at_maturity": 42, "tax_debt": 0, "liabilities": 0, "years_in_business": 9,
                    "salary": 10**8, "monthly_debt_payments": 0, "product_kind": "consumer", "existing_debt": 0,
                    "current_liabilities": 1, "repayment_type": "annuity", "annual_rate": 0.24}  # fmt: skip


def _value(segment: str, name: str, about: Any, chance: random.Random) -> Any:
    if about.kind == FLAG:
        return chance.random() < 0.05
    if about.kind == TEXT:
        return chance.choice(about.values)
    if name == "annual_rate":
        return chance.choice(RATES)
    if name == "term_months":
        return chance.choice((1, 6, 12, 24, 36, 48, 60, 120, 240))
    if about.unit in SCALES:
        return int(chance.lognormvariate(0, 1) * SCALES[about.unit]) if chance.random() > 0.1 else 0
    if name.startswith("age_"):
        return chance.randint(16, 80)
    most = min(FACTS[segment][name].most, 6) if name in FACTS[segment] else 3
    return chance.randint(0, int(most))


def _assessment(chance: random.Random) -> Assessment | None:
    if chance.random() < 0.03:
        return None
    score = chance.randint(380, 760)
    months = chance.choice(HORIZONS)
    probability = probability_of_default(score)
    bars = (chance.choice(BARS[1:]),) if chance.random() < 0.2 else ()
    return Assessment(score, probability, months, grade(probability, months), bars)


def as_columns(segment: str, rows: list[Row]) -> tuple[dict[str, np.ndarray], Assessments]:
    kinds = {name: about.kind for name, about in names_of(segment).items() if name not in NOT_FACTS}
    columns = {name: _column(kind, [facts.get(name) for facts, _ in rows]) for name, kind in kinds.items()}
    scored = [assessment for _, assessment in rows]
    return columns, Assessments(
        score=_numbers(scored, "score"),
        probability_of_default=_numbers(scored, "probability_of_default"),
        horizon_months=_numbers(scored, "horizon_months"),
        grade=np.array([one.grade if one else "" for one in scored]),
        bar=np.array([one.bars[0] if one and one.bars else "" for one in scored]),
    )


def _numbers(scored: list[Assessment | None], name: str) -> np.ndarray:
    return np.array([np.nan if one is None else getattr(one, name) for one in scored], dtype=float)


def _column(kind: str, values: list[Any]) -> np.ndarray:
    if kind == TEXT:
        return np.array([value or "" for value in values])
    if kind == FLAG:
        return np.array([1 if value is None else 2 * value for value in values], dtype=np.uint8)
    return np.array([np.nan if value is None else value for value in values], dtype=float)
