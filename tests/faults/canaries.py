"""Identities to look for: each is unlike any other, and all share beginnings by which a search finds them quickly."""

import base64
import re
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.common.identifiers import build_inn, build_pinfl

BIRTH_DATE = date(1987, 6, 5)
FIRST_INN = 9_871_000
LETTERS = "абвгдежзик"
# What all identities have in common: a search for these finds every one.
STEMS = [
    "Канарейк", "Зумрадхон", "Порукович", "Kanareyk", "Qanotli", "4050687977", "3030271966", "99893555",
    "canary.example", "987654310", "123456790", "19:18:17:16:15",
]  # fmt: skip
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
DIGITS = re.compile(rb"[0-9]{9,}")


@dataclass(frozen=True)
class Canary:
    """A person with a guarantor, and a company with a contact. `number`: 0 to 999."""

    number: int

    @property
    def word(self) -> str:
        return "".join(LETTERS[int(digit)] for digit in f"{self.number:03}")

    @property
    def name(self) -> str:
        return f"Канарейк{self.word} Зумрадхон"

    @property
    def pinfl(self) -> str:
        return build_pinfl(birth_date=BIRTH_DATE, sex="female", area=977, serial=self.number)

    @property
    def other_pinfl(self) -> str:
        return build_pinfl(birth_date=date(1971, 2, 3), sex="male", area=966, serial=self.number)

    @property
    def inn(self) -> str:
        return build_inn(serial=FIRST_INN + self.number)

    @property
    def parcel(self) -> str:
        return f"19:18:17:16:15:{1000 + self.number}"

    def money(self) -> dict[str, int]:
        """Sums to look for of the odd ones; even ones earn what lets people overrule a refusal."""
        if self.number % 2 == 0:
            return {"yearly_income": 240_000_000}
        return {"yearly_income": 987_654_310_000 + self.number, "existing_debt": 123_456_790_000 + self.number}

    def person(self) -> dict[str, Any]:
        phone = f"+99893555{self.number:04}"
        bureau = {"source": "bureau", "observed_at": "2026-01-15", "inquiries_6m": 9, "delinquencies_24m": 6,
                  "public_records": 2, "revolving_utilisation": 1.4, "open_accounts": 12}  # fmt: skip
        return {
            "full_name": self.name,
            "pinfl": self.pinfl,
            "birth_date": BIRTH_DATE.isoformat(),
            "phone": phone,
            "email": f"k{self.number}@canary.example",
            **self.money(),
            "guarantor": {"name": f"Порукович {self.word}", "inn": self.other_pinfl, "phone": phone},
            "credit_history_score": 310,
            "credit_history_scale": "fico_300_850",
            "employment_years": 0,
            "bureau": bureau,
            "parcel_ids": [self.parcel],
        }

    def company(self) -> dict[str, Any]:
        statement = {"year": 2024, "revenue": 5_000_000_000, "net_income": 1, "assets": 4_000_000_000, "liabilities": 1}
        return {
            "company_name": f"Kanareyk{self.number} Savdo MCHJ",
            "tax_id": self.inn,
            "industry": "G",
            "incorporated_date": "2015-05-05",
            "contact": {"name": f"Qanotli Qush {self.number}", "phone": f"+99893555{self.number + 5000:04}",
                        "email": f"q{self.number}@canary.example"},
            "statements": [statement],
            "parcel_ids": [f"19:18:17:16:15:{5000 + self.number}"],
        }  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return self.money() | {"requested_amount": 20_000_000}


def forms(text: str) -> list[bytes]:
    """As text, as JSON escapes it, and as the bytes of a row are shown."""
    return [text.encode(), text.encode("unicode_escape"), text.encode().hex().encode(), text.encode("utf-16-le")]


def seen(haystack: bytes, canaries: Iterable[Canary], words: Iterable[str] = ()) -> list[str]:
    """What of the canaries, or of `words`, stands in the haystack, also within base64, as broker messages are."""
    decoded = b"\n".join(_decoded(found) for found in BASE64.findall(haystack))
    numbers = {
        run[start : start + 9] for run in DIGITS.findall(haystack + decoded) for start in range(len(run) - 8)
    }  # fmt: skip
    found = [canary.inn for canary in canaries if canary.inn.encode() in numbers]
    sought = [*STEMS, *words]
    return found + [text for text in sought for form in forms(text) if form in haystack or form in decoded]


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except Error:
        return b""
