"""A policy as it was read from its file: values, features, rules, bands, caps, price. documents.py reads it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from apps.policies.expressions import FLAG, NUMBER, TEXT, Expression
from apps.policies.names import names_of

FORMAT = 1
OUTCOMES = ("approve", "refer", "decline")  # by severity: the most severe one wins
KNOCKOUT, LEGAL = "knockout", "legal"
KINDS = (KNOCKOUT, LEGAL, "limit", "affordability", "collateral")
UNKNOWNS = ("refer", "decline", "pass")
CUT_OFF_NAMES = ("score", "annual_probability_of_default")
OVERS = ("offer_less", "refer")
UNITS = (
    "currency", "currency per month", "currency per year", "ratio", "ratio per year", "months", "years", "days",
    "count", "score", "probability", "m2", "flag", "category",
)  # fmt: skip
KIND_OF_UNIT = {"flag": FLAG, "category": TEXT}
SOURCES = ("soliq", "kadastr", "self_ban")
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """where: the place in the file, such as `rules[3] dsti_over_limit.when`."""

    where: str
    message: str


class PolicyError(ValueError):
    """A file that is no policy; `problems` names every one of them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.where}: {problem.message}" for problem in problems))


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A named constant with its unit. dated: (first day, number or numbers by the category `by`), ascending."""

    name: str
    unit: str
    source: str
    to_confirm: bool
    by: str | None
    dated: tuple[tuple[date, float | Mapping[str, float]], ...]

    def on(self, day: date) -> float | Mapping[str, float] | None:
        found = [value for start, value in self.dated if start <= day]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    unit: str
    formula: Expression
    label: Texts


@dataclass(frozen=True, slots=True)
class Rule:
    """unknown: what it asks for when what decides it is not known."""

    code: str
    kind: str
    when: Expression
    outcome: str
    unknown: str
    overridable: bool
    source: str
    reason: Texts
    private: bool
    public_reason: Texts | None


@dataclass(frozen=True, slots=True)
class Band:
    """From `start` on (None: from the lowest) and below `below` (None: up to the highest)."""

    code: str
    start: float | None
    below: float | None
    outcome: str
    reason: Texts | None


@dataclass(frozen=True, slots=True)
class Cap:
    code: str
    grades: tuple[str, ...]
    most_amount: Expression | None
    most_term_months: Expression | None
    over: str
    reason: Texts


@dataclass(frozen=True, slots=True)
class Price:
    """annual_rate gives a ratio a year."""

    annual_rate: Expression
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class People:
    """second_person_above: money of the policy's currency; None: never for the amount alone."""

    second_person_above: int | None
    override_days: int
    low_side_reasons: tuple[str, ...]
    high_side_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    on_date: date
    facts: Mapping[str, Any]
    assessment: Mapping[str, Any] | None
    expect: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Policy:
    """Two are the same only if they are one: a policy is prepared once, and kept by its digest."""

    code: str
    version: str
    segment: str
    currency: str
    valid_from: date
    title: Texts
    values: Mapping[str, DatedValue]
    features: tuple[Feature, ...]
    rules: tuple[Rule, ...]
    cut_offs_on: str | None
    bands: tuple[Band, ...]
    caps: tuple[Cap, ...]
    loss_given_default: Expression
    price: Price | None
    people: People
    freshness: Mapping[str, int]
    examples: tuple[Example, ...]
    text: str = field(repr=False)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def labels(self) -> dict[str, Texts]:
        """What features are called, by name."""
        return {feature.name: feature.label for feature in self.features}

    @cached_property
    def units(self) -> dict[str, str]:
        """The unit of everything that the file speaks of."""
        own = {value.name: value.unit for value in self.values.values()}
        return (
            {name: known.unit for name, known in names_of(self.segment).items()}
            | own
            | {feature.name: feature.unit for feature in self.features}
        )

    @cached_property
    def kinds(self) -> dict[str, str]:
        """number, text or flag, of everything that the file speaks of."""
        return {name: KIND_OF_UNIT.get(unit, NUMBER) for name, unit in self.units.items()}

    @cached_property
    def to_confirm(self) -> list[str]:
        return [value.name for value in self.values.values() if value.to_confirm]
