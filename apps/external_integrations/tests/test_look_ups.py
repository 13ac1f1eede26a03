"""The look-ups of the API: stored or fetched, masked, refused with a sentence, 503 when the source is down."""

from datetime import timedelta
from urllib.parse import quote

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.models import Job
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL, allow
from apps.external_integrations.tests.registry import NOBODY, asking, live_registry, saying

LOOK_UP = "/api/external/soliq/lookup/"
FIELDS = {
    "id",
    "source",
    "identifier",
    "origin",
    "is_mock",
    "observed_at",
    "fetched_at",
    "age_days",
    "is_stale",
    "currency",
    "facts",
    "warnings",
}


class SignedIn(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.officer = make_user("officer")

    def setUp(self):
        self.client = client_for(self.officer)


class FoundTests(SignedIn):
    def test_the_first_look_up_fetches_and_the_second_is_served_from_store(self):
        first = self.client.get(reverse("external-soliq", args=["123456789"]))
        second = self.client.get("/api/external/soliq/123456789/")
        self.assertEqual((first.status_code, second.status_code), (201, 200))
        self.assertEqual(first.json(), second.json())
        self.assertEqual(set(first.json()), FIELDS)
        self.assertEqual((ExternalRecord.objects.count(), ExternalRecordVersion.objects.count()), (1, 1))

    def test_a_mock_says_so_and_the_identifier_is_masked(self):
        found = self.client.get(f"/api/external/soliq/{INN}/").json()
        self.assertEqual((found["source"], found["origin"], found["is_mock"]), ("soliq", "mock", True))
        self.assertEqual(found["identifier"], "•••••••28")
        self.assertEqual(
            found["warnings"],
            ["This record was invented by the mock client (origin mock); it does not come from soliq."],
        )
        self.assertEqual((found["age_days"], found["is_stale"], found["currency"]), (0, False, "UZS"))
        self.assertEqual(set(found["facts"]), {"declared_revenue", "tax_debt"})

    def test_an_unusual_prefix_or_check_digit_only_warns(self):
        warnings = self.client.get("/api/external/soliq/123456789/").json()["warnings"]
        self.assertTrue(warnings[0].startswith("The INN starts with neither 2 or 3"))
        self.assertTrue(warnings[1].startswith("The last digit of the INN does not fit"))
        self.assertEqual(len(warnings), 3)

    def test_a_parcel_with_colons_and_slashes(self):
        for parcel, warned in ((PARCEL, 1), ("UZ-ABC-100", 2), ("10:01/7-A", 2), ("10:01:000000001", 2)):
            with self.subTest(parcel=parcel):
                address = reverse("external-kadastr", args=[parcel])
                first, second = self.client.get(address), self.client.get(address)
                self.assertEqual((first.status_code, second.status_code), (201, 200))
                self.assertEqual(list(first.json()["facts"]), ["property_area"])
                self.assertEqual(len(first.json()["warnings"]), warned)

    def test_one_source_does_not_answer_for_the_other(self):
        statuses = [self.client.get(f"/api/external/{source}/{INN}/").status_code for source in ("soliq", "kadastr")]
        self.assertEqual(statuses, [201, 201])

    def test_a_person_by_body_and_by_path_is_one_record(self):
        allow()
        first = self.client.post(LOOK_UP, {"pinfl": PINFL})
        second = self.client.get(f"/api/external/soliq/{PINFL}/")
        third = self.client.post(LOOK_UP, {"inn": INN})
        self.assertEqual([r.status_code for r in (first, second, third)], [201, 200, 201])
        self.assertEqual(first.json(), second.json())
        self.assertEqual(set(first.json()["facts"]), {"declared_yearly_income", "tax_debt"})

    def test_over_http_the_record_says_so_and_carries_no_warning(self):
        with live_registry() as server:
            first = self.client.get(f"/api/external/soliq/{INN}/")
            second = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((first.status_code, second.status_code, len(server.asked)), (201, 200, 1))
        self.assertEqual(
            (first.json()["origin"], first.json()["is_mock"], first.json()["warnings"]), ("http", False, [])
        )

    def test_once_the_source_is_live_a_stored_mock_is_not_taken_for_it(self):
        self.client.get(f"/api/external/soliq/{INN}/")
        with live_registry():
            live = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((live.status_code, live.json()["origin"]), (201, "http"))

    def test_a_stale_record_is_served_marked_and_its_refresh_queued(self):
        record_id = self.client.get(f"/api/external/soliq/{INN}/").json()["id"]
        old = timezone.now() - timedelta(days=31, hours=1)
        ExternalRecord.objects.update(checked_at=old, observed_at=old)
        found = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((found.status_code, found.json()["is_stale"], found.json()["age_days"]), (200, True, 31))
        self.assertIn("a refresh is queued", found.json()["warnings"][-1])
        self.assertTrue(Job.objects.filter(name="refresh_soliq_record", arguments={"record_id": record_id}).exists())

    def test_each_look_up_leaves_an_audit_event_without_identifier(self):
        record_id = self.client.get(f"/api/external/soliq/{INN}/").json()["id"]
        self.client.get(f"/api/external/soliq/{INN}/")
        events = AuditEvent.objects.filter(action__startswith="external_record").order_by("id")
        record = ExternalRecord.objects.get()
        held = {"version": str(record.current_id), "observed_at": record.observed_at.isoformat()}
        held |= {"checked_at": record.checked_at.isoformat()}
        fetched = {"source": "soliq", "origin": "mock", "changed": True} | held
        self.assertEqual(
            [(e.action, e.actor, e.subject_id, e.details) for e in events],
            [
                ("external_record.fetch", self.officer, record_id, fetched),
                ("external_record.look_up", self.officer, record_id, {"source": "soliq"}),
            ],
        )


class RefusedTests(SignedIn):
    def assert_nothing_stored(self):
        self.assertEqual((ExternalRecord.objects.count(), ExternalRecordVersion.objects.count()), (0, 0))

    def refused(self, response, field: str, sentence: str = "") -> None:
        self.assertEqual(response.status_code, 400, response.content)
        self.assertEqual(response["Content-Type"], "application/problem+json")
        problems = {e["field"]: e["message"] for e in response.json()["errors"]}
        self.assertIn(field, problems)
        self.assertIn(sentence, problems[field])
        self.assert_nothing_stored()

    def test_paths_that_are_no_inn(self):
        wrong = [
            "12345678",
            "1234567890",
            "12345678a",
            "١٢٣٤٥٦٧٨٩",
            "12345678\x00",
            "123456789\n",
            " 12345678",
            "%31",
            "9" * 5000,
        ]
        for given in wrong:
            with self.subTest(given=given[:20]):
                self.refused(self.client.get(f"/api/external/soliq/{quote(given)}/"), "inn")

    def test_a_pinfl_is_checked_and_the_sentence_says_what_is_wrong(self):
        wrong = {
            "31210632040245": "The last digit of the PINFL does not fit",
            "33113632040244": "do not hold a real birth date",
            "51210992040244": "lies in the future",
            "3121063204024": "An INN has exactly 9 digits, a PINFL exactly 14; 13 characters were given.",
        }
        for given, sentence in wrong.items():
            with self.subTest(given=given):
                response = self.client.get(f"/api/external/soliq/{given}/")
                self.refused(response, "inn", sentence)
                self.assertNotIn(given, response.content.decode())

    def test_paths_that_are_no_parcel(self):
        wrong = [
            "../../etc/passwd",
            "10.01",
            "a b",
            "10:01\x00",
            "ЎЗ-100",
            "x" * 65,
            "10:01?x",
            "a\\b",
            "%2e%2e",
        ]
        for given in wrong:
            with self.subTest(given=given):
                self.refused(self.client.get(f"/api/external/kadastr/{quote(given)}/"), "parcel_id")

    def test_a_path_with_more_than_an_identifier_is_no_address(self):
        for given in (f"soliq/{INN}/x", f"soliq/{INN}//", f"soliq/../soliq/{INN}", "kadastr/10:01%0A", "kadastr/"):
            with self.subTest(given=given):
                self.assertEqual(self.client.get(f"/api/external/{given}/").status_code, 404)
        self.assert_nothing_stored()

    def test_bodies_that_are_no_look_up(self):
        wrong = [
            ({}, "pinfl"),
            ({"pinfl": PINFL, "inn": INN}, "inn"),
            ({"pinfl": INN}, "pinfl"),
            ({"inn": PINFL}, "inn"),
            ({"pinfl": int(PINFL)}, "pinfl"),
            ({"pinfl": None}, "pinfl"),
            ({"pinfl": [PINFL]}, "pinfl"),
            ({"pinfl": "31210632040245"}, "pinfl"),
            ({"inn": "٢٠١٥٨٩٨٢٨"}, "inn"),
            ({"inn": "2015898\x008"}, "inn"),
            ({"inn": INN, "tax_debt": 0}, "tax_debt"),
            ({"inn": "2" * 300_000}, "inn"),
        ]
        for body, field in wrong:
            with self.subTest(body=str(body)[:60]):
                self.refused(self.client.post(LOOK_UP, body), field)

    def test_records_cannot_be_written(self):
        for method in ("post", "put", "patch", "delete"):
            with self.subTest(method=method):
                response = getattr(self.client, method)(f"/api/external/soliq/{INN}/", {"tax_debt": 0})
                self.assertIn(response.status_code, (403, 405))
        self.assert_nothing_stored()


class PermissionTests(TestCase):
    ADDRESSES = (f"/api/external/soliq/{INN}/", f"/api/external/kadastr/{PARCEL}/")

    def test_anonymous_gets_401_even_for_what_is_no_identifier(self):
        for address in (*self.ADDRESSES, "/api/external/soliq/abc/"):
            with self.subTest(address=address):
                self.assertEqual(self.client.get(address).status_code, 401)
        self.assertEqual(self.client.post(LOOK_UP, {"inn": INN}, content_type="application/json").status_code, 401)
        self.assertEqual(ExternalRecord.objects.count(), 0)

    def test_administrators_get_403(self):
        client = client_for(make_user("administrator"))
        statuses = [client.get(a).status_code for a in self.ADDRESSES] + [
            client.post(LOOK_UP, {"inn": INN}).status_code
        ]
        self.assertEqual(statuses, [403, 403, 403])
        self.assertEqual(ExternalRecord.objects.count(), 0)

    def test_readers_may_look_up(self):
        for role in ("officer", "approver", "analyst", "auditor"):
            with self.subTest(role=role):
                client = client_for(make_user(role))
                self.assertIn(client.get(self.ADDRESSES[0]).status_code, (200, 201))

    def test_the_admin_site_shows_no_identifier_and_changes_nothing(self):
        administrator = make_user("administrator")
        record = client_for(make_user("analyst")).get(self.ADDRESSES[0]).json()
        self.client.force_login(administrator)
        for address in ("", f"{record['id']}/change/"):
            page = self.client.get(f"/admin/external_integrations/externalrecord/{address}")
            self.assertContains(page, record["id"])
            self.assertNotContains(page, INN)
        self.assertEqual(self.client.get("/admin/external_integrations/externalrecord/add/").status_code, 403)


class SourceDownTests(SignedIn):
    def test_503_and_nothing_stored_but_the_audit_event(self):
        with asking(NOBODY), self.assertLogs("external_integrations", "WARNING") as logs:
            response = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json()["type"], "urn:credit-ml:problem:source-unavailable")
        self.assertNotIn(INN, response.content.decode() + "".join(logs.output))
        self.assertEqual((ExternalRecord.objects.count(), ExternalRecordVersion.objects.count()), (0, 0))
        event = AuditEvent.objects.get(action="external_record.fetch_failed")
        self.assertEqual(
            (event.actor, event.details), (self.officer, {"source": "soliq", "error": "SourceUnreachable"})
        )

    def test_a_wrong_reply_is_503_too(self):
        with live_registry(saying('{"tax_debt": NaN}')):
            response = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((response.status_code, ExternalRecord.objects.count()), (503, 0))
        self.assertIn("cannot be read as JSON", response.json()["detail"])

    def test_what_is_stored_is_served_while_the_source_is_down(self):
        with live_registry():
            self.client.get(f"/api/external/soliq/{INN}/")
        ExternalRecord.objects.update(checked_at=timezone.now() - timedelta(days=40))
        with asking(NOBODY):
            found = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((found.status_code, found.json()["origin"], found.json()["is_stale"]), (200, "http", True))

    def test_what_the_source_does_not_know_is_404(self):
        with live_registry(saying('{"code": "unknown-identifier"}', 404)):
            response = self.client.get(f"/api/external/soliq/{INN}/")
        self.assertEqual((response.status_code, ExternalRecordVersion.objects.count()), (404, 0))
        with live_registry():
            self.assertEqual(self.client.get(f"/api/external/soliq/{INN}/").status_code, 201)
