"""Weeks as the lender counts them: from Monday 00:00 in LENDER_TIME_ZONE, named by that Monday."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from apps.common.days import lender_today, start_of

WEEK = timedelta(days=7)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(moment: datetime) -> date:
    return monday_of(lender_today(moment))


def span_of(week: date) -> tuple[datetime, datetime]:
    """The moment at which the week begins, and that at which the next one does."""
    return start_of(week), start_of(week + WEEK)


def weeks_between(first: date, last: date) -> Iterator[date]:
    """Both Mondays among them."""
    while first <= last:
        yield first
        first += WEEK
