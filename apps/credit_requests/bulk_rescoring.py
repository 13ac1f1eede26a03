"""Rescoring all undecided requests, a chunk in one transaction: after another model came into service.

Each request gets what rescoring.py would give it alone: the same row, events and time of the last check, or none. The
facts of a chunk are read in few queries; what is new is written by COPY, and the requests by one UPDATE FROM.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from uuid import UUID

import django
import structlog
from django.db import connection, transaction
from django.utils import timezone

from apps.audit.services import Told, insert_events
from apps.common.background import heartbeat
from apps.common.crypto import InvalidTag, open_key
from apps.common.errors import DomainError
from apps.common.facts import Found
from apps.credit_requests.facts import gather_facts
from apps.credit_requests.marks import OF_PREDICTION, marks_of
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import Counts, no_counts
from apps.credit_requests.stored import StoredRequest, read_requests
from apps.scoring_engine.log_rows import LogRow, insert_log
from apps.scoring_engine.metrics import report_bulk
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.preparing import Asked, InService, Prepared, hold_models, prepare, told
from apps.scoring_engine.services import creation_details

log = structlog.get_logger("rescoring")
# So many take about half a second (benchmarks/bulk.py), for which no model can be promoted.
CHUNK = 500
UPDATE = """
UPDATE credit_requests_creditrequest request
SET prediction_id = new.prediction_id, last_checked_at = %s, score = new.score, grade = new.grade,
    is_fallback = new.is_fallback, is_demonstration = new.is_demonstration
FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::bool[], %s::bool[])
    AS new (id, prediction_id, score, grade, is_fallback, is_demonstration)
