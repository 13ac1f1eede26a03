"""The audit trail on screen: what is found by whom, decisions as they were made, replays, and the export."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from django.http import HttpResponse
from django.test import TestCase
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.tests.factories import make_product, make_request
from apps.individuals.tests.factories import make_individual
from apps.policies.services import register_shipped_policies
from apps.workbench import audit_export
from apps.workbench.audit_export import COLUMNS, inert
from apps.workbench.tests.html import Reader, read
from apps.workbench.tests.rows import signed_in

HOSTILE = '=HYPERLINK("http://x","y")'
MARCH_3 = "since=2026-03-03&until=2026-03-03"


def make_event(moment: str, actor: User | None = None, **fields: Any) -> AuditEvent:
    """`moment`: in UTC; Tashkent is five hours ahead."""
    told = {"action": "saved_view.save", "subject_type": "workbench.SavedView", "subject_id": "7"} | fields
    with mock.patch("django.utils.timezone.now", return_value=datetime.fromisoformat(moment).replace(tzinfo=UTC)):
        return AuditEvent.objects.create(actor=actor, **told)


class AuditCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.branch = make_branch()
        cls.officer, cls.auditor = make_user("officer", cls.branch), make_user("auditor")
        cls.administrator = make_user("administrator")

    def setUp(self) -> None:
        self.client = signed_in(self.auditor)

    def page(self, address: str, status: int = 200) -> Reader:
        return self.read(self.client.get(address), status)

    def post(self, address: str, given: dict[str, str] | None = None, status: int = 200) -> Reader:
        return self.read(self.client.post(address, given or {}), status)

    def read(self, response: HttpResponse, status: int) -> Reader:
        self.assertEqual(response.status_code, status, response.content.decode()[:2000])
        return read(response.content)

    def found(self, query: str) -> list[int]:
        page = self.page(f"/audit/?{query}")
        links = [each for each in page.all("a") if each.attributes.get("class") == "row-link"]
        return [int(each.attributes["href"].split("/")[3]) for each in links]


class SearchTests(AuditCase):
    def test_a_day_is_the_lenders_from_midnight_to_midnight_in_tashkent(self) -> None:
        before = make_event("2026-03-02T18:59:59.999999")
        first = make_event("2026-03-02T19:00:00")
        last = make_event("2026-03-03T18:59:59.999999")
        after = make_event("2026-03-03T19:00:00")
        self.assertEqual(self.found(MARCH_3), [last.id, first.id])
        self.assertEqual(self.found("until=2026-03-02"), [before.id])
        self.assertIn(after.id, self.found("since=2026-03-04"))

    def test_sign_ins_are_left_out_unless_they_are_asked_for(self) -> None:
        came = make_event("2026-03-03T08:00:00", action="session.start", subject_type="accounts.User")
        went = make_event("2026-03-03T09:00:00", action="session.end", subject_type="accounts.User")
        did = make_event("2026-03-03T10:00:00")
        self.assertEqual(self.found(MARCH_3), [did.id])
        self.assertEqual(self.found(f"{MARCH_3}&sign_ins=on"), [did.id, went.id, came.id])
        self.assertEqual(self.found(f"{MARCH_3}&action=session.end"), [went.id])
        self.assertEqual(self.found(f"{MARCH_3}&subject_type=accounts.User"), [went.id, came.id])

    def test_by_actor_action_subject_and_row(self) -> None:
        mine = make_event("2026-03-03T08:00:00", self.officer)
        other = make_event("2026-03-03T09:00:00", action="product.create", subject_type="credit_requests.Product")
        row = make_event("2026-03-03T10:00:00", subject_id="8")
        self.assertEqual(self.found(f"{MARCH_3}&actor={self.officer.username}"), [mine.id])
        self.assertEqual(self.found(f"{MARCH_3}&action=product.create"), [other.id])
        self.assertEqual(self.found(f"{MARCH_3}&subject_type=workbench.SavedView"), [row.id, mine.id])
        self.assertEqual(self.found(f"{MARCH_3}&subject_id=8"), [row.id])
        self.assertEqual(self.found(f"{MARCH_3}&subject_id=8&subject_type=credit_requests.Product"), [])

    def test_pages_by_place_and_keep_what_was_chosen(self) -> None:
        made = [make_event(f"2026-03-03T08:00:{second:02}").id for second in range(60)][::-1]
        page = self.page(f"/audit/?{MARCH_3}")
        older = next(each.attributes["href"] for each in page.all("a") if each.attributes.get("rel") == "next")
        self.assertIn(f"&{MARCH_3}", older)
        self.assertEqual(self.found(MARCH_3) + self.found(older.removeprefix("?")), made)
        self.assertEqual(self.client.get("/audit/?page=x").status_code, 404)

    def test_what_cannot_be_searched_for_is_told_by_field_and_nothing_is_shown(self) -> None:
        cases = {
            "actor=nobody": "There is no account of this name.",
            "action=Drop+table": "Give an action as it is coded, such as credit_request.decide.",
            "subject_id=31210632040244": "Give the id of a row, as its page or the API shows it.",
            "since=soon": "Give a day, such as 20.05.2014.",
            "until=0001-01-01": "Give a day, such as 20.05.2014.",
            "until=9999-12-31": "Give a day, such as 20.05.2014.",
            "since=2026-03-04&until=2026-03-03": "This day lies before the first.",
        }
        make_event("2026-03-03T08:00:00")
        for query, sentence in cases.items():
            page = self.page(f"/audit/?{query}", 400)
            self.assertIn(sentence, page.texts, query)
            self.assertEqual([each for each in page.all("a") if each.attributes.get("class") == "row-link"], [])

    def test_the_number_of_queries_is_fixed(self) -> None:
        for second in range(60):
            make_event(f"2026-03-03T08:00:{second:02}", self.officer)
        with self.assertNumQueries(3):  # session, user, events with their actors
            self.client.get(f"/audit/?{MARCH_3}")

    def test_an_administrator_sees_events_and_finds_nobody(self) -> None:
        self.client = signed_in(self.administrator)
        page = self.page("/audit/")
        self.assertEqual([each for each in page.all("input") if each.attributes.get("name") == "search"], [])
        self.post("/audit/applicants/", {"search": "Umarova"}, 403)


class EventTests(AuditCase):
    def test_one_event_with_its_details_and_the_others_of_its_call(self) -> None:
        details = {"pinfl": "31210632040244", "rows": 3, "who": "<b>"}
        one = make_event("2026-03-03T08:00:00", self.officer, details=details, request_id="call-1")
        same = make_event("2026-03-03T08:00:01", request_id="call-1", action="product.create")
        other_day = make_event("2026-03-05T08:00:01", request_id="call-1")
        page = self.page(f"/audit/events/{one.id}/")
        self.assertIn("Saved view: saved", page.texts)
        self.assertIn("3 Mar 2026, 13:00", page.texts)
        self.assertIn("<b>", page.texts)
        self.assertNotIn("31210632040244", " ".join(page.texts))
        links = [each.attributes.get("href") for each in page.all("a")]
        self.assertIn(f"/audit/events/{same.id}/", links)
        self.assertNotIn(f"/audit/events/{other_day.id}/", links)

    def test_what_only_looks_like_an_identifier_is_shown_whole(self) -> None:
        one = make_event("2026-03-03T08:00:00", details={"share": 0.31210632040244, "counts": [31210632040244]})
        texts = self.page(f"/audit/events/{one.id}/").texts
        self.assertIn("0.31210632040244", texts)
        self.assertNotIn("31210632040244]", " ".join(texts))

    def test_one_that_is_not_there(self) -> None:
        self.page("/audit/events/999999/", 404)

    def test_an_action_without_a_word_stands_as_it_is_coded(self) -> None:
        one = make_event("2026-03-03T08:00:00", action="widget.polish", subject_type="x.Widget")
        self.assertIn("x.Widget: polish", self.page(f"/audit/events/{one.id}/").texts)


class DecisionCase(AuditCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        register_shipped_policies(now=timezone.now())
        person = make_individual(cls.branch, full_name="Umarova Lola")
        cls.request = make_request(person, make_product(name="Olma"))
        cls.decision = decide_by_policy(credit_request=cls.request, version=1, actor=cls.officer, now=timezone.now())


class WhyTests(DecisionCase):
    """Why was this person declined on that day? By clicking alone."""

    def test_from_the_person_to_the_decision_of_that_day_and_its_reasons(self) -> None:
        page = self.post("/audit/applicants/", {"search": "lola umarova"})
        address = f"/audit/decisions/{self.decision.id}/"
        self.assertIn(address, [each.attributes.get("href") for each in page.all("a")])
        page = self.page(address)
        self.assertIn("Umarova Lola", page.texts)
        self.assertIn(str(self.decision.policy), " ".join(page.texts))
        self.assertIn(str(self.decision.prediction.score), page.texts)
        actions = {each.attributes.get("action") for each in page.all("form")}
        self.assertIn(f"{address}replay/", actions)
        self.assertIn(f"/audit/predictions/{self.decision.prediction_id}/replay/", actions)

    def test_by_pinfl_and_what_is_mistyped(self) -> None:
        pinfl = self.request.individual.profile["pinfl"]
        page = self.post("/audit/applicants/", {"search": pinfl})
        self.assertIn("Umarova Lola", page.texts)
        page = self.post("/audit/applicants/", {"search": "123"}, 400)
        self.assertIn("An INN has exactly 9 digits, a PINFL exactly 14; 3 characters were given.", page.texts)
        page = self.post("/audit/applicants/", {"search": "Nobody"})
        self.assertTrue(any(each.startswith("Nobody is found by this.") for each in page.texts))
        self.assertEqual(self.client.get("/audit/applicants/")["Location"], "/audit/")

    def test_reading_the_records_of_then_is_recorded(self) -> None:
        before = AuditEvent.objects.filter(action="external_record.look_up").count()
        self.page(f"/audit/decisions/{self.decision.id}/")
        looked = AuditEvent.objects.filter(action="external_record.look_up")
        self.assertEqual(looked.count() - before, len(self.decision.records))

    def test_the_number_of_queries_of_the_search_is_fixed(self) -> None:
        for number in range(3):
            make_request(make_individual(self.branch, full_name=f"Umarova Lola {number}a"), self.request.product)
        with self.assertNumQueries(6):
            self.client.post("/audit/applicants/", {"search": "Umarova"})

    def test_a_decision_that_is_not_there(self) -> None:
        self.page(f"/audit/decisions/{self.request.id}/", 404)
        self.post(f"/audit/decisions/{self.request.id}/replay/", status=404)
        self.post(f"/audit/predictions/{self.request.id}/replay/", status=404)


class ReplayTests(DecisionCase):
    def replayed(self, kind: str = "predictions") -> Reader:
        id_ = self.decision.prediction_id if kind == "predictions" else self.decision.id
        return self.post(f"/audit/{kind}/{id_}/replay/")

    def lines(self, page: Reader) -> list[list[str]]:
        """The cells of the table, row by row."""
        names = [each.text for each in page.all("th") if each.attributes.get("scope") == "row"]
        codes = [each.text for each in page.all("code")]
        return [[name, *codes[2 * place : 2 * place + 2]] for place, name in enumerate(names)]

    def test_the_same_bits_side_by_side_and_an_event_of_it(self) -> None:
        page, row = self.replayed(), self.decision.prediction
        self.assertIn("The same, to the last bit.", page.texts)
        score, probability, *_ = self.lines(page)
        self.assertEqual(score, ["Score", str(row.score), str(row.score)])
        bits = row.probability_of_default.hex()
        self.assertEqual(probability, ["Probability of default", bits, bits])
        self.assertEqual(len(self.lines(page)), 9)
        told = AuditEvent.objects.get(action="prediction.replay")
        self.assertEqual((told.actor, told.subject_id, told.details["rows"]), (self.auditor, str(row.id), 1))

    def test_what_differs_is_marked_and_what_is_sealed_is_told_by_name(self) -> None:
        row = self.decision.prediction
        unequal = (("score", row.score, row.score + 1), ("characteristic salary", "sealed", "sealed"))
        with mock.patch("apps.scoring_engine.replay._differing", return_value=unequal):
            page = self.replayed()
        self.assertIn("Not the same.", page.texts)
        lines = self.lines(page)
        self.assertEqual(lines[0], ["Score", str(row.score), str(row.score + 1)])
        self.assertEqual(lines[-1], ["characteristic salary", "–", "–"])
        self.assertEqual(page.texts.count("no"), 2)

    def test_of_an_erased_applicant_nothing_can_be_worked_out(self) -> None:
        destroy_keys([self.request.individual.data_key_id], now=timezone.now())
        for kind in ("predictions", "decisions"):
            page = self.replayed(kind)
            self.assertIn("It cannot be worked out again.", page.texts)
            self.assertNotIn("The same, to the last bit.", page.texts)
        page = self.page(f"/audit/decisions/{self.decision.id}/")
        self.assertIn("Erased applicant", page.texts)

    def test_a_decision_is_asked_again_of_its_policy(self) -> None:
        page = self.replayed("decisions")
        self.assertIn("The same, to the last bit.", page.texts)
        told = AuditEvent.objects.get(action="decision.replay")
        self.assertEqual((told.actor, told.subject_id), (self.auditor, str(self.decision.id)))
        with mock.patch("apps.credit_requests.decision_replay._differing", return_value=iter(["trace"])):
            page = self.replayed("decisions")
        self.assertIn("Not the same.", page.texts)
        self.assertIn("trace", page.texts)

    def test_replaying_changes_nothing_else(self) -> None:
        before = Decision.objects.count(), CreditRequest.objects.get(id=self.request.id).version
        self.replayed()
        self.replayed("decisions")
        after = Decision.objects.count(), CreditRequest.objects.get(id=self.request.id).version
        self.assertEqual(after, before)


class ExportTests(AuditCase):
    def exported(self, **given: str) -> str:
        response = self.client.post("/audit/export/", {"since": "2026-03-03", "until": "2026-03-03"} | given)
        self.assertEqual(response.status_code, 200)
        return b"".join(response.streaming_content).decode()

    def test_csv_with_nothing_live_in_any_cell(self) -> None:
        hostile = make_user("analyst")
        User.objects.filter(id=hostile.id).update(username=HOSTILE)
        details = {"note": "+998901234567", "pinfl": "31210632040244"}
        one = make_event("2026-03-03T08:00:00", User.objects.get(id=hostile.id), details=details, subject_id="@x")
        two = make_event("2026-03-03T18:59:59", subject_id="-1+1", request_id="\tcall")
        make_event("2026-03-03T19:00:00")
        header, *rows = csv.reader(io.StringIO(self.exported(format="csv")))
        self.assertEqual(tuple(header), COLUMNS)
        self.assertEqual([int(row[0]) for row in rows], [one.id, two.id])
        self.assertEqual(rows[0][1:3], ["2026-03-03T13:00:00+05:00", f"'{HOSTILE}"])
        self.assertEqual((rows[0][5], rows[1][5], rows[1][7]), ("'@x", "'-1+1", "'\tcall"))
        told = json.loads(rows[0][6])
        self.assertNotIn("901234567", told["note"])
        self.assertNotIn("31210632040244", told["pinfl"])

    def test_what_looks_like_an_identifier_leaves_the_line_whole(self) -> None:
        details = {"share": 0.31210632040244, "count": 31210632040244, "notes": ['a@b.uz"'], "is_full": True}
        make_event("2026-03-03T08:00:00", details=details)
        told = json.loads(self.exported(format="jsonl"))["details"]
        self.assertEqual((told["share"], told["is_full"]), (0.31210632040244, True))
        self.assertNotIn("31210632040244", str(told["count"]))
        self.assertNotIn("a@b.uz", told["notes"][0])

    def test_text_that_starts_like_a_formula_is_made_text(self) -> None:
        for text in ("=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"):
            self.assertEqual(inert(text), f"'{text}")
        for value in ("a=1", "", 5, None):
            self.assertEqual(inert(value), value)

    def test_lines_of_json(self) -> None:
        one = make_event("2026-03-03T08:00:00", self.officer, details={"b": [1, None], "a": "Gʻofur"})
        lines = [json.loads(line) for line in self.exported(format="jsonl").splitlines()]
        self.assertEqual(
            lines,
            [
                {
                    "id": one.id,
                    "created_at": "2026-03-03T13:00:00+05:00",
                    "actor": self.officer.username,
                    "action": "saved_view.save",
                    "subject_type": "workbench.SavedView",
                    "subject_id": "7",
                    "details": {"a": "Gʻofur", "b": [1, None]},
                    "request_id": "",
                }
            ],
        )

    def test_the_export_is_an_event_and_is_not_in_itself(self) -> None:
        make_event("2026-03-03T08:00:00", self.officer)
        text = self.exported(format="jsonl", since="2026-01-01", until="2030-01-01", actor=self.auditor.username)
        actions = [json.loads(line)["action"] for line in text.splitlines()]
        self.assertNotIn("audit.export", actions)
        told = AuditEvent.objects.get(action="audit.export")
        self.assertEqual((told.actor, told.subject_id), (self.auditor, str(self.auditor.id)))
        chosen = {"actor": self.auditor.username, "since": "2026-01-01", "until": "2030-01-01"}
        self.assertEqual(told.details, {"format": "jsonl", "filter": chosen, "rows": len(actions)})

    def test_too_many_an_unknown_format_and_a_wrong_day_are_refused_and_leave_no_event(self) -> None:
        for second in range(3):
            make_event(f"2026-03-03T08:00:0{second}")
        with mock.patch.object(audit_export, "MOST_EXPORTED", 2):
            page = self.post("/audit/export/", {"format": "csv"}, 400)
        self.assertIn("More than 2 events are found. Choose a shorter span of days.", " ".join(page.texts))
        self.post("/audit/export/", {"format": "xlsx"}, 400)
        self.post("/audit/export/", {"format": "csv", "since": "soon"}, 400)
        self.assertFalse(AuditEvent.objects.filter(action="audit.export").exists())

    def test_nothing_found_is_a_file_with_its_header_alone(self) -> None:
        self.assertEqual(self.exported(format="csv"), ",".join(COLUMNS) + "\r\n")
