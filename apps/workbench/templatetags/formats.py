"""The filters of apps.workbench.formats for templates: {% load formats %}."""

from datetime import date, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.scoring_engine.ml.words import words_of
from apps.workbench import formats
from apps.workbench.labels import LABELS
from apps.workbench.telling import tell

register = template.Library()
register.filter("number", formats.number)
register.filter("percent", formats.percent)
register.filter("rate", formats.rate)
register.filter("months", formats.months)
register.filter("money", formats.money)
register.filter("tell", tell)


@register.filter
def day(value: date | datetime | None) -> str | SafeString:
    return _time(value, formats.day(value), "")


@register.filter
def moment(value: datetime | None) -> str | SafeString:
    return _time(value, formats.moment(value), "")


@register.filter
def age(value: datetime | None) -> str | SafeString:
    """How long ago, with the moment itself as its title."""
    return _time(value, formats.age(value), formats.moment(value))


@register.filter
def ago(value: datetime, now: datetime) -> str:
    """As `age`, to the second."""
    return formats.ago(value, now)


@register.filter
def clock(value: datetime) -> str:
    return formats.clock(value)


@register.filter
def signed(points: int | None) -> str:
    """ "+12" or "−7"."""
    if points in formats.UNKNOWN:
        return formats.NOTHING
    sign = "+" if points > 0 else "\u2212" if points < 0 else ""
    return sign + formats.number(abs(points))


@register.filter
def signed_number(value: float) -> str:
    """A mean of points: "+1.4"."""
    sign = "+" if value > 0 else "\u2212" if value < 0 else ""
    return sign + formats.number(abs(value), 1)


@register.filter
def label(code: str | None, kind: str) -> str:
    """What a code is called; an unknown one as it stands."""
    if not code:
        return formats.NOTHING
    return str(LABELS[kind].get(code, code))


@register.filter
def purpose(code: str) -> str:
    text = words_of(formats.language_now()).category("purpose", code)
    return text[:1].upper() + text[1:]


@register.filter
def measure(name: str) -> str:
    """A fact or feature, or a pair "a x b", as the letters call it."""
    words = words_of(formats.language_now())
    text = " × ".join(words.measure(part) or words.fact(part) for part in name.split(" x "))
    return text[:1].upper() + text[1:]


def _time(value: date | datetime | None, shown: str, title: str) -> str | SafeString:
    if value in formats.UNKNOWN:
        return formats.NOTHING
    return format_html(
        '<time datetime="{}"{}>{}</time>', value.isoformat(), format_html(' title="{}"', title) if title else "", shown
    )
