"""What is counted of a week, to the last application; counting again, or anew after a crash, changes nothing."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase, TestCase

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.common.database import INSERT_ONLY, lift_guard, set_guard
from apps.common.errors import InvalidInput
from apps.credit_requests.rescoring import rescore_credit_request
from apps.credit_requests.tests.deciders import policy_row
from apps.credit_requests.tests.factories import change_debt
from apps.portfolio import counting
from apps.portfolio.counting import count_week, update_monitoring
from apps.portfolio.models import MonitoringWeek, WeekFigures
from apps.portfolio.tallies import Decided, Tally
from apps.portfolio.tests.counted import AFTER, MIDDLE, WEEK, apply, counts, decided, figures
from apps.portfolio.training import Training
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import empty_registry, put_in_service

HOUR = timedelta(hours=1)
NEXT = date(2026, 3, 9)


def contents() -> list[dict]:
    return [
        {name: value for name, value in row.items() if name != "id"}
        for row in WeekFigures.objects.order_by("week", "segment", "branch", "model_digest", "role").values()
    ]


class CountingTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.model = put_in_service(small_card(), on_own_data=True)
        cls.main, cls.other = make_branch(), make_branch("other")

    def count(self, week: date = WEEK, now: datetime = AFTER) -> dict[str, int]:
        return count_week(week=week, actor=None, now=now)

    def test_applications_by_branch_and_of_all_with_their_scores_and_bins(self) -> None:
        for branch, score in ((self.main, 790), (self.main, 520), (self.other, 690)):
            apply(branch, score=score)
        self.assertEqual(self.count(), {"applications": 3, "unreadable": 0})
        of_all = figures()
        self.assertEqual(of_all.model_digest, self.model.card_id)
        # No record has come yet, so all of them wait for a source.
        self.assertEqual(counts(of_all), {"applications": 3, "source_down": 3})
        banded = dict(zip([None, *of_all.scores["edges"]], of_all.scores["rows"], strict=True))
        self.assertEqual({edge: rows for edge, rows in banded.items() if rows}, {400: 1, 450: 1, 500: 1})
        self.assertEqual(sum(of_all.bins["credit_history_score"].values()), 3)
        by_branch = {row.branch_id: row.applications for row in WeekFigures.objects.exclude(branch=None)}
        self.assertEqual(by_branch, {self.main.id: 2, self.other.id: 1})

    def test_an_application_belongs_to_the_week_of_the_lender_in_which_it_came(self) -> None:
        midnight = datetime(2026, 3, 8, 19, tzinfo=UTC)
        apply(self.main, midnight - timedelta(microseconds=1))
        apply(self.main, midnight)
        self.count()
        self.count(NEXT, AFTER + timedelta(days=7))
        self.assertEqual([figures(week).applications for week in (WEEK, NEXT)], [1, 1])

    def test_the_last_scoring_of_the_week_counts_and_none_after_it(self) -> None:
        request = apply(self.main)
        change_debt(request, 70_000_000)
        rescore_credit_request(credit_request=request, cause="record:1", actor=None, now=MIDDLE + HOUR)
        self.count()
        last = PredictionLog.objects.get(cause="record:1")
        in_week = contents()
        bins = {each["feature"]: {each["bin"]: 1} for each in last.opened()["characteristics"]}
        self.assertEqual(figures().bins, bins)
        change_debt(request, 90_000_000)
        rescore_credit_request(credit_request=request, cause="record:2", actor=None, now=AFTER)
        self.count()
        self.assertEqual(contents(), in_week)

    def test_marks_of_the_scoring(self) -> None:
        apply(self.main, score=None, bureau=None, parcel_ids=[], consents=())
        self.count()
        self.assertEqual(counts(figures()), {"applications": 1, "thin_file": 1})

    def test_a_fallback_counts_under_the_card_that_stood_in(self) -> None:
        empty_registry()
        apply(self.main)
        self.count()
        row = figures()
        self.assertNotEqual(row.model_digest, self.model.card_id)
        self.assertEqual((row.applications, row.fallback), (1, 1))

    def test_a_challenger_is_counted_beside_the_champion(self) -> None:
        card = small_card() | {"version": "beside"}
        card["base_points"] += 100
        challenger = put_in_service(card, role="challenger")
        apply(self.main)
        self.count()
        beside = figures(role="challenger")
        self.assertEqual((beside.model_digest, beside.applications), (challenger.card_id, 1))
        self.assertEqual(figures().applications, 1)
        band = beside.scores["rows"].index(1)
        self.assertEqual(band - figures().scores["rows"].index(1), 2)  # bands of 50 points

    def test_who_was_erased_counts_without_what_was_sealed(self) -> None:
        erased, _ = apply(self.main), apply(self.main)
        destroy_keys([erased.individual.data_key_id], now=AFTER)
        self.assertEqual(self.count(), {"applications": 2, "unreadable": 1})
        row = figures()
        self.assertEqual(counts(row), {"applications": 2, "unreadable": 1, "source_down": 1})
        self.assertEqual(sum(row.scores["rows"]), 2)
        self.assertEqual(sum(row.bins["credit_history_score"].values()), 1)

    def test_a_row_that_was_tampered_with_is_told_and_stops_nothing(self) -> None:
        request = apply(self.main)
        table = PredictionLog._meta.db_table
        lift_guard(connection, table)
        PredictionLog.objects.filter(id=request.prediction_id).update(sealed=b"x" * 40)
        set_guard(connection, table, INSERT_ONLY[table])
        with mock.patch.object(counting.log, "error") as told:
            self.assertEqual(self.count(), {"applications": 1, "unreadable": 1})
        told.assert_called_once_with("prediction_cannot_be_read", prediction_id=str(request.prediction_id))

    def test_decisions_count_in_the_week_in_which_they_are_made(self) -> None:
        policy = policy_row()
        early, late = apply(self.main, MIDDLE - timedelta(days=7)), apply(self.main)
        decided(early, MIDDLE, policy=policy)
        decided(late, MIDDLE + 3.5 * HOUR, policy=policy, outcome="decline", policy_outcome="decline")
        decided(apply(self.main), MIDDLE, policy=policy, outcome="refer", policy_outcome="refer")
        decided(apply(self.other), AFTER, policy=policy)
        self.count()
        row = figures()
        self.assertEqual(counts(row), {"applications": 3, "source_down": 3, "policy_approved": 1, "policy_declined": 1,
                                       "policy_referred": 1})  # fmt: skip
        self.assertEqual(row.hours, {"3": 1, "168": 1})

    def test_people_and_what_they_decide_against_the_policy(self) -> None:
        policy, officer = policy_row(), make_user("officer", self.main)
        first, second = apply(self.main), apply(self.main)
        by = {"policy": policy, "kind": "person", "made_by": officer}
        decided(first, MIDDLE + HOUR, **by)
        decided(second, MIDDLE + HOUR, **by, outcome="decline", policy_outcome="decline")
        # Looked at again, and decided anew: the time to the first decision stays what it was.
        decided(
            second, MIDDLE + 2 * HOUR, policy=None, kind="review", outcome="refer", policy_outcome="", made_by=officer
        )
        decided(second, MIDDLE + 30 * HOUR, **by)
        self.count()
        row = figures()
        self.assertEqual(counts(row), {"applications": 2, "source_down": 2, "person_approved": 2, "person_declined": 1})
        self.assertEqual(row.hours, {"1": 2})

    def test_counting_again_gives_the_same_rows_in_chunks_of_any_size(self) -> None:
        for place in range(5):
            apply(self.main if place % 2 else self.other, MIDDLE)  # all at one moment
        self.count()
        once = contents()
        with mock.patch.object(counting, "ROWS_AT_ONCE", 2):
            self.count()
        self.assertEqual(contents(), once)
        self.assertEqual(figures().applications, 5)

    def test_only_a_monday_names_a_week(self) -> None:
        with self.assertRaisesMessage(InvalidInput, "a week is named by its Monday, 2026-03-02"):
            self.count(date(2026, 3, 4))
        self.assertFalse(MonitoringWeek.objects.exists())


class UpdatingTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        put_in_service(small_card(), on_own_data=True)
        cls.branch = make_branch()
        apply(cls.branch)
        apply(cls.branch, MIDDLE + timedelta(days=14))
        cls.now = MIDDLE + timedelta(days=15)

    def update(self, **options: object) -> dict[str, int]:
        return update_monitoring(**{"actor": None, "now": self.now} | options)

    def weeks(self) -> dict[str, bool]:
        return {str(each): each.is_complete for each in MonitoringWeek.objects.order_by("week")}

    def test_every_week_is_counted_also_one_in_which_nobody_came(self) -> None:
        self.assertEqual(self.update(), {"weeks": 3, "applications": 2, "unreadable": 0})
        self.assertEqual(self.weeks(), {"2026-03-02": True, "2026-03-09": True, "2026-03-16": False})
        self.assertEqual(set(WeekFigures.objects.values_list("week", flat=True)), {WEEK, date(2026, 3, 16)})

    def test_a_complete_week_is_counted_again_only_when_asked_for(self) -> None:
        self.update()
        WeekFigures.objects.filter(week=WEEK).delete()
        self.assertEqual(self.update(), {"weeks": 1, "applications": 1, "unreadable": 0})
        self.assertIsNone(figures())
        self.assertEqual(self.update(since=date(2026, 3, 5))["weeks"], 3)
        self.assertEqual(figures().applications, 1)

    def test_the_next_run_completes_the_week_and_goes_on(self) -> None:
        self.update()
        later = self.now + timedelta(days=7)
        self.assertEqual(self.update(now=later)["weeks"], 2)
        self.assertEqual(list(self.weeks().values()), [True, True, True, False])

    def test_a_week_is_complete_only_once_no_transaction_of_it_can_be_open(self) -> None:
        end = datetime(2026, 3, 8, 19, tzinfo=UTC)
        for now, is_complete in ((end, False), (end + timedelta(minutes=59), False), (end + HOUR, True)):
            count_week(week=WEEK, actor=None, now=now)
            self.assertEqual(MonitoringWeek.objects.get().is_complete, is_complete, now)

    def test_broken_off_it_goes_on_where_it_was(self) -> None:
        store, calls = counting._store_week, []

        def dies(**options: object) -> dict[str, int]:
            calls.append(options["week"])
            if len(calls) == 2:
                raise KeyboardInterrupt
            return store(**options)

        with mock.patch.object(counting, "_store_week", dies), self.assertRaises(KeyboardInterrupt):
            self.update()
        self.assertEqual(self.weeks(), {"2026-03-02": True})
        self.assertEqual(self.update()["weeks"], 2)
        self.assertEqual(len(self.weeks()), 3)

    def test_a_week_that_cannot_be_stored_stays_as_it_was(self) -> None:
        self.update()
        before, events = contents(), AuditEvent.objects.count()
        dies = mock.patch.object(WeekFigures.objects, "bulk_create", side_effect=KeyboardInterrupt)
        with dies, self.assertRaises(KeyboardInterrupt):
            self.update(since=WEEK)
        self.assertEqual((contents(), AuditEvent.objects.count()), (before, events))

    def test_the_trail_tells_of_each_count(self) -> None:
        self.update()
        events = AuditEvent.objects.filter(action="monitoring.count").order_by("id")
        self.assertEqual([event.subject_id for event in events], ["2026-03-02", "2026-03-09", "2026-03-16"])
        self.assertEqual(events[0].details, {"applications": 1, "unreadable": 0})

    def test_the_command_says_what_it_counted_and_refuses_the_future(self) -> None:
        out = StringIO()
        with mock.patch("django.utils.timezone.now", return_value=self.now):
            call_command("update_monitoring", stdout=out)
            with self.assertRaisesMessage(CommandError, "2027-01-01 was given; it lies in the future."):
                call_command("update_monitoring", "--since", "2027-01-01")
        self.assertIn("Weeks counted: 3, with 2 applications. Of 0 of these", out.getvalue())


class NothingTests(TestCase):
    def test_without_applications_there_is_nothing_to_count(self) -> None:
        counted = update_monitoring(since=WEEK, actor=None, now=AFTER)
        self.assertEqual(counted, {"weeks": 0, "applications": 0, "unreadable": 0})
        self.assertFalse(MonitoringWeek.objects.exists())


class DirectionTests(SimpleTestCase):
    def test_a_decision_against_the_policy_counts_by_its_direction(self) -> None:
        tally = Tally()
        with mock.patch("apps.portfolio.tallies.training_of", return_value=Training()):
            tally.add_decision(Decided("company", 1, "d", "person", "approve", "low_side", None))
            tally.add_decision(Decided("company", 1, "d", "person", "decline", "high_side", 100 * 24 * HOUR))
            rows = {row.branch_id: row for row in tally.rows()}
        self.assertEqual(set(rows), {1, None})
        told = {"person_approved": 1, "person_declined": 1, "low_side": 1, "high_side": 1}
        self.assertEqual([counts(row) for row in rows.values()], [told, told])
        self.assertEqual(rows[1].hours, {"2160": 1})  # what takes longer than 90 days
