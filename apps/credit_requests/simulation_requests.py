"""Stored requests as a simulation asks about them, with the values as of then.

Of each request: what was sealed in its newest decision by a policy, or, where no policy spoke yet, what its newest
prediction was made of, at that time. Erased and unreadable ones are counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import models, transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased, InvalidTag
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.models.decisions import POLICY
from apps.credit_requests.policy_facts import gather_policy_facts
from apps.credit_requests.simulation_filters import RequestFilter, chosen_requests
from apps.credit_requests.simulation_tables import Form, as_rows
from apps.policies.policy import Policy

ROWS_AT_ONCE = 500
OTHER_CURRENCY = "other_currency"  # told apart by the currency itself
Document = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass
class Told:
    """What became of the requests found. `cut`: older ones beyond the bound."""

    counts: Counter[str] = field(default_factory=Counter)

    NAMES = ("found", "cut", "erased", "unreadable", "from_decision", "from_prediction", "demonstration")

    def as_dict(self) -> dict[str, int]:
        return {name: self.counts[name] for name in self.NAMES}


def request_tables(
    rows: QuerySet[CreditRequest], policy: Policy, told: Told, progress: Progress, most: int | None = None
) -> Iterator[pa.RecordBatch]:
    """In the form of a snapshot; at most the `most` newest, all if None. Nothing is opened before the first is asked
    for.
    """
    schema, total = Form(policy.segment).schema(), rows.count()
    told.counts["found"] = total
    if most is not None and total > most:
        told.counts["cut"], total = total - most, most
    neighbours = ("branch", "product", "individual__data_key", "company__data_key", "prediction__data_key")
    found = islice(rows.select_related(*neighbours).iterator(chunk_size=ROWS_AT_ONCE), most)
    done = 0
    while held := list(islice(found, ROWS_AT_ONCE)):
        decisions = _newest_by_policy(held)
        read = (_row(request, decisions.get(request.id), policy, told.counts) for request in held)
        yield as_rows([row for row in read if row is not None], schema)
        done += len(held)
        progress(done, total)


def _newest_by_policy(requests: Sequence[CreditRequest]) -> Mapping[UUID, Decision]:
    rows = Decision.objects.filter(credit_request__in=[one.id for one in requests], kind=POLICY)
    return {row.credit_request_id: row for row in rows.select_related("data_key").order_by("number")}


def _row(
    request: CreditRequest, decision: Decision | None, policy: Policy, counts: Counter[str]
) -> Document | None:  # fmt: skip
    try:
        facts, assessment = _of_decision(decision) if decision else _of_prediction(request, policy)
    except (DataErased, InvalidTag) as error:
        counts["erased" if isinstance(error, DataErased) else "unreadable"] += 1
        return None
    counts["from_decision" if decision else "from_prediction"] += 1
    counts["demonstration"] += request.is_demo
    known = {name: value for name, value in facts.items() if name in Form(policy.segment).facts}
    beside = {"id": str(request.id), "currency": request.currency, "branch": request.branch.code}
    return known | _assessed(assessment) | beside


def _of_decision(decision: Decision) -> tuple[Document, Document | None]:
    sealed = decision.opened()
    return sealed["facts"], sealed["assessment"]


def _of_prediction(request: CreditRequest, policy: Policy) -> tuple[Document, Document | None]:
    prediction = request.prediction
    then = prediction.created_at if prediction else request.created_at
    gathered = gather_policy_facts(request, prediction, policy, then)
    return gathered.facts, gathered.assessment and asdict(gathered.assessment)


def _assessed(assessment: Document | None) -> Document:
    if assessment is None:
        return {}
    bars = [bar for bar in assessment["bars"] if bar != OTHER_CURRENCY]
    return {name: assessment[name] for name in ("score", "probability_of_default", "horizon_months", "grade")} | {
        "bar": bars[0] if bars else ""
    }


def record_opening(
    *,
    action: str,
    subject: models.Model | None,
    rows: QuerySet[CreditRequest],
    chosen: RequestFilter,
    actor: User | None,
    details: Document,
) -> None:
    """Written before the first is opened. `subject`: the newest request, if it is no other row."""
    first = rows.first()
    if first is None:
        raise InvalidInput(Sentence("No request is as asked for: {chosen}.", chosen=str(chosen)))
    told = details | {"requests": chosen.as_dict(), "rows": rows.count()}
    with transaction.atomic():
        record_event(actor=actor, action=action, subject=subject or first, details=told)


def write_snapshot(
    *, policy: Policy, chosen: RequestFilter, out: Path, actor: User | None, progress: Progress
) -> Told:  # fmt: skip
    """A Parquet file of personal facts, which appears whole or not at all; `policy` says how stale a record may be."""
    if out.exists() or out.suffix != ".parquet":
        raise InvalidInput(Sentence("{file} must be a .parquet file that does not exist yet.", file=str(out)))
    rows, told = chosen_requests(policy.segment, chosen), Told()
    record_opening(action="credit_request.snapshot", subject=None, rows=rows, chosen=chosen, actor=actor, details={
        "segment": policy.segment, "file": out.name})  # fmt: skip
    part = out.with_name(f".{out.name}.part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetWriter(part, Form(policy.segment).schema()) as writer:
            for table in request_tables(rows, policy, told, progress):
                writer.write_batch(table)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return told
