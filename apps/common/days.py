"""Days as the lender counts them: LENDER_TIME_ZONE decides, whatever clock the server runs on."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_storable(moment: datetime) -> bool:
    """Whether a moment that a caller gives is one that can be compared with stored ones: the ends of time are not."""
    return moment.tzinfo is not None and EARLIEST <= moment <= LATEST


def lender_today(now: datetime | None = None) -> date:
    return (now or timezone.now()).astimezone(ZoneInfo(settings.LENDER_TIME_ZONE)).date()


def start_of(day: date) -> datetime:
    """The moment at which `day` begins for the lender, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(settings.LENDER_TIME_ZONE)).astimezone(UTC)


def full_years(start: date, end: date) -> int:
    """Whole years from `start` to `end`, as a birthday counts them."""
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))
