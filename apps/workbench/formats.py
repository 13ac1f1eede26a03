"""Money, numbers, shares, days and ages as people read them, by the language of the page and the lender's clock."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.common.languages import LANGUAGES
from apps.scoring_engine.ml.words import words_of

NBSP = "\u00a0"
NOTHING = "\u2013"  # where there is no value
UNKNOWN = (None, "")  # templates give "" for the attribute of what is not there
JUST_NOW = timedelta(minutes=1)


def language_now() -> str:
    """Of the page that is being written."""
    language = get_language()
    return language if language in LANGUAGES else settings.LANGUAGE_CODE


def _locale() -> Locale:
    return Locale(language_now())


def money(amount: float | None, currency: str) -> str:
    """Whole units: "30,000,000 UZS". Nobody counts tiyin."""
    if amount in UNKNOWN:
        return NOTHING
    return f"{number(amount, 0)}{NBSP}{currency_name(currency)}"


def currency_name(code: str) -> str:
    return words_of(language_now()).texts["currencies"].get(code, code)


def number(value: float | None, digits: int | None = None) -> str:
    """`digits` after the point, exactly; without it as many as the value has, at most three."""
    if value in UNKNOWN:
        return NOTHING
    pattern = "#,##0.###" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return _spaced(numbers.format_decimal(value, format=pattern, locale=_locale()))


def percent(share: float | None, digits: int = 1) -> str:
    """Of a share: 0.125 is "12.5 %"."""
    return NOTHING if share in UNKNOWN else f"{number(Decimal(repr(share)) * 100, digits)}{NBSP}%"


def rate(basis_points: int | None) -> str:
    """A year: 2650 is "26.5 %"."""
    return NOTHING if basis_points in UNKNOWN else f"{number(Decimal(basis_points) / 100)}{NBSP}%"


def months(count: int | None) -> str:
    return NOTHING if count in UNKNOWN else words_of(language_now()).quantity("months", count, "")


def day(value: date | datetime | None) -> str:
    """ "3 Mar 2026", by the lender's calendar."""
    if value in UNKNOWN:
        return NOTHING
    if isinstance(value, datetime):
        value = lender_time(value).date()
    if language_now() == "uz":
        return f"{value.day}-{dates.format_date(value, 'MMM', locale='uz')} {value.year}"
    return dates.format_date(value, "d MMM y", locale=_locale())


def moment(value: datetime | None) -> str:
    """ "3 Mar 2026, 14:05", by the lender's clock."""
    return NOTHING if value in UNKNOWN else f"{day(value)}, {clock(value)}"


def clock(value: datetime) -> str:
    return f"{lender_time(value):%H:%M}"


def age(value: datetime | None, now: datetime | None = None) -> str:
    """ "3 days ago"."""
    if value in UNKNOWN:
        return NOTHING
    passed = value - (now or timezone.now())
    if abs(passed) < JUST_NOW:
        return _("just now")
    return dates.format_timedelta(passed, add_direction=True, locale=_locale(), threshold=1)


def ago(value: datetime, now: datetime) -> str:
    """ "2 seconds ago"."""
    return dates.format_timedelta(value - now, add_direction=True, locale=_locale(), threshold=1.2)


def lender_time(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(settings.LENDER_TIME_ZONE))


def _spaced(text: str) -> str:
    """Groups of digits are never torn apart at the end of a line."""
    return text.replace(" ", NBSP).replace("\u202f", NBSP)


def exact(value: float | None) -> str:
    """All digits that a number has: the edge of a bin must not look like its neighbour's."""
    if value in UNKNOWN:
        return NOTHING
    return _spaced(numbers.format_decimal(Decimal(repr(value)), format="#,##0.############", locale=_locale()))
