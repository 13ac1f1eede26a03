"""Refreshes at the pace of the quota, pauses that put jobs off, and a source that comes back."""

from datetime import timedelta

from django.core.cache import cache
from django.test import TestCase, override_settings
from django.utils import timezone

from apps.common.background import work_due_jobs
from apps.common.models import Job
from apps.external_integrations.breaker import Breaker
from apps.external_integrations.keeping_fresh import probe_sources, refresh_stale_records, resume_refreshes
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.services import ensure_record, refresh_record
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL, allow, at, make_record
from apps.external_integrations.tests.registry import NOBODY, asking, live_registry, source_settings


class PaceTests(TestCase):
    def old_records(self, count: int) -> None:
        for number in range(count):
            make_record("soliq", f"{300_000_000 + number}")
        Job.objects.all().delete()

    def test_refreshes_are_queued_one_after_the_other_at_four_fifths_of_the_quota(self):
        self.old_records(3)
        paced = source_settings("https://registry.example")
        paced["soliq"]["quota_per_minute"] = 60
        with override_settings(EXTERNAL_SOURCES=paced):
            refresh_stale_records(clock=at(31))
        start = at(31)()
        due = list(Job.objects.order_by("due_at").values_list("due_at", flat=True))
        self.assertEqual(due, [start, start + timedelta(seconds=1.25), start + timedelta(seconds=2.5)])

    def test_a_mock_has_no_quota(self):
        self.old_records(2)
        refresh_stale_records(clock=at(31))
        self.assertEqual(set(Job.objects.values_list("due_at", flat=True)), {at(31)()})

    def test_each_source_has_its_own_limit(self):
        allow(PINFL, "bureau", now=at()())
        for source, identifier in (("soliq", INN), ("bureau", PINFL)):
            make_record(source, identifier)
        Job.objects.all().delete()
        self.assertEqual(refresh_stale_records(clock=at(8)), {"records": 2, "stale": 1, "queued": 1})
        self.assertEqual(Job.objects.get().name, "refresh_bureau_record")

    def test_a_source_that_is_off_is_left_alone(self):
        self.old_records(1)
        with override_settings(EXTERNAL_SOURCES=source_settings("", client="off")):
            self.assertEqual(refresh_stale_records(clock=at(31))["queued"], 0)


class OutageTests(TestCase):
    def setUp(self):
        cache.clear()
        self.addCleanup(cache.clear)

    def test_while_a_source_is_left_alone_its_jobs_wait_and_lose_no_attempt(self):
        record = ensure_record(source="kadastr", identifier=PARCEL, actor=None)
        Breaker("kadastr").pause_until(timezone.now() + timedelta(minutes=1))
        with live_registry() as server:
            work_due_jobs()
        job = Job.objects.get()
        self.assertEqual((job.state, job.error, job.attempts, server.asked), ("queued", "SourcePaused", 0, []))
        self.assertIsNone(ExternalRecord.objects.get(id=record.id).checked_at)

    def test_when_the_pause_is_over_one_is_tried_and_its_success_takes_up_the_rest(self):
        for number in range(3):
            ensure_record(source="kadastr", identifier=f"P-{number}", actor=None)
        Breaker("kadastr").pause_until(timezone.now() + timedelta(minutes=1))
        with asking(NOBODY):
            work_due_jobs()
        self.assertEqual(Job.objects.filter(error="SourcePaused").count(), 3)
        self.assertEqual(probe_sources(), {"tried": 0})
        Breaker("kadastr").pause_until(timezone.now() - timedelta(seconds=1))
        with live_registry() as server:
            self.assertEqual(probe_sources(clock=timezone.now), {"tried": 1})
            work_due_jobs()
            self.assertEqual(Breaker("kadastr").state(), "closed")
        self.assertEqual(len(server.asked), 3)
        self.assertEqual(ExternalRecord.objects.filter(current__isnull=False).count(), 3)

    def test_a_probe_that_fails_leaves_the_rest_alone(self):
        for number in range(3):
            ensure_record(source="kadastr", identifier=f"P-{number}", actor=None)
        Breaker("kadastr").pause_until(timezone.now() + timedelta(minutes=1))
        with asking(NOBODY):
            work_due_jobs()
            Breaker("kadastr").pause_until(timezone.now() - timedelta(seconds=1))
            probe_sources()
            work_due_jobs()
        self.assertEqual(Breaker("kadastr").state(), "open")
        errors = sorted(Job.objects.values_list("error", flat=True))
        self.assertEqual(errors, ["SourcePaused", "SourcePaused", "SourceUnreachable"])

    def test_nothing_waits_for_a_source_that_is_back(self):
        self.assertEqual(resume_refreshes("kadastr"), {"hastened": 0})


class ConsentTests(TestCase):
    def test_at_night_what_no_request_rests_on_is_refreshed_only_to_watch_a_loan(self):
        allow(PINFL, now=at()())
        record = make_record("soliq", PINFL)
        skipped = refresh_record(record_id=record.id, clock=at(1))
        self.assertEqual((skipped["asked_here"], skipped["skipped"]), (False, "consent-required"))
        allow(PINFL, purpose="monitoring", now=at()())
        self.assertTrue(refresh_record(record_id=record.id, clock=at(1))["asked_here"])

    def test_what_a_request_rests_on_is_refreshed_while_the_consent_lasts(self):
        allow(PINFL, now=at()())
        record = ensure_record(source="soliq", identifier=PINFL, actor=None, clock=at())
        self.assertTrue(refresh_record(record_id=record.id, clock=at(30))["asked_here"])
        self.assertEqual(refresh_record(record_id=record.id, clock=at(32))["skipped"], "consent-required")
