"""What is known of a request: applicant, request and external records, each fact with its source and time.

The applicant's own data win; what only a record can say (declared income and revenue, tax debt, area) comes from
records alone. `yearly_income` of a person who gave none is the income that Soliq declares. A credit bureau knows a
history better than the person: what its record says holds, but for debts, where the larger sum does. While a source has
never answered for a record, the facts that nobody else told are unavailable, which is not missing: the applicant hides
nothing. A source that may not be asked for want of a consent leaves them missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import fsum

from apps.common.days import lender_today
from apps.common.facts import Found
from apps.companies.facts import company_facts
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.stored import StoredRecord, StoredRequest
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.reading import record_facts, usable_version
from apps.external_integrations.sources.bureau import COUNTS, DEBTS
from apps.individuals.facts import SOURCES, individual_facts
from apps.individuals.income import SALARY_X_12
from apps.scoring_engine.ml.vocabulary import FACTS

# source -> segment -> the facts that only this source can say
OF_RECORDS = {
    "soliq": {
        "individual": frozenset({"declared_yearly_income", "tax_debt"}),
        "company": frozenset({"declared_revenue", "tax_debt"}),
    },
    "kadastr": {"individual": frozenset({"property_area"}), "company": frozenset({"property_area"})},
    "bureau": {"individual": frozenset({*COUNTS, *DEBTS, "credit_history_score"})},
}

NET_PAY = SOURCES[SALARY_X_12]


@dataclass(frozen=True, slots=True)
class Gathered:
    facts: dict[str, Found]
    unavailable: frozenset[str]


def gather_facts(
    credit_request: CreditRequest | StoredRequest,
    *,
    now: datetime,
    records: Sequence[ExternalRecord | StoredRecord] | None = None,
) -> Gathered:
    """The facts of the request as they are stored now; nothing is fetched. `records`: its own by id, once read."""
    if records is None:
        records = list(credit_request.external_records.select_related("current__data_key").order_by("id"))
    told = _of_records(records, credit_request.currency, now)
    facts = applicant_facts(credit_request, now) | _request_facts(credit_request)
    down = _facts_of_sources_down(records, credit_request.segment) - _told_otherwise(facts)
    facts |= {name: found for name, found in told.items() if name not in down}
    facts = _with_history(facts, records, credit_request.currency, now)
    return _with_income(facts, down) if credit_request.segment == "individual" else Gathered(facts, down)


def _told_otherwise(facts: Mapping[str, Found]) -> frozenset[str]:
    """Of what a bureau says, the facts that a person told or an earlier report."""
    return OF_RECORDS["bureau"]["individual"] & facts.keys()


def _with_history(
    facts: dict[str, Found], records: Iterable[ExternalRecord | StoredRecord], currency: str, now: datetime
) -> dict[str, Found]:
    for record in records:
        if record.source == "bureau":
            told = record_facts(record, now=now, currency=currency)
            facts = facts | {name: found for name, found in told.items() if not _is_less_debt(name, found, facts)}
    return facts


def _is_less_debt(name: str, found: Found, facts: Mapping[str, Found]) -> bool:
    return name in DEBTS and name in facts and facts[name].value > found.value


def _with_income(facts: dict[str, Found], down: frozenset[str]) -> Gathered:
    """Declared gross income stands in for one that was not given; it also beats net pay x 12, which understates."""
    given = facts.get("yearly_income")
    if given is not None and given.source != NET_PAY:
        return Gathered(facts, down)
    if "declared_yearly_income" in facts:
        return Gathered(facts | {"yearly_income": facts["declared_yearly_income"]}, down)
    if given is None and "declared_yearly_income" in down:
        return Gathered(facts, down | {"yearly_income"})
    return Gathered(facts, down)


def applicant_facts(credit_request: CreditRequest | StoredRequest, now: datetime) -> dict[str, Found]:
    if credit_request.individual is not None:
        return individual_facts(credit_request.individual)
    return company_facts(credit_request.company, today=lender_today(now))


def _request_facts(credit_request: CreditRequest | StoredRequest) -> dict[str, Found]:
    return {
        name: Found(getattr(credit_request, name), "request", credit_request.updated_at)
        for name in ("requested_amount", "term_months", "purpose")
    }


def _facts_of_sources_down(records: Iterable[ExternalRecord], segment: str) -> frozenset[str]:
    return frozenset().union(*(OF_RECORDS[record.source][segment] for record in records if is_down(record)))


def _of_records(records: list[ExternalRecord], currency: str, now: datetime) -> dict[str, Found]:
    """Sums in another currency than the request's are left out: they cannot be compared."""
    facts = {}
    for record in records:
        if record.source == "soliq":
            facts |= record_facts(record, now=now, currency=currency)
    return facts | _property_area([record for record in records if record.source == "kadastr"], now)


def _property_area(parcels: list[ExternalRecord], now: datetime) -> dict[str, Found]:
    """The area of all parcels together, as old as the oldest of them, and as invented as the least real of them."""
    areas = [area for parcel in parcels if (area := record_facts(parcel, now=now).get("property_area"))]
    if not areas:
        return {}
    oldest = min(areas, key=lambda area: area.at)
    origin = "mock" if any(area.origin == "mock" for area in areas) else oldest.origin
    together = min(fsum(area.value for area in areas), FACTS["individual"]["property_area"].most)
    stale = any(area.is_stale for area in areas)
    return {"property_area": replace(oldest, value=together, origin=origin, is_stale=stale)}


def is_down(record: ExternalRecord) -> bool:
    """Nothing usable has come yet. A source that answered and knows nothing leaves its facts missing instead."""
    answered_nothing = record.checked_at is not None and record.current is None
    return usable_version(record) is None and not answered_nothing