WHERE request.id = new.id
"""
Outcomes = list[tuple[StoredRequest, Prepared]]


Part = tuple[int, int]
ALL: Part = (0, 1)


def rescore_undecided(*, now: datetime | None = None, chunk: int = CHUNK, part: Part = ALL) -> Counts:
    """Every undecided request, by id. One cause a model and its coming into service: run again, it writes nothing.

    `part`: only those of one part of so many, counted from 0, which have about as many requests each.
    """
    now, counts, after = now or timezone.now(), no_counts(), None
    while ids := _next(part, after, chunk):
        for outcome, number in rescore_chunk(ids, now=now).items():
            counts[outcome] += number
        heartbeat()
        after = ids[-1]
    return counts


def rescore_in_processes(workers: int) -> Counts:
    """The same by so many processes at once, each with a part of the requests."""
    context, parts = get_context("spawn"), [(place, workers) for place in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=context, initializer=django.setup) as pool:
        counts = sum(map(Counter, pool.map(_rescore_part, parts)), Counter())
    return no_counts() | counts


def _rescore_part(part: Part) -> Counts:
    return rescore_undecided(part=part)


def _next(part: Part, after: UUID | None, chunk: int) -> list[UUID]:
    place, parts = part
    waiting = CreditRequest.objects.undecided().filter(id__gte=_first_id(place, parts)).order_by("id")
    if place + 1 < parts:
        waiting = waiting.filter(id__lt=_first_id(place + 1, parts))
    waiting = waiting if after is None else waiting.filter(id__gt=after)
    return list(waiting.values_list("id", flat=True)[:chunk])


def _first_id(place: int, parts: int) -> UUID:
    """Ids are random, so equal spans of them hold about as many requests."""
    return UUID(int=(place << 128) // parts)


@transaction.atomic
def rescore_chunk(ids: Sequence[UUID], *, now: datetime, cause: str | None = None) -> Counts:
    """Those of `ids` that are undecided still. Without a cause, the model that is in service is the cause."""
    found = _held(ids)
    held = [request for request in found if request.applicant.data_key.destroyed_at is None]
    models = {segment: hold_models(segment, now) for segment in sorted({request.segment for request in held})}
    causes = {segment: cause or _cause(of_segment) for segment, of_segment in models.items()}
    standing = _standing(held, causes.values())
    outcomes, counts = [], no_counts()
    for request in held:
        prepared = _prepared(request, models[request.segment], causes[request.segment], standing, now)
        if prepared is not None:
            outcomes.append((request, prepared))
    changed = sum(prepared.row is not None for _, prepared in outcomes)
    _write(outcomes, now)
    counts["checked"], counts["erased"] = len(found), len(found) - len(held)
    counts["failed"] = len(held) - len(outcomes)
    counts["rescored"], counts["unchanged"] = changed, len(outcomes) - changed
    return counts


def _cause(models: InService) -> str:
    """A model that comes back after another is another cause."""
    return f"model:{models.champion.scorer.digest}:{models.champion.since:%Y%m%dT%H%M%S}"


def _held(ids: Sequence[UUID]) -> list[StoredRequest]:
    """Locked first, in one order, and read after: see rescoring.lock_request."""
    undecided = CreditRequest.objects.undecided()
    locked = list(undecided.select_for_update().filter(id__any_of=ids).order_by("id").values_list("id", flat=True))
    return read_requests(locked)


def _standing(held: Iterable[StoredRequest], causes: Iterable[str]) -> set[tuple[UUID, str]]:
    ids = [request.id for request in held]
    rows = PredictionLog.objects.filter(request_id__any_of=ids, cause__in=set(causes))
    return set(rows.values_list("request_id", "cause"))


def _prepared(
    request: StoredRequest, models: InService, cause: str, standing: set[tuple[UUID, str]], now: datetime
) -> Prepared | None:
    """None for one that cannot be scored, which holds nobody up."""
    try:
        if (request.id, cause) in standing:
            return Prepared(None)
        gathered = gather_facts(request, now=now, records=request.records)
        return prepare(models, _asked(request, gathered.facts, gathered.unavailable, cause))
    except (DomainError, InvalidTag) as error:
        log.warning("rescoring_failed", credit_request=str(request.id), cause=cause, error=type(error).__name__)
        return None


def _asked(request: CreditRequest, facts: dict[str, Found], unavailable: frozenset[str], cause: str) -> Asked:
    values, sources = told(facts)
    return Asked(
        segment=request.segment,
        facts=values,
        sources=sources,
        unavailable=unavailable,
        currency=request.currency,
        key=open_key(request.applicant.data_key),
        branch_id=request.branch_id,
        actor_id=None,
        cause=cause,
        request_id=request.id,
        latest=request.latest,
    )


def _write(outcomes: Outcomes, now: datetime) -> None:
    changed = [(request, prepared) for request, prepared in outcomes if prepared.row is not None]
    insert_log(row for _, prepared in changed for row in prepared.rows)
    insert_events(None, (event for request, prepared in changed for event in _events(request, prepared.row)))
    unchanged = [request.id for request, prepared in outcomes if prepared.row is None]
    CreditRequest.objects.filter(id__any_of=unchanged).update(last_checked_at=now)
    _update({request.id: prepared.row for request, prepared in changed}, now)
    for segment in SEGMENTS:
        rows = [prepared.row for request, prepared in changed if request.segment == segment]
        if rows:
            transaction.on_commit(partial(report_bulk, rows))


def _events(request: StoredRequest, row: LogRow) -> list[Told]:
    before = request.prediction_id and str(request.prediction_id)
    details = {"cause": row.cause, "prediction": str(row.id), "before": before}
    return [
        ("prediction.create", PredictionLog, row.id, creation_details(row)),
        ("credit_request.score", CreditRequest, request.id, details),
    ]


def _update(newest: dict[UUID, LogRow], now: datetime) -> None:
    """`newest`: prediction by request. What the request keeps of facts (marks.py) no model changes."""
    rows = [
        CreditRequest(id=id_, prediction_id=row.id, last_checked_at=now, **marks_of(row)) for id_, row in newest.items()
    ]
    if connection.vendor == "postgresql":
        columns = [[getattr(row, name) for row in rows] for name in ("id", "prediction_id", *OF_PREDICTION)]
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [now, *columns])
        return
    CreditRequest.objects.bulk_update(rows, ["prediction", "last_checked_at", *OF_PREDICTION], batch_size=100)
