"""What rescoring reads of many requests, as tuples with the names of the models: instances would take longer to make
than the scorings.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.common.crypto import unseal
from apps.companies.models import Company
from apps.credit_requests.models import CreditRequest


class StoredKey(NamedTuple):
    id: UUID
    key_id: str
    wrapped: bytes
    destroyed_at: datetime | None


class StoredPerson(NamedTuple):
    id: UUID
    sealed: bytes
    updated_at: datetime
    data_key: StoredKey

    @property
    def profile(self) -> dict[str, Any]:
        return unseal(self.data_key, self.sealed, f"individual:{self.id}")


class StoredVersion(NamedTuple):
    id: UUID
    sealed: bytes
    origin: str
    data_key: StoredKey

    @property
    def context(self) -> str:
        return f"external_record_version:{self.id}"


class StoredRecord(NamedTuple):
    source: str
    observed_at: datetime | None
    checked_at: datetime | None
    current: StoredVersion | None


class StoredRequest(NamedTuple):
    """latest: the inputs digest of its newest prediction; records: by their ids."""

    id: UUID
    branch_id: UUID
    requested_amount: int
    term_months: int
    purpose: str
    currency: str
    updated_at: datetime
    prediction_id: UUID | None
    latest: str | None
    individual: StoredPerson | None
    company: Company | None
    records: list[StoredRecord]

    @property
    def applicant(self) -> StoredPerson | Company:
        return self.individual or self.company

    @property
    def segment(self) -> str:
        return "company" if self.individual is None else "individual"


KEY = ("id", "key_id", "wrapped", "destroyed_at")
PERSON = ("id", "sealed", "updated_at", *(f"data_key__{column}" for column in KEY))
VERSION = ("id", "sealed", "origin", *(f"data_key__{column}" for column in KEY))
RECORD = ("source", "observed_at", "checked_at", *(f"current__{column}" for column in VERSION))
OWN = ("id", "branch_id", "requested_amount", "term_months", "purpose", "currency", "updated_at", "prediction_id")
REQUEST = (*OWN, "prediction__inputs_digest", "company_id", *(f"individual__{column}" for column in PERSON))


def read_requests(ids: Collection[UUID]) -> list[StoredRequest]:
    """By id, those that are undecided, with all that their scoring needs; in three or four queries."""
    rows = list(CreditRequest.objects.undecided().filter(id__in=ids).order_by("id").values_list(*REQUEST))
    records, companies = _records(ids), _companies({row[9] for row in rows})
    return [_request(row, companies, records[row[0]]) for row in rows]


def _request(row: tuple, companies: dict[UUID, Company], records: list[StoredRecord]) -> StoredRequest:
    own, company_id, person = row[:9], row[9], row[10:]
    individual = None if person[0] is None else StoredPerson(*person[:3], StoredKey(*person[3:]))
    return StoredRequest(*own, individual, companies.get(company_id), records)


def _records(ids: Collection[UUID]) -> dict[UUID, list[StoredRecord]]:
    ties = CreditRequest.external_records.through.objects.filter(creditrequest_id__in=ids).order_by("externalrecord_id")
    found = defaultdict(list)
    for request_id, *row in ties.values_list("creditrequest_id", *(f"externalrecord__{column}" for column in RECORD)):
        version = None if row[3] is None else StoredVersion(*row[3:6], StoredKey(*row[6:]))
        found[request_id].append(StoredRecord(*row[:3], version))
    return found


def _companies(ids: Iterable[UUID | None]) -> dict[UUID, Company]:
    """Few apply, and their statements are many: these stay instances."""
    wanted = [company_id for company_id in ids if company_id is not None]
    return Company.objects.select_related("data_key").prefetch_related("statements").in_bulk(wanted) if wanted else {}
