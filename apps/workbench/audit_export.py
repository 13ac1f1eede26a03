"""Events of the audit trail as a file: CSV or lines of JSON, written as they are read."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.services import record_event
from apps.common.errors import InvalidInput
from apps.common.masking import mask_document
from apps.workbench.formats import lender_time, number

MOST_EXPORTED = 100_000
ROWS_AT_ONCE = 2_000
CSV, JSON_LINES = FORMATS = ("csv", "jsonl")
COLUMNS = ("id", "created_at", "actor", "action", "subject_type", "subject_id", "details", "request_id")
# What a spreadsheet would take for the start of a formula.
LIVE = ("=", "+", "-", "@", "\t", "\r", "\n")


@transaction.atomic
def record_export(
    *, rows: QuerySet[AuditEvent], chosen: dict[str, str], file_format: str, actor: User
) -> QuerySet[AuditEvent]:
    """What is to be written, oldest first, and told to the audit trail before. Raises InvalidInput for too many."""
    if file_format not in FORMATS:
        raise InvalidInput.of(format=_("Choose CSV or JSON lines."))
    ids = list(rows.order_by("-id").values_list("id", flat=True)[: MOST_EXPORTED + 1])
    if len(ids) > MOST_EXPORTED:
        most = {"most": number(MOST_EXPORTED)}
        raise InvalidInput.of(until=_("More than %(most)s events are found. Choose a shorter span of days.") % most)
    details = {"format": file_format, "filter": chosen, "rows": len(ids)}
    record_event(actor=actor, action="audit.export", subject=actor, details=details)
    return rows.filter(id__lte=ids[0]).order_by("id") if ids else rows.none()


def write_events(rows: QuerySet[AuditEvent], file_format: str) -> Iterator[str]:
    found = map(_row, rows.iterator(chunk_size=ROWS_AT_ONCE))
    return _csv(found) if file_format == CSV else _json_lines(found)


def _row(event: AuditEvent) -> dict[str, Any]:
    """Details hold no identifiers; should one have got into them all the same, it leaves masked."""
    return {
        "id": event.id,
        "created_at": lender_time(event.created_at).isoformat(),
        "actor": event.actor.username if event.actor else None,
        "action": event.action,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "details": mask_document(event.details),
        "request_id": event.request_id,
    }


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for row in rows:
        details = json.dumps(row["details"], ensure_ascii=False, sort_keys=True)
        writer.writerow([inert(value) for value in (row | {"details": details}).values()])
        yield _taken(line)
    yield _taken(line)


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def inert(value: Any) -> Any:
    """Text that a spreadsheet takes for text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(LIVE) else value
