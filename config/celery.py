"""Celery only says "look now": the work itself is rows in the database (apps.common.background)."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("credit_ml", broker=settings.CELERY_BROKER_URL)
# A thread of the web server that has set no current app of its own gets this one, not a bare app bound for localhost.
app.set_default()
app.conf.update(
    task_always_eager=settings.CELERY_TASK_ALWAYS_EAGER,
    task_eager_propagates=True,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    timezone=settings.LENDER_TIME_ZONE,
    include=["tasks.tasks"],
)
if settings.CELERY_BROKER_URL.startswith("filesystem"):
    _folder = settings.CELERY_BROKER_FOLDER
    for name in ("messages", "processed", "control"):
        (_folder / name).mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = {
        "data_folder_in": str(_folder / "messages"),
        "data_folder_out": str(_folder / "messages"),
        "processed_folder": str(_folder / "processed"),
        "control_folder": str(_folder / "control"),
    }

app.conf.beat_schedule = {
    "work-due-jobs": {"task": "tasks.tasks.work_due_jobs", "schedule": 30.0},
    "probe-sources": {"task": "tasks.tasks.probe_sources", "schedule": 10.0},
    "queue-due-webhooks": {"task": "tasks.tasks.queue_due_webhooks", "schedule": 15.0},
    "refresh-stale-external-records": {
        "task": "tasks.tasks.start_job",
        "args": ["refresh_stale_external_records"],
        "schedule": crontab(hour=2, minute=0),
    },
    "rescore-pending-credit-requests": {
        "task": "tasks.tasks.start_job",
        "args": ["rescore_pending_credit_requests"],
        "schedule": crontab(minute="*/10"),
    },
    "expire-overrides": {
        "task": "tasks.tasks.start_job",
        "args": ["expire_overrides"],
        "schedule": crontab(minute=5),
    },
    "update-monitoring": {
        "task": "tasks.tasks.start_job",
        "args": ["update_monitoring"],
        "schedule": crontab(hour="1,7,13,19", minute=0),
    },
    "forget-idempotent-replies": {
        "task": "tasks.tasks.start_job",
        "args": ["forget_idempotent_replies"],
        "schedule": crontab(hour=3, minute=0),
    },
    "expire-uploads": {
        "task": "tasks.tasks.start_job",
        "args": ["expire_uploads"],
        "schedule": crontab(minute=20),
    },
    "forget-expired-sessions": {
        "task": "tasks.tasks.start_job",
        "args": ["forget_expired_sessions"],
        "schedule": crontab(hour=3, minute=10),
    },
}
if settings.CLEANUP_PREDICTION_LOGS:
    app.conf.beat_schedule["cleanup-prediction-logs"] = {
        "task": "tasks.tasks.start_job",
        "args": ["cleanup_prediction_logs"],
        "schedule": crontab(hour=3, minute=30),
    }


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Connected only so that Celery leaves the logging of settings.py alone."""
