"""The tasks by their names: by identifier for people, by opaque id for the system."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from apps.common.background import work_due_jobs
from apps.common.models import Job
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.reading import record_facts
from apps.external_integrations.services import ensure_record
from apps.external_integrations.tests.factories import INN, PARCEL
from apps.external_integrations.tests.registry import live_registry
from config.celery import app


def task(name: str):
    app.loader.import_default_modules()
    return app.tasks[f"tasks.tasks.{name}"]


class TaskTests(TestCase):
    def test_by_identifier(self):
        task("refresh_soliq_record")(INN)
        task("refresh_kadastr_record")(PARCEL)
        self.assertEqual(sorted(ExternalRecord.objects.values_list("source", flat=True)), ["kadastr", "soliq"])

    def test_a_refresh_by_id_makes_the_record_fresh_whatever_its_age(self):
        task("refresh_soliq_record")("123456789")
        record = ExternalRecord.objects.get()
        with live_registry() as server:
            for _ in range(2):
                ExternalRecord.objects.update(checked_at=record.checked_at - timedelta(days=90))
                result = task("refresh_soliq_record")(record_id=str(record.id))
        record.refresh_from_db()
        self.assertEqual((result["asked_here"], len(server.asked), record.current.origin), (True, 2, "http"))
        self.assertLess(timezone.now() - record.checked_at, timedelta(minutes=1))

    def test_the_nightly_task_queues_and_the_jobs_make_fresh(self):
        wanted = ensure_record(source="kadastr", identifier=PARCEL, actor=None)
        task("refresh_soliq_record")(INN)
        ExternalRecord.objects.filter(source="soliq").update(checked_at=timezone.now() - timedelta(days=31))
        Job.objects.all().delete()
        self.assertEqual(task("refresh_stale_external_records")(), {"records": 2, "stale": 2, "queued": 2})
        Job.objects.exclude(name__startswith="refresh").delete()
        work_due_jobs(limit=2)
        self.assertEqual(Job.objects.filter(name__startswith="refresh", state="done").count(), 2)
        self.assertEqual(task("refresh_stale_external_records")()["stale"], 0)
        wanted.refresh_from_db()
        self.assertEqual(list(record_facts(wanted, now=wanted.checked_at)), ["property_area"])
