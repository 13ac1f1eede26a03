"""What is kept: history, the newest observation on top, everything sealed, facts with source and time."""

import json
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import TestCase, override_settings

from apps.audit.models import AuditEvent
from apps.common.crypto import blind_index
from apps.common.errors import InvalidInput, NotFound, SourceUnavailable
from apps.common.facts import Found
from apps.common.models import Job
from apps.external_integrations.checks import check_sources
from apps.external_integrations.keeping_fresh import refresh_stale_records
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.reading import is_stale, record_facts
from apps.external_integrations.services import ensure_record, find_or_fetch_record, refresh_record
from apps.external_integrations.tests.factories import INN, NOON, PARCEL, PINFL, allow, at, make_record, refreshed
from apps.external_integrations.tests.registry import (
    NOBODY,
    asking,
    document,
    live_registry,
    saying,
    source_settings,
)

VERSIONS = "external_integrations_externalrecordversion"


def telling(days: float, **changes):
    """A source that observed, `days` after NOON, the given figures."""
    return saying(json.dumps(document(identifier=INN, observed_at=at(days)().isoformat(), **changes)))


def heard(days: float, now: float = 50, **changes) -> ExternalRecord:
    """The record of INN after one more answer, which arrives `now` days after NOON."""
    with live_registry(telling(days, **changes)):
        refresh_record(source="soliq", identifier=INN, clock=at(now))
    return ExternalRecord.objects.get()


def facts_of(record, **options):
    return record_facts(record, now=at(3)(), **options)


class HistoryTests(TestCase):
    def test_unchanged_content_makes_no_version_but_a_fresh_record(self):
        first = make_record()
        second = refreshed(first, days=9)
        self.assertEqual(second.current_id, first.current_id)
        self.assertEqual((second.checked_at, second.observed_at), (at(9)(), at(9)()))
        self.assertEqual(ExternalRecordVersion.objects.count(), 1)

    def test_changed_content_is_a_new_version_and_rescores(self):
        first = heard(1, tax_debt=5)
        Job.objects.all().delete()
        second = heard(2, tax_debt=6)
        self.assertNotEqual(first.current_id, second.current_id)
        self.assertEqual(facts_of(second)["tax_debt"], Found(6, "soliq", at(2)(), "http"))
        self.assertEqual(ExternalRecordVersion.objects.count(), 2)
        job = Job.objects.get()
        self.assertEqual(job.name, "rescore_requests_of_record")
        self.assertEqual(job.arguments, {"record_id": str(second.id), "version_id": str(second.current_id)})

    def test_the_newest_observation_holds_whatever_arrives_last(self):
        heard(3, tax_debt=33)
        late = heard(2, tax_debt=22, now=51)
        self.assertEqual(facts_of(late)["tax_debt"].value, 33)
        self.assertEqual((late.observed_at, late.checked_at), (at(3)(), at(51)()))
        self.assertEqual(ExternalRecordVersion.objects.count(), 2)
        heard(2, tax_debt=22, now=52)
        self.assertEqual(ExternalRecordVersion.objects.count(), 2)

    def test_a_late_arrival_loses_even_to_a_confirmation_without_version(self):
        heard(1, tax_debt=11)
        heard(3, tax_debt=11)
        self.assertEqual(facts_of(heard(2, tax_debt=22))["tax_debt"], Found(11, "soliq", at(3)(), "http"))

    def test_content_may_return_to_what_it_was(self):
        for days, debt in ((1, 7), (2, 8), (3, 7)):
            record = heard(days, tax_debt=debt)
            self.assertEqual(facts_of(record)["tax_debt"].value, debt)
        self.assertEqual(ExternalRecordVersion.objects.count(), 3)

    def test_a_true_reply_holds_over_an_invented_one_that_is_newer(self):
        record = make_record(days=40)
        with live_registry(telling(1, tax_debt=1)):
            self.assertEqual(facts_of(record), {})
            live = refreshed(record, days=41)
            self.assertEqual(facts_of(live)["tax_debt"], Found(1, "soliq", at(1)(), "http"))
        again = refreshed(live, days=60)
        self.assertEqual((again.current_id, again.checked_at), (live.current_id, at(41)()))

    def test_the_database_refuses_to_change_history(self):
        make_record()
        for statement in (f"UPDATE {VERSIONS} SET origin = 'http'", f"DELETE FROM {VERSIONS}"):
            with (
                self.subTest(statement=statement),
                self.assertRaisesMessage(DatabaseError, f"{VERSIONS} is insert-only"),
                transaction.atomic(),
            ):
                connection.cursor().execute(statement)
        self.assertEqual(ExternalRecordVersion.objects.get().origin, "mock")

    def test_the_database_knows_its_sources_and_one_row_per_key(self):
        record = make_record()
        with self.assertRaises(IntegrityError), transaction.atomic():
            ExternalRecord.objects.filter(id=record.id).update(source="katm")
        with self.assertRaises(IntegrityError), transaction.atomic():
            ExternalRecord.objects.filter(id=record.id).update(checked_at=None)
        with self.assertRaises(IntegrityError), transaction.atomic():
            ExternalRecord.objects.create(
                source="soliq", key_index=record.key_index, data_key=record.data_key, sealed=b""
            )


