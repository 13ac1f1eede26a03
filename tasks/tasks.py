"""Celery tasks: each takes ids or numbers and calls one service. The work itself is rows (apps.common.background)."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.accounts import sessions
from apps.common import background, idempotency
from apps.credit_requests import filling, overriding, rescoring, simulation_jobs
from apps.external_integrations import keeping_fresh
from apps.external_integrations import services as external_records
from apps.portfolio import counting, upload_scoring, uploads
from apps.scoring_engine import retention
from apps.webhooks import delivering


@shared_task(name="tasks.tasks.work_due_jobs")
def work_due_jobs() -> dict[str, int]:
    """Look now: work off the jobs that are due."""
    return background.work_due_jobs()


@shared_task(name="tasks.tasks.start_job")
def start_job(name: str) -> None:
    """Beat's way to queue the job `name`."""
    background.enqueue(name)


@shared_task(name="tasks.tasks.refresh_soliq_record")
def refresh_soliq_record(inn: str | None = None, *, record_id: str | None = None) -> dict[str, Any]:
    """Ask Soliq now, by INN or PINFL; the system itself queues the id of the row."""
    return external_records.refresh_record(record_id=record_id, source="soliq", identifier=inn)


@shared_task(name="tasks.tasks.refresh_kadastr_record")
def refresh_kadastr_record(parcel_id: str | None = None, *, record_id: str | None = None) -> dict[str, Any]:
    """Ask Kadastr now, by parcel id; the system itself queues the id of the row."""
    return external_records.refresh_record(record_id=record_id, source="kadastr", identifier=parcel_id)


@shared_task(name="tasks.tasks.refresh_bureau_record")
def refresh_bureau_record(pinfl: str | None = None, *, record_id: str | None = None) -> dict[str, Any]:
    """Ask the credit bureau now, by PINFL; the system itself queues the id of the row."""
    return external_records.refresh_record(record_id=record_id, source="bureau", identifier=pinfl)


@shared_task(name="tasks.tasks.refresh_stale_external_records")
def refresh_stale_external_records(ttl_days: int | None = None) -> dict[str, int]:
    """Queue a refresh of each record that its source last confirmed more than `ttl_days` ago; without, more than the
    days that the settings name for the source.
    """
    return keeping_fresh.refresh_stale_records(ttl_days=ttl_days)


@shared_task(name="tasks.tasks.probe_sources")
def probe_sources() -> dict[str, int]:
    """Try sources that were down, and take up what waits for those that are back."""
    return keeping_fresh.probe_sources()


@shared_task(name="tasks.tasks.resume_refreshes")
def resume_refreshes(source: str) -> dict[str, int]:
    """Queued when a source has answered again: take up what waits for it."""
    return keeping_fresh.resume_refreshes(source)


@shared_task(name="tasks.tasks.rescore_pending_credit_requests")
def rescore_pending_credit_requests(limit: int = 100) -> dict[str, int]:
    """Check the undecided requests that were unchecked the longest."""
    return rescoring.rescore_pending(limit=limit)


@shared_task(name="tasks.tasks.rescore_requests_of_record")
def rescore_requests_of_record(record_id: str, version_id: str) -> dict[str, int]:
    """Queued when a new version of an external record has come."""
    return rescoring.rescore_requests_of_record(record_id=record_id, version_id=version_id)


@shared_task(name="tasks.tasks.rescore_applicant_requests")
def rescore_applicant_requests(
    *, version: int, individual_id: str | None = None, company_id: str | None = None
) -> dict[str, int]:
    """Queued when the profile of an applicant has changed; `version` is the profile's new one."""
    return rescoring.rescore_applicant_requests(individual_id=individual_id, company_id=company_id, version=version)


@shared_task(name="tasks.tasks.gather_allowed_records")
def gather_allowed_records(data_key_id: str, consent_id: str) -> dict[str, int]:
    """Queued when a person has allowed sources to be asked."""
    return rescoring.gather_allowed_records(data_key_id=data_key_id, consent_id=consent_id)


@shared_task(name="tasks.tasks.fill_search")
def fill_search() -> dict[str, int]:
    """Queued by the migration that brought search and queue, for the rows that were there before."""
    return filling.fill_search()


@shared_task(name="tasks.tasks.expire_overrides")
def expire_overrides() -> dict[str, int]:
    """Close the overrides that no second person confirmed in time."""
    return overriding.expire_overrides(timezone.now())


@shared_task(name="tasks.tasks.simulate_policy")
def simulate_policy(simulation_id: str) -> dict[str, str]:
    """Queued when an analyst asks to try a policy on past requests."""
    return simulation_jobs.work_simulation(simulation_id=simulation_id, clock=timezone.now)


@shared_task(name="tasks.tasks.update_monitoring")
def update_monitoring() -> dict[str, int]:
    """Count the weeks that are not complete yet."""
    return counting.update_monitoring(actor=None, now=timezone.now())


@shared_task(name="tasks.tasks.score_upload")
def score_upload(upload_id: str) -> dict[str, str | int]:
    """Queued when somebody starts the scoring of a file, or when a worker that did so was lost."""
    return upload_scoring.score_upload(upload_id=upload_id, clock=timezone.now)


@shared_task(name="tasks.tasks.expire_uploads")
def expire_uploads() -> dict[str, int]:
    """Destroy files and results whose days are over."""
    return uploads.expire_uploads(now=timezone.now())


@shared_task(name="tasks.tasks.cleanup_prediction_logs")
def cleanup_prediction_logs(older_than_days: int = 90) -> dict[str, int]:
    """Remove scorings older than that which no request is linked to, through recorded retention runs."""
    return retention.clean_up_prediction_logs(older_than_days=older_than_days, actor=None, now=timezone.now())


@shared_task(name="tasks.tasks.forget_idempotent_replies")
def forget_idempotent_replies() -> dict[str, int]:
    """Delete replies kept for Idempotency-Keys once a repeat is no longer expected."""
    return idempotency.forget_replies(now=timezone.now())


@shared_task(name="tasks.tasks.forget_expired_sessions")
def forget_expired_sessions() -> dict[str, int]:
    """Delete the sessions of people who have not signed out."""
    return sessions.forget_expired_sessions(now=timezone.now())


@shared_task(name="tasks.tasks.queue_due_webhooks")
def queue_due_webhooks() -> dict[str, int]:
    """Queue a delivery for each endpoint that has webhooks due."""
    return delivering.queue_due_deliveries(now=timezone.now())


@shared_task(name="tasks.tasks.deliver_webhooks")
def deliver_webhooks(endpoint_id: str) -> dict[str, int]:
    """Send what is due for this endpoint."""
    return delivering.deliver_due(endpoint_id=endpoint_id)
