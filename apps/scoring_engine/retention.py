"""The only way out of the log: old scorings that no credit request rests on, in recorded spans."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.background import heartbeat
from apps.common.errors import InvalidInput
from apps.common.models import DataKey
from apps.scoring_engine.models import PredictionLog, RetentionRun

ROWS_OF_ONE_RUN = 5_000
LEAST_DAYS, MOST_DAYS = 1, 36_500


def clean_up_prediction_logs(*, older_than_days: int, actor: User | None, now: datetime) -> dict[str, int]:
    """Run after run, each in a transaction of its own, until nothing unlinked is older than that."""
    counts = {"runs": 0, "rows": 0}
    while run := run_retention(older_than_days=older_than_days, actor=actor, now=now):
        counts["runs"] += 1
        counts["rows"] += run.row_count
        heartbeat()
    return counts


@transaction.atomic
def run_retention(
    *, older_than_days: int, actor: User | None, now: datetime, most_rows: int = ROWS_OF_ONE_RUN
) -> RetentionRun | None:
    """Remove the oldest unlinked predictions made before `now` - `older_than_days`; none if there are none.

    At most `most_rows`, and those made in the very moment of the last of them. Their data keys go with them.
    """
    older_than = now - timedelta(days=_checked_days(older_than_days))
    rows = PredictionLog.objects.unlinked().filter(created_at__lt=older_than).order_by("created_at")
    times = list(rows.values_list("created_at", flat=True)[:most_rows])
    if not times:
        return None
    span = rows.filter(created_at__range=(times[0], times[-1]))
    keys = list(span.filter(data_key__owner_index=None).values_list("data_key_id", flat=True))
    run = RetentionRun(
        created_at=now,
        older_than=older_than,
        first_created_at=times[0],
        last_created_at=times[-1],
        row_count=span.count(),
        actor=actor,
    )
    # Inserting the run removes its span: a trigger of the database does, and checks the count.
    run.save(force_insert=True)
    _delete_keys_of_nobody(keys)
    record_event(actor=actor, action="retention.run", subject=run, details={"rows": run.row_count})
    return run


def _delete_keys_of_nobody(keys: list[uuid.UUID]) -> None:
    """Keys made for one scoring alone; one that another row of the log still uses stays."""
    used = PredictionLog.objects.filter(data_key_id=OuterRef("id"))
    DataKey.objects.filter(id__in=keys).exclude(Exists(used)).delete()


def _checked_days(days: int) -> int:
    if isinstance(days, bool) or not isinstance(days, int) or not LEAST_DAYS <= days <= MOST_DAYS:
        raise InvalidInput.of(older_than_days=f"It must be a whole number of days from {LEAST_DAYS} to {MOST_DAYS}.")
    return days
