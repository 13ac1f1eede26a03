"""Consents: recorded, found, withdrawn; and without one, nobody is asked about a person."""

from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.test import TestCase
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import blind_index
from apps.common.days import lender_today, start_of
from apps.common.errors import ConsentMissing, InvalidInput
from apps.common.models import DataKey, Job
from apps.external_integrations.consents import record_consent, withdraw_consent
from apps.external_integrations.models import Consent, ExternalRecord
from apps.external_integrations.services import ensure_record, find_or_fetch_record, refresh_record
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL, allow, consent_of
from apps.external_integrations.tests.registry import live_registry

CONSENTS, LOOKUP = "/api/consents/", "/api/consents/lookup/"
OTHER_PINFL = "31210932040247"


def stored() -> tuple[int, int, int]:
    return Consent.objects.count(), Job.objects.count(), AuditEvent.objects.count()


class SignedIn(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.officer = make_user("officer", make_branch())
        cls.analyst = make_user("analyst")

    def setUp(self):
        self.client = client_for(self.officer)


class DoorTests(SignedIn):
    def test_one_consent_a_source_is_recorded_and_found_again(self):
        reply = self.client.post(CONSENTS, consent_of())
        self.assertEqual(reply.status_code, 201, reply.content)
        made = reply.json()
        self.assertEqual([each["source"] for each in made], ["bureau", "soliq"])
        self.assertEqual({each["state"] for each in made}, {"valid"})
        self.assertEqual({each["recorded_by"] for each in made}, {self.officer.id})
        self.assertEqual({each["reference"] for each in made}, {"form 7"})
        found = self.client.post(LOOKUP, {"pinfl": PINFL})
        self.assertEqual((found.status_code, found.json()), (200, made))
        self.assertEqual(self.client.get(f"{CONSENTS}{made[0]['id']}/").json(), made[0])
        self.assertEqual(self.client.post(LOOKUP, {"pinfl": OTHER_PINFL}).json(), [])

    def test_who_need_not_see_the_paper_does_not(self):
        consent = allow()
        self.assertIsNone(client_for(self.analyst).get(f"{CONSENTS}{consent.id}/").json()["reference"])

    def test_a_consent_is_withdrawn_once(self):
        consent = allow()
        reply = self.client.post(f"{CONSENTS}{consent.id}/withdraw/")
        self.assertEqual((reply.status_code, reply.json()["state"]), (200, "withdrawn"))
        self.assertEqual(reply.json()["withdrawn_by"], self.officer.id)
        before = stored()
        again = self.client.post(f"{CONSENTS}{consent.id}/withdraw/")
        self.assertEqual((again.status_code, stored()), (409, before))

    def test_a_repeat_with_the_same_key_records_nothing_more(self):
        first, second = (self.client.post(CONSENTS, consent_of(), headers={"Idempotency-Key": "one"}) for _ in range(2))
        self.assertEqual((first.json(), Consent.objects.count()), (second.json(), 2))

    def test_what_is_wrong_is_named_and_nothing_is_stored(self):
        today = lender_today()
        day = {name: (today + timedelta(days=days)).isoformat() for name, days in DAYS.items()}
        wrong = {
            "pinfl": [consent_of("31210632040245"), consent_of(INN), consent_of(int(PINFL))],
            "sources": [consent_of(sources=[]), consent_of(sources=["soliq"] * 3)],
            "sources.0": [consent_of(sources=["kadastr"]), consent_of(sources=[7])],
            "purpose": [consent_of(purpose="marketing"), consent_of(purpose=None)],
            "given_on": [consent_of(given_on=day["tomorrow"]), consent_of(given_on="31.12.2025")],
            "expires_on": [
                consent_of(expires_on=day["yesterday"], given_on=day["last week"]),
                consent_of(expires_on=day["in 181 days"]),
                consent_of(expires_on=day["in 1826 days"], purpose="monitoring"),
            ],
            "reference": [consent_of(reference=""), consent_of(reference="x" * 201)],
            "version": [consent_of(version=1)],
        }
        before = stored()
        for field, bodies in wrong.items():
            for body in bodies:
                with self.subTest(field=field, body=body):
                    reply = self.client.post(CONSENTS, body)
                    self.assertEqual(reply.status_code, 400)
                    named = [problem["field"] for problem in reply.json()["errors"]]
                    self.assertIn(field.replace(".0", "[0]"), named)
                    self.assertNotIn(PINFL, reply.content.decode())
        self.assertEqual(stored(), before)

    def test_the_longest_that_is_allowed(self):
        for purpose, days in (("credit_assessment", 180), ("monitoring", 1825)):
            last = (lender_today() + timedelta(days=days)).isoformat()
            with self.subTest(purpose=purpose):
                reply = self.client.post(CONSENTS, consent_of(purpose=purpose, expires_on=last))
                self.assertEqual(reply.status_code, 201)

    def test_other_roles_and_unknown_ids(self):
        self.assertEqual(client_for(self.analyst).post(CONSENTS, consent_of()).status_code, 403)
        unknown = "00000000-0000-4000-8000-000000000000"
        self.assertEqual(self.client.get(f"{CONSENTS}{unknown}/").status_code, 404)
        self.assertEqual(self.client.post(f"{CONSENTS}{unknown}/withdraw/").status_code, 404)


DAYS = {"tomorrow": 1, "yesterday": -1, "last week": -7, "in 181 days": 181, "in 1826 days": 1826}


class EnforcedTests(SignedIn):
    def test_without_a_consent_nobody_is_asked_about_a_person(self):
        doors = [("/api/external/soliq/lookup/", "soliq"), ("/api/external/bureau/lookup/", "bureau")]
        with live_registry() as server:
            replies = [self.client.post(path, {"pinfl": PINFL}) for path, _ in doors]
            replies.append(self.client.get(f"/api/external/soliq/{PINFL}/"))
        self.assertEqual([reply.status_code for reply in replies], [409] * 3)
        self.assertEqual({reply.json()["type"] for reply in replies}, {"urn:credit-ml:problem:consent-required"})
        self.assertEqual((server.asked, ExternalRecord.objects.count()), ([], 0))

    def test_with_one_the_source_that_it_names_is_asked(self):
        allow(PINFL, "bureau")
        with live_registry() as server:
            asked = self.client.post("/api/external/bureau/lookup/", {"pinfl": PINFL})
            refused = self.client.post("/api/external/soliq/lookup/", {"pinfl": PINFL})
        self.assertEqual((asked.status_code, refused.status_code, len(server.asked)), (201, 409, 1))

    def test_companies_and_parcels_need_none(self):
        with live_registry() as server:
            for path in (f"/api/external/soliq/{INN}/", f"/api/external/kadastr/{PARCEL}/"):
                self.assertEqual(self.client.get(path).status_code, 201)
        self.assertEqual(len(server.asked), 2)

    def test_it_holds_on_its_last_day_in_the_time_zone_of_the_lender_and_not_after(self):
        consent = allow()
        midnight = start_of(consent.expires_on + timedelta(days=1))
        last, after = midnight - timedelta(seconds=1), midnight
        with live_registry() as server:
            with self.assertRaises(ConsentMissing):
                find_or_fetch_record(source="soliq", identifier=PINFL, actor=None, clock=lambda: after)
            self.assertEqual(server.asked, [])
            find_or_fetch_record(source="soliq", identifier=PINFL, actor=None, clock=lambda: last)
        self.assertEqual(len(server.asked), 1)

    def test_withdrawn_between_queueing_and_asking_it_is_not_asked_and_the_job_says_so(self):
        consent = allow()
        ensure_record(source="soliq", identifier=PINFL, actor=None)
        withdraw_consent(consent=consent, actor=None, now=timezone.now())
        with live_registry() as server:
            work_due_jobs()
        job = Job.objects.get(name="refresh_soliq_record")
        self.assertEqual((job.state, job.result["skipped"], server.asked), ("done", "consent-required", []))

    def test_what_is_stored_is_served_without_one_and_grows_old(self):
        consent = allow()
        self.client.post("/api/external/soliq/lookup/", {"pinfl": PINFL})
        withdraw_consent(consent=consent, actor=None, now=timezone.now())
        ExternalRecord.objects.update(checked_at=timezone.now() - timedelta(days=40))
        Job.objects.all().delete()
        reply = self.client.post("/api/external/soliq/lookup/", {"pinfl": PINFL})
        self.assertEqual((reply.status_code, reply.json()["is_stale"]), (200, True))
        self.assertEqual(Job.objects.filter(name="refresh_soliq_record").count(), 0)
        record = ensure_record(source="soliq", identifier=PINFL, actor=None)
        self.assertEqual(str(record.id), reply.json()["id"])
        self.assertEqual(Job.objects.filter(name="refresh_soliq_record").count(), 0)

    def test_asking_by_the_task_needs_one_too(self):
        with self.assertRaises(ConsentMissing):
            refresh_record(source="bureau", identifier=PINFL)
        self.assertEqual(ExternalRecord.objects.count(), 0)


class StoredTests(TestCase):
    def recorded(self) -> Consent:
        days = {"given_on": lender_today(), "expires_on": lender_today() + timedelta(days=30)}
        given = {"pinfl": PINFL, "sources": ["soliq"], "purpose": "monitoring", "reference": "form 7"} | days
        return record_consent(**given, actor=None, now=timezone.now())[0]

    def test_it_names_the_person_by_the_data_key_alone(self):
        consent = self.recorded()
        self.assertEqual(consent.data_key.owner_index, blind_index("person", PINFL))
        self.assertEqual(consent.opened(), {"reference": "form 7"})
        event = AuditEvent.objects.get(action="consent.record")
        self.assertEqual(set(event.details), {"source", "purpose", "until"})

    def test_the_database_lets_nothing_be_changed_but_the_one_withdrawal(self):
        consent = self.recorded()
        other = DataKey.objects.create(key_id=consent.data_key.key_id, wrapped=b"x" * 60)
        later = (consent.expires_on + timedelta(days=1)).isoformat()
        changes = [f"expires_on = '{later}'", "source = 'bureau'", "purpose = 'credit_assessment'"]
        changes += [f"data_key_id = '{other.id.hex if connection.vendor == 'sqlite' else other.id}'"]
        for change in changes:
            with self.subTest(change=change), self.assertRaises(DatabaseError), transaction.atomic():
                self.run_sql(f"UPDATE external_integrations_consent SET {change}")
        with self.assertRaises(DatabaseError), transaction.atomic():
            self.run_sql("DELETE FROM external_integrations_consent")
        withdraw_consent(consent=consent, actor=None, now=timezone.now())
        with self.assertRaises(DatabaseError), transaction.atomic():
            self.run_sql("UPDATE external_integrations_consent SET withdrawn_at = NULL")
        self.assertIsNotNone(Consent.objects.get().withdrawn_at)

    def run_sql(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def test_wrong_scopes_are_refused_by_the_service_too(self):
        today = lender_today()
        given = {"pinfl": PINFL, "purpose": "monitoring", "given_on": today, "expires_on": today, "reference": "x"}
        for sources in ([], ["kadastr"], ["soliq", "police"]):
            with self.subTest(sources=sources), self.assertRaises(InvalidInput):
                record_consent(**given, sources=sources, actor=None, now=timezone.now())
        self.assertEqual(Consent.objects.count(), 0)
