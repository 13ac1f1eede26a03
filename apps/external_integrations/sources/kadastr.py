"""Kadastr, the land register: docs/api/kadastr.yaml."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from rest_framework import serializers

from apps.common.fields import MoneyField, StrictFlag, StrictNumber, StrictText
from apps.common.identifiers import check_parcel
from apps.common.money import CURRENCIES
from apps.external_integrations.sources.contract import PARCEL, Client, Contract, Facts, InstantField
from apps.external_integrations.sources.inventing import chances, document, invented_name, lognormal

MOST_AREA = 10**9
LAND_USES = ("residential", "commercial", "industrial", "agricultural", "other")
# use, its share, median area in m2, spread of its logarithm, UZS per m2
USES = (
    ("residential", 0.72, 75, 0.5, 4_500_000),
    ("commercial", 0.10, 220, 0.9, 6_000_000),
    ("agricultural", 0.10, 30_000, 1.0, 12_000),
    ("industrial", 0.05, 1_500, 0.9, 1_800_000),
    ("other", 0.03, 400, 0.8, 900_000),
)
NAMED_OWNERS = 0.04


@dataclass(frozen=True, slots=True)
class KadastrRecord:
    """A parcel. Area in square metres. The owner's identifier is a PINFL or an INN."""

    identifier: str = field(repr=False)
    observed_at: datetime
    currency: str
    area_m2: int | float
    use: str
    cadastral_value: int
    is_encumbered: bool
    owner_name: str | None = field(default=None, repr=False)
    owner_identifier: str | None = field(default=None, repr=False)
    raw: str = field(default="", repr=False)

    def facts(self) -> Facts:
        return {"property_area": self.area_m2}


class KadastrReply(serializers.Serializer):
    identifier = StrictText(max_length=64)
    observed_at = InstantField()
    currency = serializers.ChoiceField(CURRENCIES)
    area_m2 = StrictNumber(min_value=0, max_value=MOST_AREA)
    use = serializers.ChoiceField(LAND_USES)
    cadastral_value = MoneyField()
    is_encumbered = StrictFlag()
    owner_name = StrictText(max_length=200, allow_null=True, required=False)
    owner_identifier = StrictText(max_length=14, allow_null=True, required=False)


class KadastrClient(Client[KadastrRecord], Protocol):
    """`identifier`: a parcel id."""


def question(identifier: str) -> dict[str, str]:
    return {"parcel_id": identifier}


def check(identifier: str, today: date) -> str:
    check_parcel(identifier)
    return PARCEL


def invent(identifier: str, now: datetime) -> str:
    """Dwellings around 75 m2. Few parcels name an owner, who is then somebody else than the applicant."""
    chance = chances("kadastr", identifier)
    use, median, spread, price = _use(next(chance))
    area = round(lognormal(next(chance), median=median, spread=spread), 1)
    value = round(area * price * lognormal(next(chance), median=1, spread=0.4))
    encumbered = next(chance) < 0.15
    owner = invented_name(next(chance)) if next(chance) < NAMED_OWNERS else None
    return document(
        identifier,
        now,
        area_m2=area,
        use=use,
        cadastral_value=value,
        is_encumbered=encumbered,
        owner_name=owner,
        owner_identifier=None,
    )


def _use(chance: float) -> tuple[str, float, float, float]:
    for use, share, median, spread, price in USES:
        if chance < share:
            return use, median, spread, price
        chance -= share
    return USES[-1][0], *USES[-1][2:]


KADASTR = Contract(
    code="kadastr",
    path="/v1/parcels/lookup",
    question=question,
    reply=KadastrReply,
    record=KadastrRecord,
    invent=invent,
    check=check,
)
