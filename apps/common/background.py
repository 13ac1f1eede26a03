"""Background work. The database is the queue; a Celery message only says "look now".

A job is a row. Services call `enqueue` inside their transaction; when it commits, a worker is told to look. Should the
message be lost, the sweep of beat finds the row. A job is short and idempotent: it may be run again after a crash.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.common.models import Job

if TYPE_CHECKING:
    from celery import Task

log = structlog.get_logger("background")
MOST_ATTEMPTS = 5
SILENT_AFTER = timedelta(minutes=5)
PATIENCE = timedelta(days=7)
CHUNK = 500
_current: ContextVar[UUID | None] = ContextVar("current_job", default=None)


class TryLater(Exception):
    """Raised by a job that could not begin, through no fault of its own. It is queued anew for `due_at`, and this does
    not count as an attempt; after a week it is given up.
    """

    def __init__(self, why: str, due_at: datetime) -> None:
        super().__init__(why)
        self.why, self.due_at = why, due_at


def enqueue(name: str, *, due_at: datetime | None = None, **arguments: str | int | None) -> None:
    """Queue the task `tasks.tasks.<name>` once this transaction commits, for `due_at` if that is given. Arguments are
    opaque ids and numbers.

    While an equal job is still waiting, a second one is not added. The waiting one is held until this transaction
    ends, so that no worker takes it up before what it is to look at is there.
    """
    key = f"{name}:{json.dumps(arguments, sort_keys=True)}"
    waiting = Job.objects.filter(key=key, state=Job.State.QUEUED).select_for_update().values_list("id", flat=True)
    with transaction.atomic():
        held = False
        while not held:
            job = Job(name=name, arguments=arguments, key=key, due_at=due_at or timezone.now())
            Job.objects.bulk_create([job], ignore_conflicts=True)
            held = bool(list(waiting.all()))
    _look_after_commit()


@transaction.atomic
def hasten(name: str, *, limit: int | None = None) -> int:
    """Make those jobs of this name due now that were put off after a failure or by TryLater; returns how many."""
    put_off = Job.objects.filter(name=name, state=Job.State.QUEUED, due_at__gt=timezone.now()).exclude(error="")
    ids = list(put_off.order_by("due_at", "id").values_list("id", flat=True)[:limit])
    for start in range(0, len(ids), CHUNK):
        still_waiting = Job.objects.filter(id__in=ids[start : start + CHUNK], state=Job.State.QUEUED)
        still_waiting.update(due_at=timezone.now())
    if ids:
        _look_after_commit()
    return len(ids)


def _look_after_commit() -> None:
    """One message per transaction is enough, however many jobs it queues."""
    if not any(call is _look_now for _, call, *_ in connection.run_on_commit):
        transaction.on_commit(_look_now)


def _task(name: str) -> "Task":
    """The task `tasks.tasks.<name>`. Celery and the task modules are imported here: most commands never need them."""
    app = import_string(settings.CELERY_APP)
    for module in app.conf.include:
        import_module(module)
    return app.tasks[f"tasks.tasks.{name}"]


def _look_now() -> None:
    from kombu.exceptions import OperationalError

    try:
        _task("work_due_jobs").delay()
    except OperationalError:
        log.warning("broker_unreachable", consequence="the job waits for the next sweep")


def heartbeat() -> None:
    """Say that the job under way is alive; services call it between the items of a chunk."""
    if (job_id := _current.get()) is not None:
        Job.objects.filter(id=job_id).update(heartbeat_at=timezone.now())


def work_due_jobs(*, limit: int = 50, clock: Callable[[], datetime] = timezone.now) -> dict[str, int]:
    """Sweep, then work off up to `limit` due jobs. Returns how many were done, failed (or put off) and taken back."""
    counts = {"taken_back": sweep(clock()), "done": 0, "failed": 0}
    for _ in range(limit):
        job = _claim(clock())
        if job is None:
            break
        counts["done" if _work(job, clock) else "failed"] += 1
    return counts


def sweep(now: datetime) -> int:
    """Take back jobs whose worker fell silent; a job that keeps killing its worker is given up."""
    taken_back = 0
    for job in Job.objects.filter(state=Job.State.RUNNING, heartbeat_at__lt=now - SILENT_AFTER):
        log.warning("job_fell_silent", job_id=str(job.id), name=job.name, attempts=job.attempts)
        taken_back += 1
        _try_again(job, "WorkerLost", now)
    return taken_back


def _claim(now: datetime) -> Job | None:
    with transaction.atomic():
        waiting = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=now).order_by("due_at", "id")
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        job = waiting.first()
        if job is not None:
            job.state, job.attempts, job.heartbeat_at = Job.State.RUNNING, job.attempts + 1, now
            job.save(update_fields=["state", "attempts", "heartbeat_at"])
    return job


def _work(job: Job, clock: Callable[[], datetime]) -> bool:
    token = _current.set(job.id)
    try:
        result = _task(job.name)(**job.arguments)
    except TryLater as later:
        log.info("job_put_off", job_id=str(job.id), name=job.name, why=later.why)
        _put_off(job, later, clock())
        return False
    except Exception as error:
        log.error("job_failed", job_id=str(job.id), name=job.name, attempts=job.attempts, exc_info=error)
        _try_again(job, type(error).__name__, clock())
        return False
    finally:
        _current.reset(token)
    job.state, job.result, job.finished_at, job.error = Job.State.DONE, result, clock(), ""
    job.save(update_fields=["state", "result", "finished_at", "error"])
    return True


def _put_off(job: Job, later: TryLater, now: datetime) -> None:
    job.attempts -= 1
    if job.created_at < now - PATIENCE or not _queue_anew(job, later.why, later.due_at):
        _give_up(job, later.why, now)


def _try_again(job: Job, error: str, now: datetime) -> None:
    """Queue the job anew, later each time: after 40 s, 160 s, 11 min, 43 min."""
    due_at = now + timedelta(seconds=10 * 4**job.attempts)
    if job.attempts >= MOST_ATTEMPTS or not _queue_anew(job, error, due_at):
        _give_up(job, error, now)


def _queue_anew(job: Job, error: str, due_at: datetime) -> bool:
    """False when a twin already waits, which replaces it."""
    job.state, job.error, job.due_at = Job.State.QUEUED, error, due_at
    try:
        with transaction.atomic():
            job.save(update_fields=["state", "error", "due_at", "attempts"])
    except IntegrityError:
        log.info("job_has_a_twin", job_id=str(job.id), name=job.name)
        return False
    return True


def _give_up(job: Job, error: str, now: datetime) -> None:
    job.state, job.error, job.finished_at = Job.State.FAILED, error, now
    job.save(update_fields=["state", "error", "finished_at"])
