from datetime import UTC, date, datetime

import pytest

from apps.common.days import full_years, lender_today, start_of


def test_the_lender_is_in_the_next_day_before_utc_is(settings):
    settings.LENDER_TIME_ZONE = "Asia/Tashkent"
    assert lender_today(datetime(2026, 1, 31, 18, 59, tzinfo=UTC)) == date(2026, 1, 31)
    assert lender_today(datetime(2026, 1, 31, 19, 0, tzinfo=UTC)) == date(2026, 2, 1)
    assert start_of(date(2026, 2, 1)) == datetime(2026, 1, 31, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2014, 5, 20), date(2026, 5, 19), 11),
        (date(2014, 5, 20), date(2026, 5, 20), 12),
        (date(2024, 2, 29), date(2025, 2, 28), 0),
        (date(2024, 2, 29), date(2025, 3, 1), 1),
        (date(2026, 5, 20), date(2026, 5, 20), 0),
    ],
)
def test_full_years_are_counted_as_a_birthday_counts_them(start, end, years):
    assert full_years(start, end) == years
