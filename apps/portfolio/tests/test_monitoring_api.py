"""What monitoring tells, from counted weeks written by hand; and who sees what of it."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock

from django.test import TestCase

from apps.accounts.models import User
from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.portfolio.models import MonitoringWeek
from apps.portfolio.reports import monitoring
from apps.portfolio.tests.counted import counted_week
from apps.portfolio.training import PLAIN_EDGES
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.registration import register_model
from apps.scoring_engine.tests.factories import LONG_AGO, model_bytes, put_in_service

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
FIRST, SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)
BINS = {"purpose": {"car": 80, "other": 20}}
TRAINING = {
    "training_scores": {"edges": [450, 500], "rows": [50.0, 30.0, 20.0]},
    "training_bins": {"purpose": {"labels": ["car", "other"], "rows": [50.0, 50.0], "bads": [5.0, 9.0]}},
}


def trained_model() -> str:
    """The digest of a card whose manifest keeps its training counts."""
    content = model_bytes(small_card() | {"version": "trained-1.0.0"})
    manifest = {"model": "trained-1.0.0", "sha256": hashlib.sha256(content).hexdigest()} | TRAINING
    return register_model(content=content, manifest=manifest, actor=make_user("analyst"), now=LONG_AGO).card_id


def scores(*rows: int) -> dict[str, list[int]]:
    return {"edges": [450, 500], "rows": list(rows)}


class MonitoringTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.digest, cls.branch, cls.other = trained_model(), make_branch(), make_branch("other")
        cls.analyst = make_user("analyst")
        of_model = {"model_digest": cls.digest}
        counted_week(FIRST, **of_model, applications=60, scores=scores(24, 18, 18), fallback=3)
        counted_week(SECOND, **of_model, applications=40, scores=scores(16, 12, 12), bins=BINS,
                     policy_approved=6, policy_declined=2, person_approved=3, person_declined=1, low_side=1,
                     hours={"1": 8, "50": 4})  # fmt: skip
        counted_week(SECOND, **of_model, branch=cls.branch, applications=30, scores=scores(10, 10, 10))
        counted_week(SECOND, **of_model, branch=cls.other, applications=10, scores=scores(6, 2, 2))
        counted_week(SECOND, **of_model, segment="company", applications=5, scores=scores(5, 0, 0))
        counted_week(SECOND, model_digest="", policy_declined=4)
        MonitoringWeek.objects.create(week=THIRD, counted_at=NOW, is_complete=False)

    def ask(self, user: User | None = None, status: int = 200, **query: str) -> dict[str, Any]:
        with mock.patch("django.utils.timezone.now", return_value=NOW):
            response = client_for(user or self.analyst).get("/api/monitoring/", query)
        self.assertEqual(response.status_code, status, response.content)
        return response.json()

    def test_twelve_weeks_up_to_this_one_of_all_branches(self) -> None:
        told = self.ask()
        self.assertEqual((told["since"], told["until"], told["branch"]), ("2025-12-29", "2026-03-23", None))
        weeks = {each["week"]: each for each in told["weeks"]}
        self.assertEqual(len(weeks), 12)
        applications = [weeks[str(week)]["applications"] for week in (FIRST, SECOND, THIRD)]
        self.assertEqual(applications, [60, 40, 0])
        self.assertEqual([each["is_counted"] for each in told["weeks"]], [False] * 9 + [True] * 3)
        self.assertEqual([each["is_complete"] for each in told["weeks"][-3:]], [True, True, False])

    def test_figures_of_a_week_and_of_all_of_them(self) -> None:
        told = self.ask()
        week = told["weeks"][-2]
        # Those that rest on no scoring count as well: 9 of 16 approved.
        self.assertEqual((week["decisions"], week["approval_rate"], week["automatic_share"]), (16, 9 / 16, 12 / 16))
        self.assertEqual((week["low_side_share"], week["high_side_share"]), (0.25, 0.0))
        self.assertEqual((week["median_hours"], week["p90_hours"]), (1, 50))
        self.assertIsNone(told["weeks"][-3]["approval_rate"])
        self.assertEqual((told["total"]["applications"], told["total"]["fallback_share"]), (100, 0.03))

    def test_the_score_is_compared_with_training_over_four_weeks(self) -> None:
        told = self.ask()
        weeks = [(each["psi"], each["why"]) for each in told["weeks"][-3:]]
        # 60 in the first week are too few; with the second there are 40, 30, 30 of 100 against 50, 30, 20.
        self.assertEqual(weeks, [(None, "too_few"), (0.0629, ""), (0.0629, "")])
        score = told["score"]
        self.assertEqual((score["psi"], score["light"], score["psi_by_chance"]), (0.0629, "green", 0.04))
        self.assertEqual(score["reference"], {"kind": "training", "since": None, "until": None})
        self.assertEqual([each["share"] for each in score["bands"]], [0.4, 0.3, 0.3])
        self.assertEqual([each["reference_share"] for each in score["bands"]], [0.5, 0.3, 0.2])

    def test_characteristics_are_compared_with_training(self) -> None:
        counted_week(FIRST, model_digest=self.digest, role="challenger", applications=100, bins=BINS,
                     scores=scores(0, 0, 100))  # fmt: skip
        found = self.ask()["characteristics"]
        self.assertEqual([(each["name"], each["applications"], each["psi"], each["light"]) for each in found],
                         [("purpose", 200, 0.4159, "red")])  # fmt: skip

    def test_a_model_without_training_counts_is_compared_with_its_first_complete_weeks(self) -> None:
        digest = put_in_service(small_card()).card_id
        for week, low, high in ((FIRST, 500, 500), (SECOND, 700, 300), (THIRD, 500, 500)):
            rows = {"edges": list(PLAIN_EDGES), "rows": [low, high] + [0] * (len(PLAIN_EDGES) - 1)}
            counted_week(week, model_digest=digest, applications=1000, scores=rows)
        told = self.ask(model=digest)
        reference = {"kind": "first_weeks", "since": "2026-03-02", "until": "2026-03-16"}
        self.assertEqual((told["score"]["reference"], told["characteristics_reference"]), (reference, reference))
        # 1,200 and 800 of 2,000 against 500 and 500: 0.1 ln (0.6/0.5) + 0.1 ln (0.5/0.4) = 0.0405.
        self.assertEqual([(each["psi"], each["why"]) for each in told["weeks"][-3:]],
                         [(None, "in_reference"), (None, "in_reference"), (0.0405, "")])  # fmt: skip
        self.assertEqual((told["score"]["psi"], told["score"]["applications"]), (0.0405, 1000))

    def test_one_model_is_chosen_by_its_digest(self) -> None:
        told = self.ask(model=self.digest)
        self.assertEqual(told["weeks"][-2]["decisions"], 12)
        self.assertEqual(told["models"], [{"digest": self.digest, "version": "trained-1.0.0", "champion": 100,
                                           "challenger": 0}])  # fmt: skip
        refused = self.ask(model="f" * 64, status=400)
        self.assertEqual([each["field"] for each in refused["errors"]], ["model"])

    def test_segment_and_span(self) -> None:
        self.assertEqual(self.ask(segment="company")["total"]["applications"], 5)
        told = self.ask(since="2026-03-04", until="2026-03-09")
        self.assertEqual([each["week"] for each in told["weeks"]], ["2026-03-02"])
        self.assertEqual(told["total"]["applications"], 60)
        # A month before the span stands in its first index as well.
        self.assertEqual(self.ask(since="2026-03-09")["weeks"][0]["psi"], 0.0629)

    def test_what_cannot_be_asked_for(self) -> None:
        for query, field in (
            ({"segment": "dogs"}, "segment"),
            ({"since": "yesterday"}, "since"),
            ({"since": "2026-03-16", "until": "2026-03-16"}, "until"),
            ({"since": "2019-01-07"}, "since"),
            ({"until": "0001-01-01"}, "until"),
            ({"since": "9999-12-31", "until": "9999-12-31"}, "since"),
            ({"branch": "nowhere"}, "branch"),
            ({"when": "now"}, "when"),
        ):
            refused = self.ask(status=400, **query)
            self.assertEqual([each["field"] for each in refused["errors"]], [field], query)

    def test_approvers_see_their_own_branch_and_no_other(self) -> None:
        approver = make_user("approver", self.branch)
        told = self.ask(approver)
        self.assertEqual((told["branch"], told["total"]["applications"]), ("main", 30))
        self.assertEqual(self.ask(approver, branch="main")["total"]["applications"], 30)
        self.ask(approver, status=400, branch="other")

    def test_auditors_see_every_branch_and_others_none(self) -> None:
        self.assertEqual(self.ask(make_user("auditor"), branch="other")["total"]["applications"], 10)
        for role in ("officer", "administrator"):
            self.ask(make_user(role, self.branch if role == "officer" else None), status=403)

    def test_before_anything_was_counted_there_are_weeks_and_nothing_else(self) -> None:
        MonitoringWeek.objects.all().delete()
        told = self.ask()
        self.assertEqual((len(told["weeks"]), told["models"], told["judged_model"]), (12, [], None))
        self.assertEqual(told["score"]["why"], "no_reference")
        self.assertEqual(told["score"]["reference"]["kind"], "none")

    def test_the_number_of_queries_is_fixed(self) -> None:
        with self.assertNumQueries(6):
            monitoring(user=self.analyst, now=NOW)
