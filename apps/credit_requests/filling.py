"""What search and queue need of rows that were there before them. Run again, it goes on with what is missing."""

from collections.abc import Callable, Iterator
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.common.background import heartbeat
from apps.common.crypto import InvalidTag
from apps.common.errors import DomainError
from apps.common.name_words import keep_name_words
from apps.companies.models import Company
from apps.credit_requests.facts import gather_facts
from apps.credit_requests.marks import OF_FACTS, has_contradiction, is_thin_file
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import lock_request
from apps.individuals.models import Individual

log = structlog.get_logger("filling")


def fill_search() -> dict[str, int]:
    """Words of names, and marks of requests as of now. What cannot be read is counted and logged, and stays unfound."""
    people, companies = (_without_words(model) for model in (Individual, Company))
    unmarked = CreditRequest.objects.filter(has_contradiction=None, prediction__isnull=False)
    unerased = unmarked.exclude(individual__data_key__destroyed_at__isnull=False).exclude(
        company__data_key__destroyed_at__isnull=False
    )
    counts = {"unreadable": 0}
    for what, rows, fill in (("people", people, _name), ("companies", companies, _name), ("requests", unerased, _mark)):
        outcomes = [_try(fill, row_id, rows.model) for row_id in _ids(rows)]
        counts[what] = sum(outcomes)
        counts["unreadable"] += len(outcomes) - counts[what]
    return counts


def _without_words(model: type[Individual] | type[Company]) -> QuerySet:
    return model.objects.filter(data_key__destroyed_at=None, data_key__name_words=None)


def _ids(rows: QuerySet) -> Iterator[UUID]:
    """Read at once: what is filled meanwhile leaves the rows."""
    yield from list(rows.order_by("id").values_list("id", flat=True))


def _try(fill: Callable[[type, UUID], None], row_id: UUID, model: type) -> bool:
    heartbeat()
    try:
        with transaction.atomic():
            fill(model, row_id)
    except (DomainError, InvalidTag) as error:
        log.warning("not_filled", subject=str(row_id), of=model.__name__, error=type(error).__name__)
        return False
    return True


def _name(model: type[Individual] | type[Company], row_id: UUID) -> None:
    """Held: a change of the name that comes meanwhile waits, and writes its own words."""
    list(model.objects.select_for_update().filter(id=row_id).values_list("id"))
    row = model.objects.select_related("data_key").get(id=row_id)
    keep_name_words(row.data_key, row.profile["full_name" if model is Individual else "company_name"])


def _mark(model: type[CreditRequest], row_id: UUID) -> None:
    held, now = lock_request(row_id), timezone.now()
    records = list(held.external_records.select_related("data_key", "current__data_key").order_by("id"))
    gathered = gather_facts(held, now=now, records=records)
    held.has_contradiction = has_contradiction(held, records, now)
    held.is_thin_file = is_thin_file(held.segment, gathered.facts)
    held.save(update_fields=OF_FACTS)