class SealedTests(TestCase):
    def test_no_identifier_stands_in_clear_in_any_table(self):
        allow(now=NOON)
        for source, identifier in (("soliq", INN), ("soliq", PINFL), ("kadastr", PARCEL)):
            ensure_record(source=source, identifier=identifier, actor=None)
            refreshed(make_record(source, identifier), days=1)
        with asking(NOBODY), self.assertRaises(SourceUnavailable):
            refresh_record(source="soliq", identifier=INN)
        for table in connection.introspection.table_names():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found = b"".join(_bytes(value) for row in cursor.fetchall() for value in row)
            for identifier in (INN, PINFL, PARCEL):
                self.assertNotIn(identifier.encode(), found, table)

    def test_what_is_known_is_sealed_with_the_key_of_whom_it_is_about(self):
        allow(now=NOON)
        owners = [("soliq", PINFL, "person"), ("soliq", INN, "company"), ("kadastr", PARCEL, "parcel")]
        for source, identifier, kind in owners:
            with self.subTest(kind=kind):
                record = make_record(source, identifier)
                self.assertEqual(record.data_key.owner_index, blind_index(kind, identifier))
                self.assertEqual(record.current.data_key_id, record.data_key_id)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


class FactTests(TestCase):
    def test_facts_have_the_names_of_the_vocabulary_source_time_and_origin(self):
        allow(now=NOON)
        person = facts_of(make_record("soliq", PINFL))
        self.assertEqual(set(person), {"declared_yearly_income", "tax_debt"})
        self.assertEqual(set(facts_of(make_record("soliq", INN))), {"declared_revenue", "tax_debt"})
        area = facts_of(make_record("kadastr", PARCEL))["property_area"]
        self.assertEqual((area.source, area.at, area.origin), ("kadastr", NOON, "mock"))

    def test_sums_in_another_currency_are_left_out(self):
        self.assertEqual(facts_of(make_record("soliq", INN), currency="USD"), {})
        self.assertEqual(len(facts_of(make_record("soliq", INN), currency="UZS")), 2)
        self.assertEqual(list(facts_of(make_record("kadastr", PARCEL), currency="USD")), ["property_area"])

    def test_an_income_that_was_not_declared_is_missing_not_nought(self):
        record = heard(1, declared_revenue=None)
        self.assertEqual(list(facts_of(record)), ["tax_debt"])


class EnsureTests(TestCase):
    def test_a_row_without_asking_and_a_refresh_queued_by_opaque_id(self):
        with asking(NOBODY):
            allow()
            record = ensure_record(source="soliq", identifier=PINFL, actor=None)
            again = ensure_record(source="soliq", identifier=PINFL, actor=None)
        self.assertEqual((again.id, record.current, record.is_wanted, facts_of(record)), (record.id, None, True, {}))
        self.assertEqual(Job.objects.get().arguments, {"record_id": str(record.id)})
        self.assertEqual(AuditEvent.objects.filter(action="external_record.want").count(), 1)

    def test_a_fresh_record_is_not_asked_for_again_a_stale_one_is(self):
        make_record()
        Job.objects.all().delete()
        ensure_record(source="soliq", identifier=INN, actor=None, clock=at(30))
        self.assertEqual(Job.objects.count(), 0)
        ensure_record(source="soliq", identifier=INN, actor=None, clock=at(30.1))
        self.assertEqual(Job.objects.get().name, "refresh_soliq_record")

    def test_a_wanted_row_outlives_a_source_that_is_down_and_an_unwanted_one_does_not(self):
        allow()
        wanted = ensure_record(source="soliq", identifier=INN, actor=None)
        with asking(NOBODY):
            for identifier in (INN, PINFL):
                with self.assertRaises(SourceUnavailable):
                    find_or_fetch_record(source="soliq", identifier=identifier, actor=None)
        self.assertEqual([row.id for row in ExternalRecord.objects.all()], [wanted.id])
        self.assertIsNone(ExternalRecord.objects.get().lease_until)

    def test_wrong_identifiers_are_refused_here_too(self):
        for source, identifier in (("soliq", "abc"), ("soliq", PINFL[:-1] + "9"), ("kadastr", ".."), ("kadastr", "")):
            with self.subTest(identifier=identifier), self.assertRaises(InvalidInput):
                ensure_record(source=source, identifier=identifier, actor=None)
        self.assertEqual(ExternalRecord.objects.count(), 0)


