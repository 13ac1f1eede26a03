"""Invented replies in the shape of the contracts: the same identifier gives the same record, another one another.

Figures follow from SHA-256 of source and identifier. Their spread is made to look like Uzbekistan in UZS, not measured:
a declared yearly income around 60 million, turnovers around 2 billion, tax debts rare, dwellings around 75 m2.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from math import exp
from statistics import NormalDist
from typing import Any

Invent = Callable[[str, datetime], str]
NORMAL = NormalDist()
# use, its share, median area in m2, spread of its logarithm, UZS per m2
USES = (
    ("residential", 0.72, 75, 0.5, 4_500_000),
    ("commercial", 0.10, 220, 0.9, 6_000_000),
    ("agricultural", 0.10, 30_000, 1.0, 12_000),
    ("industrial", 0.05, 1_500, 0.9, 1_800_000),
    ("other", 0.03, 400, 0.8, 900_000),
)


def _chances(source: str, identifier: str) -> Iterator[float]:
    """Evenly spread numbers in (0, 1) that follow from the whole identifier."""
    for counter in range(8):
        digest = hashlib.sha256(f"{source}:{identifier}:{counter}".encode()).digest()
        yield (int.from_bytes(digest[:6], "big") + 0.5) / 2**48


def _lognormal(chance: float, *, median: float, spread: float) -> float:
    return median * exp(spread * NORMAL.inv_cdf(chance))


def _document(identifier: str, now: datetime, **fields: Any) -> str:
    return json.dumps({"identifier": identifier, "observed_at": now.isoformat(), "currency": "UZS"} | fields)


def invent_soliq(identifier: str, now: datetime) -> str:
    chances = _chances("soliq", identifier)
    person = len(identifier) == 14
    median, spread, tax = (60_000_000, 0.6, 0.12) if person else (2_000_000_000, 1.4, 0.04)
    declared = round(_lognormal(next(chances), median=median, spread=spread))
    in_debt = next(chances) > (0.92 if person else 0.8)
    debt = round(declared * _lognormal(next(chances), median=0.02, spread=0.8)) if in_debt else 0
    return _document(
        identifier,
        now,
        declared_yearly_income=declared if person else None,
        declared_revenue=None if person else declared,
        taxes_paid=round(declared * tax * (0.8 + 0.4 * next(chances))),
        tax_debt=debt,
    )


def invent_kadastr(identifier: str, now: datetime) -> str:
    chances = _chances("kadastr", identifier)
    use, median, spread, price = _use(next(chances))
    area = round(_lognormal(next(chances), median=median, spread=spread), 1)
    value = round(area * price * _lognormal(next(chances), median=1, spread=0.4))
    encumbered = next(chances) < 0.15
    return _document(identifier, now, area_m2=area, use=use, cadastral_value=value, is_encumbered=encumbered)


def _use(chance: float) -> tuple[str, float, float, float]:
    for use, share, median, spread, price in USES:
        if chance < share:
            return use, median, spread, price
        chance -= share
    return USES[-1][0], *USES[-1][2:]
