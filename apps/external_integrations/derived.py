"""What a version says to a person who looks at it: typed facts, each with unit, source, origin and age.

Facts are read again from the raw reply by the source's own reader, so that a version stored before a field was added
stays readable, and one stored since tells it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from apps.common.crypto import mask, unseal
from apps.common.person_names import is_same_person
from apps.external_integrations.as_of import Held
from apps.external_integrations.errors import ReplyMalformed, ReplyNotAsAgreed
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.reading import read_version
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import Record
from apps.external_integrations.sources.kadastr import KadastrRecord
from apps.external_integrations.sources.soliq import PINFL_DIGITS

log = structlog.get_logger("external_integrations")
NAME, IDENTIFIER = "name", "identifier"
# source -> field of its record -> unit; {currency} is that of the record
UNITS = {
    "soliq": {
        "declared_yearly_income": "{currency} per year",
        "declared_revenue": "{currency} per year",
        "taxes_paid": "{currency} per year",
        "tax_debt": "{currency}",
        "name": NAME,
    },
    "kadastr": {
        "area_m2": "m2",
        "use": "category",
        "cadastral_value": "{currency}",
        "is_encumbered": "flag",
        "owner_name": NAME,
        "owner_identifier": IDENTIFIER,
    },
    "bureau": {
        "credit_history_score": "katm_0_500",
        "inquiries_6m": "count",
        "delinquencies_24m": "count",
        "open_accounts": "count",
        "public_records": "count",
        "revolving_utilisation": "ratio",
        "oldest_account_date": "day",
        "existing_debt": "{currency}",
        "monthly_debt_payments": "{currency} per month",
        "self_banned": "flag",
        "name": NAME,
    },
}
NAMES = {"area_m2": "property_area", "use": "property_use"}


@dataclass(frozen=True, slots=True)
class DerivedFact:
    """`unit` names the currency of money. Ages count from the source's time."""

    name: str
    value: int | float | str | bool
    unit: str
    source: str
    origin: str
    observed_at: datetime
    fetched_at: datetime
    age_days: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a record is held against: an applicant, by the name and the PINFL or INN of their profile."""

    name: str
    identifier: str

    @property
    def is_person(self) -> bool:
        return len(self.identifier) == PINFL_DIGITS


def identifier_of(record: ExternalRecord) -> str:
    """Raises DataErased."""
    return unseal(record.data_key, record.sealed, record.context)["identifier"]


def read_again(record: ExternalRecord, version: ExternalRecordVersion) -> Record | None:
    """The version as its source's reader reads it today; None where today's contract would refuse it. Raises
    DataErased.
    """
    raw, identifier = read_version(version).raw, identifier_of(record)
    try:
        return SOURCES[record.source].read(raw, identifier, version.fetched_at)
    except (ReplyMalformed, ReplyNotAsAgreed) as error:
        log.warning("version_unreadable", version_id=str(version.id), source=record.source, error=type(error).__name__)
        return None


def derived_facts(
    held: Held, told: Record, *, now: datetime, subject: Subject | None = None, masked: bool = False
) -> list[DerivedFact]:
    """Only what is known; `subject`: to say whether the owner of a parcel is theirs. Identifiers are always masked,
    names where `masked`.
    """
    return [
        _fact(held, name, _shown(value, unit, masked), unit, now) for name, value, unit in _known(told, held, subject)
    ]


def _known(told: Record, held: Held, subject: Subject | None) -> Iterator[tuple[str, object, str]]:
    for field, unit in UNITS[held.record.source].items():
        if (value := getattr(told, field)) is not None:
            yield NAMES.get(field, field), value, unit.format(currency=told.currency)
    if (
        isinstance(told, KadastrRecord)
        and subject is not None
        and (matches := owner_matches(told, subject)) is not None
    ):
        yield "owner_matches", matches, "flag"


def _shown(value: object, unit: str, masked: bool) -> int | float | str | bool:
    if unit == IDENTIFIER or (unit == NAME and masked):
        return mask(value)
    return value.isoformat() if isinstance(value, date) else value


def _fact(held: Held, name: str, value: int | float | str | bool, unit: str, now: datetime) -> DerivedFact:
    version, source = held.version, held.record.source
    ages = (held.age_days(now), held.is_stale(now))
    return DerivedFact(name, value, unit, source, version.origin, held.observed_at, version.fetched_at, *ages)


def owner_matches(told: KadastrRecord, subject: Subject) -> bool | None:
    """By the owner's identifier where it can be compared, else by the name; None where the register gives neither.

    A person's old INN has nine digits, and the profile holds the PINFL alone: such an owner is known by the name.
    """
    owner = told.owner_identifier
    if owner is not None and (len(owner) == len(subject.identifier) or not subject.is_person):
        return owner == subject.identifier
    return name_matches(told.owner_name, subject)


def name_matches(name: str | None, subject: Subject) -> bool | None:
    """None where the register gives no name."""
    return None if name is None else is_same_person(name, subject.name)