class RefreshTests(TestCase):
    def test_an_unknown_id_and_no_id_are_refused(self):
        with self.assertRaises(NotFound):
            refresh_record(record_id="00000000-0000-4000-8000-000000000000")
        with self.assertRaises(InvalidInput):
            refresh_record(source="soliq")

    def test_a_source_that_is_down_leaves_the_record_as_it_was(self):
        record = make_record()
        with asking(NOBODY), self.assertRaises(SourceUnavailable):
            refresh_record(record_id=record.id, clock=at(8))
        row = ExternalRecord.objects.get()
        self.assertEqual((row.checked_at, row.current_id, row.lease_until), (NOON, record.current_id, None))

    def test_what_the_source_does_not_know_is_answered_with_nothing(self):
        record = ensure_record(source="soliq", identifier=INN, actor=None)
        with live_registry(saying('{"code": "unknown-identifier"}', 404)):
            result = refresh_record(record_id=record.id, clock=at(1))
        self.assertEqual(result, {"record_id": str(record.id), "asked_here": True, "version_id": None, "skipped": ""})
        self.assertEqual(ExternalRecord.objects.get().checked_at, at(1)())

    def test_a_lease_that_a_dead_process_left_runs_out(self):
        record = make_record()
        ExternalRecord.objects.update(lease_until=NOON + timedelta(days=2))
        self.assertEqual(refreshed(record, days=3).checked_at, at(3)())


class StaleTests(TestCase):
    def test_the_stale_are_queued_and_counted(self):
        allow(now=NOON)
        old, fresh = make_record(days=0), make_record("soliq", PINFL, days=20)
        never = ensure_record(source="kadastr", identifier=PARCEL, actor=None)
        Job.objects.all().delete()
        self.assertEqual(refresh_stale_records(ttl_days=30, clock=at(31)), {"records": 3, "stale": 2, "queued": 2})
        queued = {(job.name, job.arguments["record_id"]) for job in Job.objects.all()}
        self.assertEqual(queued, {("refresh_soliq_record", str(old.id)), ("refresh_kadastr_record", str(never.id))})
        self.assertEqual(refresh_stale_records(ttl_days=10, clock=at(31))["stale"], 3)
        self.assertFalse(is_stale(fresh, now=at(31)()))

    def test_days_out_of_bounds_are_refused(self):
        for days in (-1, 3651, True, "30", 1.5):
            with self.subTest(days=days), self.assertRaises(InvalidInput):
                refresh_stale_records(ttl_days=days)


class SettingsTests(TestCase):
    def test_a_source_that_cannot_be_asked_is_said_at_start(self):
        self.assertEqual(check_sources(None), [])
        for chosen, told in (
            (source_settings("http://registry.example"), "not one of its allowed hosts"),
            (source_settings("", client="post"), "allowed are mock, http, off"),
        ):
            with self.subTest(told=told), override_settings(EXTERNAL_SOURCES=chosen):
                messages = check_sources(None)
                self.assertEqual(len(messages), 3)
                self.assertIn(told, messages[0].msg)

    def test_a_fact_is_stale_once_its_source_was_not_asked_for_30_days(self):
        record = make_record("soliq", INN)
        for days, stale in ((30, False), (31, True)):
            now = record.checked_at + timedelta(days=days)
            self.assertEqual(record_facts(record, now=now)["tax_debt"].is_stale, stale)
