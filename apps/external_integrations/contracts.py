"""The replies of the sources as docs/api/soliq.yaml and docs/api/kadastr.yaml describe them: typed, bounded, frozen.

Fields that the contract does not have are passed over, so that a source may grow; the raw reply keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from rest_framework import serializers

from apps.common.errors import InvalidInput
from apps.common.fields import MoneyField, StrictFlag, StrictNumber, StrictText
from apps.common.money import CURRENCIES
from apps.common.strict_json import parse_json
from apps.external_integrations.errors import ReplyMalformed, ReplyNotAsAgreed

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=1)
MOST_AREA = 10**9
LAND_USES = ("residential", "commercial", "industrial", "agricultural", "other")


class Record(Protocol):
    """What every source's record has. `raw` is the reply as it came."""

    identifier: str
    observed_at: datetime
    currency: str
    raw: str

    def facts(self) -> dict[str, int | float]:
        """Facts of the scoring vocabulary."""


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
    raw: str = field(repr=False)

    def facts(self) -> dict[str, int | float]:
        """A person (14 digits) declares income; a business (9 digits, old personal numbers of traders too) revenue."""
        person = len(self.identifier) == 14
        name = "declared_yearly_income" if person else "declared_revenue"
        declared = self.declared_yearly_income if person else self.declared_revenue
        return {"tax_debt": self.tax_debt} | ({} if declared is None else {name: declared})


@dataclass(frozen=True, slots=True)
class KadastrRecord:
    """A parcel. Area in square metres."""

    identifier: str = field(repr=False)
    observed_at: datetime
    currency: str
    area_m2: int | float
    use: str
    cadastral_value: int
    is_encumbered: bool
    raw: str = field(repr=False)

    def facts(self) -> dict[str, int | float]:
        return {"property_area": self.area_m2}


class InstantField(serializers.Field):
    """ISO 8601 with an offset, after 1990 and not in the future (a day of clock skew allowed)."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(data).astimezone(UTC)
            if datetime.fromisoformat(data).tzinfo is None or moment < EARLIEST:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise serializers.ValidationError("allowed is a time with offset, after 1990") from None
        if moment > self.context["now"] + CLOCK_SKEW:
            raise serializers.ValidationError("the time lies in the future")
        return moment


class SoliqReply(serializers.Serializer):
    identifier = StrictText(max_length=14)
    observed_at = InstantField()
    currency = serializers.ChoiceField(CURRENCIES)
    declared_yearly_income = MoneyField(allow_null=True)
    declared_revenue = MoneyField(allow_null=True)
    taxes_paid = MoneyField()
    tax_debt = MoneyField()


class KadastrReply(serializers.Serializer):
    identifier = StrictText(max_length=64)
    observed_at = InstantField()
    currency = serializers.ChoiceField(CURRENCIES)
    area_m2 = StrictNumber(min_value=0, max_value=MOST_AREA)
    use = serializers.ChoiceField(LAND_USES)
    cadastral_value = MoneyField()
    is_encumbered = StrictFlag()


def read_soliq(raw: str, identifier: str, now: datetime) -> SoliqRecord:
    return SoliqRecord(**_checked(SoliqReply, raw, identifier, now), raw=raw)


def read_kadastr(raw: str, identifier: str, now: datetime) -> KadastrRecord:
    return KadastrRecord(**_checked(KadastrReply, raw, identifier, now), raw=raw)


def _checked(contract: type[serializers.Serializer], raw: str, identifier: str, now: datetime) -> Mapping[str, Any]:
    """The fields of the contract. Raises ReplyMalformed or ReplyNotAsAgreed, naming fields but no values."""
    try:
        document = parse_json(raw.encode())
    except InvalidInput:
        raise ReplyMalformed("The source sent what cannot be read as JSON with finite numbers.") from None
    reply = contract(data=document, context={"now": now})
    if not reply.is_valid():
        raise ReplyNotAsAgreed(f"The source sent a reply that breaks its contract in: {', '.join(reply.errors)}.")
    if reply.validated_data["identifier"] != identifier:
        raise ReplyNotAsAgreed("The source sent the record of another identifier than was asked for.")
    return reply.validated_data
