"""Weeks begin on Monday at the lender's midnight, whatever the server's clock and the time of year."""

from datetime import UTC, date, datetime, timedelta

from django.test import SimpleTestCase, override_settings

from apps.portfolio.weeks import monday_of, span_of, week_of, weeks_between

MONDAY = date(2026, 3, 2)


class WeekTests(SimpleTestCase):
    def test_a_week_begins_at_midnight_of_tashkent(self) -> None:
        self.assertEqual(span_of(MONDAY), (datetime(2026, 3, 1, 19, tzinfo=UTC), datetime(2026, 3, 8, 19, tzinfo=UTC)))
        self.assertEqual(week_of(datetime(2026, 3, 1, 18, 59, 59, 999_999, tzinfo=UTC)), date(2026, 2, 23))
        self.assertEqual(week_of(datetime(2026, 3, 1, 19, tzinfo=UTC)), MONDAY)
        self.assertEqual(week_of(datetime(2026, 3, 8, 18, 59, 59, tzinfo=UTC)), MONDAY)

    def test_each_day_has_the_monday_before_it(self) -> None:
        found = {monday_of(MONDAY + timedelta(days=number)) for number in range(7)}
        self.assertEqual(found, {MONDAY})
        self.assertEqual(monday_of(MONDAY - timedelta(days=1)), date(2026, 2, 23))

    @override_settings(LENDER_TIME_ZONE="Europe/Berlin")
    def test_where_clocks_change_a_week_is_an_hour_longer_or_shorter(self) -> None:
        hours = [(span_of(week)[1] - span_of(week)[0]) / timedelta(hours=1) for week in
                 (date(2026, 3, 23), date(2026, 10, 19), date(2026, 10, 26))]  # fmt: skip
        self.assertEqual(hours, [167, 169, 168])

    def test_weeks_between_two_hold_both(self) -> None:
        found = list(weeks_between(MONDAY, date(2026, 3, 16)))
        self.assertEqual(found, [MONDAY, date(2026, 3, 9), date(2026, 3, 16)])
        self.assertEqual(list(weeks_between(MONDAY, date(2026, 2, 23))), [])
