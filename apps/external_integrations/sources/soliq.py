"""Soliq, the tax register: docs/api/soliq.yaml."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from rest_framework import serializers

from apps.common.fields import MoneyField, StrictText
from apps.common.identifiers import check_inn_or_pinfl
from apps.common.money import CURRENCIES
from apps.external_integrations.sources.contract import COMPANY, PERSON, Client, Contract, Facts, InstantField
from apps.external_integrations.sources.inventing import chances, document, lognormal

PINFL_DIGITS = 14


@dataclass(frozen=True, slots=True)
class SoliqRecord:
    """A taxpayer. Sums are whole units of `currency`, those of a year are of the last closed one."""

    identifier: str = field(repr=False)
    observed_at: datetime
    currency: str
    declared_yearly_income: int | None
    declared_revenue: int | None
    taxes_paid: int
    tax_debt: int
    name: str | None = field(default=None, repr=False)
    raw: str = field(default="", repr=False)

    def facts(self) -> Facts:
        """A person (14 digits) declares income; a business (9 digits, old personal numbers of traders too) revenue."""
        person = len(self.identifier) == PINFL_DIGITS
        name = "declared_yearly_income" if person else "declared_revenue"
        declared = self.declared_yearly_income if person else self.declared_revenue
        return {"tax_debt": self.tax_debt} | ({} if declared is None else {name: declared})


class SoliqReply(serializers.Serializer):
    identifier = StrictText(max_length=14)
    observed_at = InstantField()
    currency = serializers.ChoiceField(CURRENCIES)
    declared_yearly_income = MoneyField(allow_null=True)
    declared_revenue = MoneyField(allow_null=True)
    taxes_paid = MoneyField()
    tax_debt = MoneyField()
    name = StrictText(max_length=200, allow_null=True, required=False)


class SoliqClient(Client[SoliqRecord], Protocol):
    """`identifier`: an INN of 9 digits or a PINFL of 14."""


def question(identifier: str) -> dict[str, str]:
    return {"pinfl" if len(identifier) == PINFL_DIGITS else "inn": identifier}


def check(identifier: str, today: date) -> str:
    check_inn_or_pinfl(identifier, today=today)
    return PERSON if len(identifier) == PINFL_DIGITS else COMPANY


def invent(identifier: str, now: datetime) -> str:
    """A declared yearly income around 60 million, turnovers around 2 billion, tax debts rare."""
    chance = chances("soliq", identifier)
    person = len(identifier) == PINFL_DIGITS
    median, spread, tax = (60_000_000, 0.6, 0.12) if person else (2_000_000_000, 1.4, 0.04)
    declared = round(lognormal(next(chance), median=median, spread=spread))
    in_debt = next(chance) > (0.92 if person else 0.8)
    debt = round(declared * lognormal(next(chance), median=0.02, spread=0.8)) if in_debt else 0
    return document(
        identifier,
        now,
        declared_yearly_income=declared if person else None,
        declared_revenue=None if person else declared,
        taxes_paid=round(declared * tax * (0.8 + 0.4 * next(chance))),
        tax_debt=debt,
        name=None,  # a mock cannot know whom an identifier belongs to
    )


SOLIQ = Contract(
    code="soliq",
    path="/v1/taxpayers/lookup",
    question=question,
    reply=SoliqReply,
    record=SoliqRecord,
    invent=invent,
    check=check,
    sums=frozenset({"declared_yearly_income", "declared_revenue", "tax_debt"}),
    asks_consent=True,
)
