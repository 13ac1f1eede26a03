"""Shares, quantiles and stability, each worked out by hand."""

from unittest import TestCase

from apps.portfolio import figures
from apps.portfolio.models import WeekFigures
from apps.portfolio.models.monitoring import COUNTS
from apps.portfolio.training import Training


def row(**columns: object) -> WeekFigures:
    return WeekFigures(**columns)


class FigureTests(TestCase):
    def test_counts_add_up(self) -> None:
        found = figures.counts_of([row(applications=3, stale=1), row(applications=4, low_side=2, person_approved=2)])
        expected = {"applications": 7, "stale": 1, "low_side": 2, "person_approved": 2}
        self.assertEqual(found, dict.fromkeys(COUNTS, 0) | expected)

    def test_shares_have_their_own_whole(self) -> None:
        given = {"applications": 10, "unreadable": 2, "fallback": 1, "demonstration": 5, "stale": 2, "mock": 8,
                 "thin_file": 4, "source_down": 1, "policy_approved": 6, "policy_referred": 9, "policy_declined": 2,
                 "person_approved": 3, "person_declined": 1, "low_side": 2, "high_side": 1}  # fmt: skip
        self.assertEqual(
            figures.shares_of(given),
            {"decisions": 12, "approval_rate": 0.75, "automatic_share": 8 / 12, "low_side_share": 0.5,
             "high_side_share": 0.25, "fallback_share": 0.1, "demonstration_share": 0.5, "stale_share": 0.25,
             "mock_share": 1.0, "thin_file_share": 0.5, "source_down_share": 0.125},
        )  # fmt: skip

    def test_a_share_of_nothing_is_none(self) -> None:
        found = figures.shares_of(dict.fromkeys(COUNTS, 0))
        self.assertEqual(found.pop("decisions"), 0)
        self.assertEqual(set(found.values()), {None})

    def test_median_and_ninetieth_percentile_are_hours_that_somebody_waited(self) -> None:
        # In order: 0 0 2 5 | 5 30 30 30 | 30 400; the fifth and the ninth of ten.
        found = figures.hours_of([row(hours={"0": 2, "30": 4, "2": 1}), row(hours={"5": 2, "400": 1})])
        self.assertEqual(found, {"median_hours": 5, "p90_hours": 30})
        self.assertEqual(figures.hours_of([row(hours={"7": 1})]), {"median_hours": 7, "p90_hours": 7})
        self.assertEqual(figures.hours_of([]), {"median_hours": None, "p90_hours": None})

    def test_scores_of_other_bands_are_left_out(self) -> None:
        counted = [([400, 500], [1, 2, 3]), ([400, 500], [4, 0, 1]), ([450], [9, 9])]
        rows = [row(scores={"edges": edges, "rows": rows}) for edges, rows in counted]
        self.assertEqual(figures.scores_of(rows, Training((400, 500))), [5, 2, 4])

    def test_the_index_of_the_book(self) -> None:
        # 50, 30, 20 of 100 against 40, 30, 30: 0.1 ln 1.25 + 0.1 ln 1.5 = 0.0629; by chance 2 (1/100 + 1/100).
        found = figures.moved([40, 30, 30], [50, 30, 20])
        self.assertEqual(found, {"psi": 0.0629, "light": "green", "psi_by_chance": 0.04, "why": ""})

    def test_lights(self) -> None:
        # 0.2 ln (70/50) + 0.2 ln (50/30) = 0.1695, and 0.3 ln (80/50) + 0.3 ln (50/20) = 0.4159.
        self.assertEqual([figures.moved(now, [50, 50])["light"] for now in ([70, 30], [80, 20])], ["amber", "red"])
        self.assertEqual([figures.moved(now, [50, 50])["psi"] for now in ([70, 30], [80, 20])], [0.1695, 0.4159])

    def test_below_a_hundred_on_either_side_there_is_no_index(self) -> None:
        nothing = {"psi": None, "light": None, "psi_by_chance": None}
        self.assertEqual(figures.moved([50, 49], [500, 500]), nothing | {"why": "too_few"})
        self.assertEqual(figures.moved([500, 500], [50, 49]), nothing | {"why": "too_few"})
        self.assertEqual(figures.moved([500, 500], []), nothing | {"why": "no_reference"})
        self.assertEqual(figures.moved([50, 50], [50, 50])["psi"], 0)

    def test_bins_that_one_side_lacks_count_with_half_an_application(self) -> None:
        found = figures.characteristics_of({"age": {"a": 50, "new": 50}}, {"age": {"a": 60, "b": 40}})[0]
        self.assertEqual([each["label"] for each in found["bins"]], ["a", "b", "new"])
        self.assertEqual([each["share"] for each in found["bins"]], [0.5, 0.0, 0.5])
        self.assertEqual([each["reference_share"] for each in found["bins"]], [0.6, 0.4, 0.0])
        self.assertGreater(found["psi"], 3)

    def test_what_moved_most_stands_first_and_what_has_no_index_last(self) -> None:
        now = {"still": {"a": 50, "b": 50}, "gone": {"a": 90, "b": 10}, "few": {"a": 9}}
        before = {"still": {"a": 50, "b": 50}, "gone": {"a": 50, "b": 50}}
        found = figures.characteristics_of(now, before)
        self.assertEqual([(each["name"], each["why"]) for each in found],
                         [("gone", ""), ("still", ""), ("few", "no_reference")])  # fmt: skip

    def test_bands_are_open_at_both_ends(self) -> None:
        self.assertEqual(
            figures.bands_of([400], [1, 3], []),
            [{"from": None, "below": 400, "share": 0.25, "reference_share": None},
             {"from": 400, "below": None, "share": 0.75, "reference_share": None}],
        )  # fmt: skip
