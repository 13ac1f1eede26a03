"""Celery tasks: each takes ids or numbers and calls one service. The work itself is rows (apps.common.background)."""

from celery import shared_task

from apps.common import background


@shared_task(name="tasks.tasks.work_due_jobs")
def work_due_jobs() -> dict[str, int]:
    """Look now: work off the jobs that are due."""
    return background.work_due_jobs()


@shared_task(name="tasks.tasks.start_job")
def start_job(name: str) -> None:
    """Beat's way to queue the job `name`."""
    background.enqueue(name)
