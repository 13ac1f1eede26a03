"""Invented replies: the same identifier gives the same record, another one another.

Figures follow from SHA-256 of source and identifier. Their spread is made to look like Uzbekistan, in UZS; none of it
was measured.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from math import exp
from statistics import NormalDist
from typing import Any

NORMAL = NormalDist()
GIVEN = ("Aziz", "Dilnoza", "Bobur", "Malika", "Jasur", "Nodira", "Sardor", "Gulnora", "Ulugʻbek", "Shahnoza")
FAMILY = (
    "Karimov",
    "Rahimov",
    "Yusupov",
    "Toshmatov",
    "Ergashev",
    "Saidov",
    "Nazarov",
    "Qodirov",
    "Aliyev",
    "Xolmatov",
)


def chances(source: str, identifier: str) -> Iterator[float]:
    """Evenly spread numbers in (0, 1) that follow from the whole identifier."""
    for counter in range(16):
        digest = hashlib.sha256(f"{source}:{identifier}:{counter}".encode()).digest()
        yield (int.from_bytes(digest[:6], "big") + 0.5) / 2**48


def lognormal(chance: float, *, median: float, spread: float) -> float:
    return median * exp(spread * NORMAL.inv_cdf(chance))


def count(chance: float, shares: tuple[float, ...]) -> int:
    """How many, where `shares` are the parts of all that have 0, 1, 2 ...; the rest have one more."""
    for number, share in enumerate(shares):
        if chance < share:
            return number
        chance -= share
    return len(shares)


def invented_name(chance: float) -> str:
    number = int(chance * len(GIVEN) * len(FAMILY))
    return f"{FAMILY[number // len(GIVEN)]} {GIVEN[number % len(GIVEN)]}"


def document(identifier: str, now: datetime, **fields: Any) -> str:
    return json.dumps({"identifier": identifier, "observed_at": now.isoformat(), "currency": "UZS"} | fields)
