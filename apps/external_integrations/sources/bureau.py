"""A credit bureau, KATM-like: docs/api/bureau.yaml."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from rest_framework import serializers

from apps.common.fields import DayField, MoneyField, StrictFlag, StrictInteger, StrictNumber, StrictText
from apps.common.identifiers import check_pinfl
from apps.common.money import CURRENCIES
from apps.external_integrations.sources.contract import PERSON, Client, Contract, Facts, InstantField
from apps.external_integrations.sources.inventing import NORMAL, chances, count, document, lognormal

SCALE, MOST_SCORE, MOST_COUNT = "katm_0_500", 500, 1000
COUNTS = ("inquiries_6m", "delinquencies_24m", "open_accounts", "public_records")
DEBTS = ("existing_debt", "monthly_debt_payments")


@dataclass(frozen=True, slots=True)
class BureauRecord:
    """A person's credit history. Sums are whole units of `currency`; utilisation 1 is all limits in use.

    self_banned: whether the person's own ban on credit stands in the register; None: the bureau does not say.
    """

    identifier: str = field(repr=False)
    observed_at: datetime
    currency: str
    credit_history_score: int | None
    inquiries_6m: int
    delinquencies_24m: int
    open_accounts: int
    public_records: int
    revolving_utilisation: int | float | None
    oldest_account_date: date | None
    existing_debt: int
    monthly_debt_payments: int
    self_banned: bool | None
    name: str | None = field(default=None, repr=False)
    raw: str = field(default="", repr=False)

    def facts(self) -> Facts:
        told: Facts = {name: getattr(self, name) for name in (*COUNTS, *DEBTS)}
        if self.credit_history_score is not None:
            told |= {"credit_history_score": self.credit_history_score, "credit_history_scale": SCALE}
        if self.revolving_utilisation is not None:
            told["revolving_utilisation"] = self.revolving_utilisation
        if self.oldest_account_date is not None:
            told["oldest_account_date"] = self.oldest_account_date.isoformat()
        return told


class BureauReply(serializers.Serializer):
    identifier = StrictText(max_length=14)
    observed_at = InstantField()
    currency = serializers.ChoiceField(CURRENCIES)
    credit_history_score = StrictInteger(min_value=0, max_value=MOST_SCORE, allow_null=True)
    inquiries_6m = StrictInteger(min_value=0, max_value=MOST_COUNT)
    delinquencies_24m = StrictInteger(min_value=0, max_value=MOST_COUNT)
    open_accounts = StrictInteger(min_value=0, max_value=MOST_COUNT)
    public_records = StrictInteger(min_value=0, max_value=MOST_COUNT)
    revolving_utilisation = StrictNumber(min_value=0, max_value=10, allow_null=True)
    oldest_account_date = DayField(allow_null=True)
    existing_debt = MoneyField()
    monthly_debt_payments = MoneyField()
    self_banned = StrictFlag(allow_null=True)
    name = StrictText(max_length=200, allow_null=True, required=False)


class BureauClient(Client[BureauRecord], Protocol):
    """`identifier`: a PINFL of 14 digits."""


def question(identifier: str) -> dict[str, str]:
    return {"pinfl": identifier}


def check(identifier: str, today: date) -> str:
    check_pinfl(identifier, today=today)
    return PERSON


def invent(identifier: str, now: datetime) -> str:
    """One in ten has no history; scores around 330; few late payments; bans rare."""
    chance = chances("bureau", identifier)
    has_history = next(chance) > 0.1
    score = _score(next(chance)) if has_history else None
    debt = round(lognormal(next(chance), median=12_000_000, spread=1.1)) if has_history and next(chance) < 0.6 else 0
    return document(
        identifier,
        now,
        credit_history_score=score,
        inquiries_6m=count(next(chance), (0.55, 0.25, 0.12, 0.05)),
        delinquencies_24m=count(next(chance), (0.85, 0.1, 0.03)) if has_history else 0,
        open_accounts=count(next(chance), (0.3, 0.4, 0.2)) if has_history else 0,
        public_records=1 if has_history and next(chance) < 0.01 else 0,
        revolving_utilisation=round(next(chance), 2) if has_history else None,
        oldest_account_date=_opened(next(chance)) if has_history else None,
        existing_debt=debt,
        monthly_debt_payments=round(debt / 18),
        self_banned=next(chance) < 0.01,
        name=None,
    )


def _score(chance: float) -> int:
    return round(min(max(330 + 70 * NORMAL.inv_cdf(chance), 0), MOST_SCORE))


def _opened(chance: float) -> str:
    return (date(2015, 1, 1) + timedelta(days=round(chance * 3650))).isoformat()


BUREAU = Contract(
    code="bureau",
    path="/v1/people/lookup",
    question=question,
    reply=BureauReply,
    record=BureauRecord,
    invent=invent,
    check=check,
    sums=frozenset(DEBTS),
    asks_consent=True,
)
