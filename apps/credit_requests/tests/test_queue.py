"""The queue: what is chosen, in which order, page by page, with how many queries; and flags, those of the API."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.common.background import work_due_jobs
from apps.common.errors import InvalidInput
from apps.common.models import Job, NameWord
from apps.companies.tests.factories import make_company
from apps.credit_requests import flags as flags_module
from apps.credit_requests import queue
from apps.credit_requests.deciding import refer_request
from apps.credit_requests.erasure import erase_person
from apps.credit_requests.filling import fill_search
from apps.credit_requests.flags import FLAGS
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.queue import ORDERS, QueueFilter, QueuePage, count_by_status, read_queue
from apps.credit_requests.search import search_applicants
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.deciders import override_row, read
from apps.credit_requests.tests.factories import decided_guard_lifted, make_product, make_request
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.tests.factories import answered
from apps.individuals.models import Individual
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual

NOTHING_KNOWN = {"credit_history_score": None, "credit_history_scale": None, "bureau": None}


def ids(page: QueuePage) -> list[UUID]:
    return [row.request.id for row in page.rows]


class QueueTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        main, other = make_branch("main"), make_branch("other")
        cls.officer, cls.analyst = make_user("officer", main), make_user("analyst")
        cls.product, cls.car = make_product(), make_product(code="car-loan", most_amount=900_000_000)
        cls.old = make_request(make_individual(main, full_name="Lola Umarova"), cls.product, requested_amount=5_000_000)
        cls.thin = make_request(make_individual(main, **NOTHING_KNOWN), cls.car, requested_amount=90_000_000)
        cls.firm = make_request(make_company(main), cls.product, requested_amount=7_000_000)
        cls.elsewhere = make_request(make_individual(other), cls.product, requested_amount=9_000_000)
        work_due_jobs()
        cls.now = timezone.now()
        CreditRequest.objects.filter(id=cls.old.id).update(created_at=cls.now - timedelta(days=10))
        CreditRequest.objects.filter(id=cls.thin.id).update(created_at=cls.now - timedelta(days=3))
        for request in (cls.old, cls.thin, cls.firm, cls.elsewhere):
            request.refresh_from_db()

    def page(self, user: User | None = None, **chosen: Any) -> QueuePage:
        return read_queue(user or self.analyst, QueueFilter(**chosen), now=self.now)

    def chosen(self, user: User | None = None, **chosen: Any) -> set[CreditRequest]:
        return {row.request for row in self.page(user, **chosen).rows}

    # --- What is chosen ---------------------------------------------------------------------------------------

    def test_each_filter_chooses_its_requests(self) -> None:
        everything = {self.old, self.thin, self.firm, self.elsewhere}
        for expected, chosen in [
            (everything, {}),
            ({self.old}, {"older_than": 5}),
            ({self.old, self.thin}, {"older_than": 2}),
            ({self.thin}, {"older_than": 2, "newer_than": 5}),
            (everything - {self.old}, {"newer_than": 4}),
            ({self.thin, self.elsewhere}, {"least_amount": 9_000_000}),
            ({self.old, self.firm}, {"most_amount": 7_000_000}),
            ({self.thin}, {"product": self.car.id}),
            ({self.firm}, {"segment": "company"}),
            (everything - {self.firm}, {"segment": "individual"}),
            ({self.elsewhere}, {"branch": "other"}),
            (everything, {"status": "pending"}),
            (set(), {"status": "referred"}),
            ({self.thin}, {"flags": ("thin_file",)}),
            (set(), {"outcome": "refer"}),
            (set(), {"mine": True}),
            (set(), {"waits_for_second": True}),
        ]:
            with self.subTest(chosen):
                self.assertEqual(self.chosen(**chosen), expected)

    def test_every_grade_chooses_those_of_this_grade(self) -> None:
        for grade in "ABCDEFG":
            expected = {request for request in self.chosen() if request.prediction.grade == grade}
            self.assertEqual(self.chosen(grade=grade), expected)

    def test_what_a_person_decided_is_theirs_and_has_its_outcome(self) -> None:
        refer_request(
            credit_request=self.old, version=self.old.version, comment="look", actor=self.officer, now=self.now
        )
        self.assertEqual(self.chosen(self.officer, mine=True), {self.old})
        self.assertEqual(self.chosen(mine=True), set())
        self.assertEqual(self.chosen(outcome="refer"), {self.old})
        self.assertEqual(self.chosen(status="referred"), {self.old})
        self.assertEqual(self.chosen(outcome="approve"), set())
        withdraw_credit_request(credit_request=self.old, version=read(self.old).version, actor=None)
        # Withdrawn, and the decision that stands is still to refer.
        self.assertEqual(self.chosen(outcome="refer", status="withdrawn"), {self.old})
        self.assertEqual(self.chosen(outcome="decline"), set())

    def test_what_waits_for_a_second_person_does_so_until_its_time_is_over(self) -> None:
        decision = refer_request(
            credit_request=self.old, version=self.old.version, comment="look", actor=self.officer, now=self.now
        )
        soon = self.now + timedelta(hours=1)
        times = {"requested_at": self.now - timedelta(hours=1), "expires_at": soon}
        override_row(self.old, decision, self.officer, **times).save()
        page = self.page(waits_for_second=True)
        self.assertEqual([(row.request.id, row.waits_for_second) for row in page.rows], [(self.old.id, True)])
        later = read_queue(self.analyst, QueueFilter(waits_for_second=True), now=soon + timedelta(seconds=1))
        self.assertEqual(later.rows, [])

    def test_people_see_the_requests_of_their_branch(self) -> None:
        self.assertEqual(self.chosen(self.officer), {self.old, self.thin, self.firm})
        self.assertEqual(self.chosen(self.officer, branch="other"), set())
        self.assertEqual(self.chosen(make_user("administrator")), set())

    def test_counts_are_of_what_the_user_sees(self) -> None:
        none = dict.fromkeys(("referred", "approved", "rejected", "withdrawn"), 0)
        self.assertEqual(count_by_status(self.officer), {"pending": 3} | none)
        self.assertEqual(count_by_status(self.analyst), {"pending": 4} | none)

    def test_no_more_is_counted_than_is_told(self) -> None:
        self.make_many()
        with patch.object(queue, "MOST_COUNTED", 20):
            self.assertEqual(count_by_status(self.officer)["pending"], 21)

    def test_found_applicants_narrow_the_queue(self) -> None:
        found = search_applicants("Умарова", self.analyst)
        page = read_queue(self.analyst, QueueFilter(), now=self.now, found=found)
        self.assertEqual([row.name for row in page.rows], ["Lola Umarova"])
        nobody = search_applicants("Nobody", self.analyst)
        self.assertEqual(read_queue(self.analyst, QueueFilter(), now=self.now, found=nobody).rows, [])

    def test_rows_tell_name_and_age(self) -> None:
        told = {row.request: (row.name, row.age.days) for row in self.page().rows}
        self.assertEqual(told[self.old], ("Lola Umarova", 10))
        self.assertEqual(told[self.firm], (self.firm.company.profile["company_name"], 0))
        withdraw_credit_request(credit_request=self.old, version=self.old.version, actor=None)
        erase_person(individual=self.old.individual, reason="asked", actor=None)
        Individual.objects.filter(id=self.thin.individual_id).update(sealed=b"x" * 40)
        told = {row.request: row.name for row in self.page().rows}
        self.assertEqual((told[self.old], told[self.thin]), (None, ""))

    # --- Pages ------------------------------------------------------------------------------------------------

    def make_many(self) -> None:
        """37 more, of few amounts and moments, so that keys tie."""
        columns = {field.attname: getattr(self.firm, field.attname) for field in CreditRequest._meta.concrete_fields}
        rows = [CreditRequest(**columns | {"id": UUID(int=place + 1)}) for place in range(37)]
        CreditRequest.objects.bulk_create(rows)
        for place, row in enumerate(rows):
            moment, amount = self.now - timedelta(days=place % 3), 1_000_000 * (1 + place % 4)
            CreditRequest.objects.filter(id=row.id).update(created_at=moment, requested_amount=amount)

    def test_pages_tell_each_request_once_and_in_order(self) -> None:
        self.make_many()
        for name, order in ORDERS.items():
            chosen = QueueFilter(order=name)
            pages = [read_queue(self.analyst, chosen, now=self.now, size=7)]
            while cursor := pages[-1].next:
                pages.append(read_queue(self.analyst, chosen, now=self.now, cursor=cursor, size=7))
            keys = [(getattr(row.request, order.column), row.request.id) for page in pages for row in page.rows]
            with self.subTest(name):
                self.assertEqual((len(set(keys)), len(keys), len(pages)), (41, 41, 6))
                self.assertEqual(keys, sorted(keys, reverse=order.is_falling))
                self.assert_leads_back(pages, chosen)

    def assert_leads_back(self, pages: list[QueuePage], chosen: QueueFilter) -> None:
        self.assertEqual((pages[0].previous, pages[-1].next), ("", ""))
        for before, page in pairwise(pages):
            back = read_queue(self.analyst, chosen, now=self.now, cursor=page.previous, size=7)
            self.assertEqual(ids(back), ids(before))
            self.assertEqual((bool(back.previous), back.next), (bool(before.previous), before.next))

    def test_a_page_that_was_not_given_out_is_refused(self) -> None:
        self.make_many()
        given = read_queue(self.analyst, QueueFilter(order="largest"), now=self.now, size=1).next
        for cursor in (given, "?", "AAAA", "bnVsbA==", "WyJuZXdlc3QiLCAxLCAiYSJd", given + "x", "é"):
            with self.subTest(cursor), self.assertRaises(InvalidInput) as caught:
                read_queue(self.analyst, QueueFilter(), now=self.now, cursor=cursor)
            self.assertEqual(caught.exception.errors[0].field, "cursor")

    def test_a_page_takes_as_many_queries_however_long_it_is(self) -> None:
        with CaptureQueriesContext(connection) as few:
            self.page()
        self.make_many()
        with CaptureQueriesContext(connection) as many:
            self.assertEqual(len(self.page().rows), 41)
        self.assertEqual((len(few), len(many)), (4, 4))

    # --- Flags ------------------------------------------------------------------------------------------------

    def test_flags_are_those_of_the_api_and_choose_those_that_have_them(self) -> None:
        self.make_unusual()
        rows = {row.request.id: row for row in self.page().rows}
        replies = client_for(self.analyst).get("/api/credit-requests/").json()["results"]
        self.assertEqual(len(replies), 4)
        for reply in replies:
            flags = rows[UUID(reply["id"])].flags
            self.assertEqual(reply["flags"], flags)
            self.assertEqual("stale" in flags, bool(reply["stale_records"]))
            self.assertEqual("mock" in flags, reply["rests_on_mock"])
            self.assertEqual("fallback" in flags, reply["prediction"]["mode"] == "fallback")
            self.assertEqual("demonstration" in flags, reply["prediction"]["purpose"] == "demonstration")
            known = client_for(self.analyst).get(f"/api/credit-requests/{reply['id']}/records/").json()
            self.assertEqual("contradiction" in flags, bool(known["contradictions"]))
        for flag in FLAGS:
            expected = {row.request for row in rows.values() if flag in row.flags}
            self.assertEqual(self.chosen(flags=(flag,)), expected, flag)
        self.assertEqual(rows[self.old.id].flags, ["demonstration", "stale", "contradiction"])
        self.assertEqual(self.chosen(flags=("stale", "contradiction")), {self.old})
        with patch.object(flags_module, "FEW", 0):
            self.assertEqual(self.chosen(flags=("stale", "contradiction")), {self.old})

    def make_unusual(self) -> None:
        """The old request rests on a true record, which tells of less income, and of a stale one."""
        records = self.old.external_records.select_related("data_key").order_by("source")
        for record in records:
            told = {"declared_yearly_income": 1_000_000} if record.source == "soliq" else {}
            answered(record, observed_at=self.now + timedelta(minutes=1), **told)
        work_due_jobs()
        long_ago = self.now - timedelta(days=400)
        ExternalRecord.objects.filter(id=records.last().id).update(checked_at=long_ago)

    @override_settings(
        EXTERNAL_SOURCES={source: {"client": "http", "fresh_days": 30} for source in ("soliq", "kadastr", "bureau")}
    )
    def test_an_invented_record_is_none_once_the_source_is_asked(self) -> None:
        self.assertEqual(self.chosen(flags=("mock",)), set())
        self.assertNotIn("mock", {flag for row in self.page().rows for flag in row.flags})

    def test_records_of_the_erased_are_told_of_no_more(self) -> None:
        withdraw_credit_request(credit_request=self.old, version=self.old.version, actor=None)
        erase_person(individual=self.old.individual, reason="asked", actor=None)
        row = next(row for row in self.page().rows if row.request == self.old)
        self.assertNotIn("mock", row.flags)
        self.assertEqual(self.chosen(flags=("mock",)), {row.request for row in self.page().rows if "mock" in row.flags})
        self.assertNotIn(self.old, self.chosen(flags=("mock",)))

    def test_a_check_marks_the_request_anew(self) -> None:
        person = self.thin.individual
        changes = {"credit_history_score": 700, "credit_history_scale": "fico_300_850"}
        update_individual(individual=person, version=1, changes=changes, actor=None)
        before = (self.thin.is_thin_file, self.thin.prediction_id)
        work_due_jobs()
        self.thin.refresh_from_db()
        self.assertEqual((before[0], self.thin.is_thin_file), (True, False))
        self.assertEqual((self.thin.score, self.thin.grade), (self.thin.prediction.score, self.thin.prediction.grade))
        self.assertNotEqual(before[1], self.thin.prediction_id)

    def test_marks_other_than_those_of_the_prediction_are_refused(self) -> None:
        rows = CreditRequest.objects.filter(id=self.old.id)
        before = rows.values().get()
        for change in (
            {"score": before["score"] + 1},
            {"grade": "A" if before["grade"] != "A" else "B"},
            {"is_fallback": True},
            {"is_demonstration": None},
            {"prediction": self.thin.prediction},
        ):
            refused = self.assertRaisesMessage(DatabaseError, "marks of a request")
            with self.subTest(change), refused, transaction.atomic():
                rows.update(**change)
        self.assertEqual(rows.values().get(), before)

    # --- What was there before --------------------------------------------------------------------------------

    def test_what_was_there_before_is_filled_once(self) -> None:
        words, marks = set(NameWord.objects.values_list("data_key", "word_index")), self.marks()
        NameWord.objects.all().delete()
        CreditRequest.objects.update(has_contradiction=None, is_thin_file=None)
        Individual.objects.filter(id=self.elsewhere.individual_id).update(sealed=b"x" * 40)
        self.assertEqual(fill_search(), {"people": 2, "companies": 1, "requests": 3, "unreadable": 2})
        lost = self.elsewhere.individual.data_key_id
        kept = {(key, word) for key, word in words if key != lost}
        self.assertEqual(set(NameWord.objects.values_list("data_key", "word_index")), kept)
        self.assertEqual(self.marks() - marks, {(self.elsewhere.id, None, None)})
        self.assertEqual(fill_search(), {"people": 0, "companies": 0, "requests": 0, "unreadable": 2})

    def marks(self) -> set[tuple]:
        return set(CreditRequest.objects.values_list("id", "has_contradiction", "is_thin_file"))

    def test_the_job_that_the_migration_queues_is_there(self) -> None:
        Job.objects.create(name="fill_search", arguments={}, key="fill_search:{}", due_at=self.now)
        self.assertEqual(work_due_jobs()["done"], 1)


class DecidedGuardTests(TestCase):
    def test_the_status_tells_the_outcome_unless_it_was_withdrawn(self) -> None:
        request = make_request()
        with decided_guard_lifted():
            CreditRequest.objects.filter(id=request.id).update(status="rejected")
        page = read_queue(make_user("auditor"), QueueFilter(outcome="decline"), now=timezone.now())
        self.assertEqual(ids(page), [request.id])
