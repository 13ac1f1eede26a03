"""What the registers say of a request, fact by fact in the language of the page, and what contradicts what."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.common.money import CURRENCIES
from apps.scoring_engine.ml.words import words_of
from apps.workbench import formats
from apps.workbench.labels import LAND_USES, RECORD_FACTS

MONTHLY, YEARLY = " per month", " per year"


@dataclass(frozen=True, slots=True)
class FactTold:
    name: str
    text: str


def tell_records(records: dict[str, Any]) -> list[dict[str, Any]]:
    """`records`: as present_known gives them; each with its facts told and what of it contradicts the applicant."""
    found = records["contradictions"] or []
    return [
        record
        | {
            "facts": _facts(record["version"]),
            "contradictions": [each for each in found if each["record"] == str(record["id"])],
        }
        for record in records["records"]
    ]


def _facts(version: dict[str, Any] | None) -> list[FactTold] | None:
    """None where nothing is known, or nothing can be read any more."""
    if version is None or version["facts"] is None:
        return None
    return [FactTold(_name(fact["name"]), fact_text(fact["value"], fact["unit"])) for fact in version["facts"]]


def _name(name: str) -> str:
    text = str(RECORD_FACTS[name]) if name in RECORD_FACTS else words_of(formats.language_now()).fact(name)
    return text[:1].upper() + text[1:]


def fact_text(value: float | str | bool, unit: str) -> str:
    words = words_of(formats.language_now())
    if isinstance(value, bool):
        return words.phrase("yes" if value else "no")
    if unit == "category":
        return str(LAND_USES.get(value, value))
    if unit == "day":
        return formats.day(date.fromisoformat(value))
    if isinstance(value, str):
        return value
    return _number(value, unit)


def _number(value: float, unit: str) -> str:
    if unit == "ratio":
        return formats.percent(value)
    if unit == "m2":
        return f"{formats.number(value)}{formats.NBSP}m²"
    currency = unit.removesuffix(MONTHLY).removesuffix(YEARLY)
    return formats.money(value, currency) if currency in CURRENCIES else formats.number(value)
