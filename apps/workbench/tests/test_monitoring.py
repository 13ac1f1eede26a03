"""The monitoring screen: what is drawn is what was counted, in the language of the page, and silence has its reason."""

from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.common.days import lender_today
from apps.portfolio.models import MonitoringWeek
from apps.portfolio.tests.counted import counted_week
from apps.portfolio.weeks import WEEK, week_of
from apps.scoring_engine.models import ModelVersion
from apps.workbench.monitoring_charts import week_name
from apps.workbench.tests.html import Reader, read
from apps.workbench.tests.rows import signed_in

EDGES = [470, 494, 511, 525, 537, 549, 562, 576, 595]  # of the shipped card
BINS = {"term_months": {"(-inf, 50)": 90, "[50, inf)": 110}}


class MonitoringScreenTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.branch, cls.analyst = make_branch(), make_user("analyst")
        digest = ModelVersion.objects.get(segment="individual").card_id
        cls.now = week_of(timezone.now())
        rows = {"model_digest": digest, "scores": {"edges": EDGES, "rows": [20] * 10}, "bins": BINS}
        decided = {"policy_approved": 30, "person_declined": 10, "high_side": 5, "hours": {"0": 30, "49": 10}}
        for branch, fallback in ((None, 50), (cls.branch, 10)):
            counted_week(cls.now - WEEK, branch=branch, applications=200, fallback=fallback, **rows, **decided)
        few = rows | {"scores": {"edges": EDGES, "rows": [3] + [0] * 9}, "bins": {}}
        counted_week(cls.now - 8 * WEEK, applications=3, **few)
        other = MonitoringWeek.objects.create(week=cls.now - 2 * WEEK, counted_at=timezone.now(), is_complete=True)
        MonitoringWeek.objects.filter(week=other.week).update(counted_at=timezone.now() - timedelta(hours=2))

    def page(self, query: str = "", user: User | None = None, status: int = 200, language: str = "en") -> Reader:
        response = signed_in(user or self.analyst, language).get(f"/monitoring/{query}")
        self.assertEqual(response.status_code, status)
        return read(response.content)

    def text(self, query: str = "", **options: Any) -> str:
        return " ".join(self.page(query, **options).texts)

    def chart(self, page: Reader, name: str) -> list[str]:
        """The values of its table, row by row, as the picture takes them."""
        sections = [place for place, each in enumerate(page.elements) if each.tag == "section"] + [None]
        named = [page.elements[place].attributes.get("aria-labelledby") for place in sections[:-1]]
        place = named.index(f"chart-{name}")
        inside = page.elements[sections[place] : sections[place + 1]]
        return [each.attributes["data-value"] for each in inside if "data-value" in each.attributes]

    def test_tiles_tell_of_all_weeks(self) -> None:
        text = self.text()
        for told in ("Applications 203", "Final decisions 40", "Approval rate 75.0 %", "Fallback 24.6 %",
                     "Half are decided within, hours 0"):  # fmt: skip
            self.assertIn(told, text)

    def test_charts_hold_what_was_counted(self) -> None:
        page = self.page()
        self.assertEqual(self.chart(page, "applications"), ["3", "0", "0", "0", "200", "40"])
        self.assertEqual(self.chart(page, "hours"), ["", "", "", "", "0", "49"])
        self.assertEqual(self.chart(page, "overrides"), ["", "", "", "", "0.0", "0.5"])
        scores = self.chart(page, "scores")
        self.assertEqual(len(scores), 20)
        self.assertAlmostEqual(float(scores[0]), 23 / 203)

    def test_a_week_that_is_not_over_says_until_when_it_is_counted(self) -> None:
        self.assertNotIn("until", self.text("?weeks=4"))
        MonitoringWeek.objects.create(week=self.now, counted_at=timezone.now(), is_complete=False)
        marks = [each.attributes.get("data-note") for each in self.page("?weeks=4").elements if each.tag == "tr"]
        self.assertEqual([mark for mark in marks if mark], ["until today"] * 6)
        yesterday = timezone.now() - timedelta(days=1)
        MonitoringWeek.objects.filter(week=self.now).update(counted_at=yesterday)
        self.assertIn(f"until {week_name(lender_today(yesterday))}", self.text("?weeks=4"))

    def test_too_few_applications_have_no_index_and_it_is_said(self) -> None:
        index = self.chart(self.page("?weeks=52"), "stability")
        # Of each week the index, the two limits of its reading, and what chance gives.
        self.assertEqual((index[:4], index[4:8]), (["", "0.1", "0.25", ""],) * 2)
        self.assertLess(float(index[8]), 0.1)
        self.assertEqual(index[9:11], ["0.1", "0.25"])
        MonitoringWeek.objects.filter(week=self.now - WEEK).delete()
        text = self.text()
        self.assertIn("Too few applications: an index of stability needs 100 on each side.", text)
        self.assertIn("no index", text)

    def test_an_approver_sees_the_own_branch_and_chooses_none(self) -> None:
        page = self.page(user=make_user("approver", self.branch))
        self.assertIn("Fallback 5.0 %", " ".join(page.texts))
        self.assertNotIn("branch", [each.attributes.get("name") for each in page.all("select")])
        self.assertIn("branch", [each.attributes.get("name") for each in self.page().all("select")])

    def test_weeks_that_nobody_counted_are_named(self) -> None:
        self.assertIn("9 of these weeks are not counted and are left out.", self.text())
        MonitoringWeek.objects.all().delete()
        self.assertIn("Nothing has been counted of these weeks yet.", self.text())

    def test_a_segment_without_applications_says_so(self) -> None:
        self.assertIn("Nobody applied in these weeks, and nothing was decided.", self.text("?segment=company"))

    def test_filters_that_are_none_are_refused(self) -> None:
        for query in ("?weeks=5", "?segment=dogs", "?branch=nowhere", f"?model={'x' * 65}"):
            self.assertIn("These filters cannot be used; nothing is shown.", self.text(query, status=400))
        self.page(f"?model={'f' * 64}", status=400)

    def test_bins_and_titles_in_the_language_of_the_page(self) -> None:
        for language, told in (
            ("en", ("Stability of the score", "Last 12 weeks", "50 or more")),
            ("ru", ("Стабильность балла", "Последние 12 недель", "50 и больше")),
            ("uz", ("Ball barqarorligi", "Soʻnggi 12 hafta", "50 yoki undan koʻp")),
        ):
            text = self.text(language=language)
            self.assertEqual([each for each in told if each not in text], [], language)

    def test_the_number_of_queries_is_fixed(self) -> None:
        client = signed_in(self.analyst)
        client.get("/monitoring/")
        with self.assertNumQueries(10):
            client.get("/monitoring/")
