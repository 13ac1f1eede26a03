"""Single-flight: of all who want one record from its source, one asks and the others wait for what it hears.

The lease is a time on the row, taken by a conditional UPDATE, so it needs no transaction while the source is asked and
ends by itself should its holder die.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from apps.common.errors import SourceUnavailable
from apps.common.sentences import Sentence
from apps.external_integrations.models import ExternalRecord

Clock = Callable[[], datetime]
MARGIN = timedelta(seconds=5)
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


def single_flight(
    record: ExternalRecord,
    ask: Callable[[], None],
    *,
    deadline_seconds: float,
    clock: Clock,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Run `ask` unless somebody is at it; then wait until they heard. True when it was run here.

    Raises SourceUnavailable when the one who asked heard nothing.
    """
    length = timedelta(seconds=deadline_seconds) + MARGIN
    give_up = clock() + 2 * length
    while True:
        lease = _take(record, clock(), length)
        if lease is not None:
            try:
                ask()
            finally:
                ExternalRecord.objects.filter(id=record.id, lease_until=lease).update(lease_until=None)
            return True
        if _heard_by_another(record, give_up, clock, sleep):
            return False


def _take(record: ExternalRecord, now: datetime, length: timedelta) -> datetime | None:
    """The lease, if the row is still as it was read and nobody holds it."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    unchanged = ExternalRecord.objects.filter(free, id=record.id, **_as_read(record))
    return now + length if unchanged.update(lease_until=now + length) else None


def _as_read(record: ExternalRecord) -> dict[str, object]:
    return {"checked_at": record.checked_at} if record.checked_at else {"checked_at__isnull": True}


def _heard_by_another(record: ExternalRecord, give_up: datetime, clock: Clock, sleep: Callable[[float], None]) -> bool:
    """True once the source's answer is stored; False when the lease ran out, so that somebody else may take it."""
    pause = FIRST_PAUSE
    while clock() < give_up:
        checked_at, lease_until = _state(record.id)
        if checked_at != record.checked_at:
            return True
        if lease_until is None:
            raise SourceUnavailable(Sentence("The source was asked by another request just now and did not answer."))
        if lease_until < clock():
            return False
        sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    raise SourceUnavailable(Sentence("The source is being asked by others and has not answered in time."))


def _state(record_id: UUID) -> tuple[datetime | None, datetime | None]:
    row = ExternalRecord.objects.filter(id=record_id).values_list("checked_at", "lease_until").first()
    if row is None:
        raise SourceUnavailable(Sentence("The source was asked by another request just now and did not answer."))
    return row
