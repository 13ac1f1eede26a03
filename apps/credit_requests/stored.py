"""What rescoring reads of many requests, as tuples with the names of the models: instances would take longer to make
than the scorings.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.common.crypto import KeptKey, unseal
from apps.companies.models import Company
from apps.credit_requests.models import CreditRequest


class StoredPerson(NamedTuple):
    id: UUID
    sealed: bytes
    updated_at: datetime
    data_key: KeptKey

    @property
    def profile(self) -> dict[str, Any]:
        return unseal(self.data_key, self.sealed, f"individual:{self.id}")


class StoredVersion(NamedTuple):
    id: UUID
    sealed: bytes
    origin: str
    data_key: KeptKey

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
    rows = list(CreditRequest.objects.undecided().filter(id__any_of=ids).order_by("id").values_list(*REQUEST))
    keys = _Keys()
    records, companies = _records(ids, keys), _companies({row[9] for row in rows})
    return [_request(row, companies, records[row[0]], keys) for row in rows]


class _Keys(dict[UUID, KeptKey]):
    """A person and the records of this person share one key, which is kept once, so that it is unwrapped once."""

    def of(self, columns: Sequence[Any]) -> KeptKey:
        return self.get(columns[0]) or self.setdefault(columns[0], KeptKey(*columns))


def _request(row: tuple, companies: dict[UUID, Company], records: list[StoredRecord], keys: _Keys) -> StoredRequest:
    own, company_id, person = row[:9], row[9], row[10:]
    individual = None if person[0] is None else StoredPerson(*person[:3], keys.of(person[3:]))
    return StoredRequest(*own, individual, companies.get(company_id), records)


def _records(ids: Collection[UUID], keys: _Keys) -> dict[UUID, list[StoredRecord]]:
    ties = CreditRequest.external_records.through.objects.filter(creditrequest_id__any_of=ids).order_by(
        "externalrecord_id"
    )
    found = defaultdict(list)
    for request_id, *row in ties.values_list("creditrequest_id", *(f"externalrecord__{column}" for column in RECORD)):
        version = None if row[3] is None else StoredVersion(*row[3:6], keys.of(row[6:]))
        found[request_id].append(StoredRecord(*row[:3], version))
    return found


def _companies(ids: Iterable[UUID | None]) -> dict[UUID, Company]:
    """Few apply, and their statements are many: these stay instances."""
    wanted = [company_id for company_id in ids if company_id is not None]
    return Company.objects.select_related("data_key").prefetch_related("statements").in_bulk(wanted) if wanted else {}
