"""Money, numbers, days and ages in each language, by the lender's clock."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from apps.workbench import formats

NBSP = "\u00a0"
NOON = datetime(2026, 3, 3, 20, 30, tzinfo=UTC)  # half past one of the next day in Tashkent


def shown(text: str) -> str:
    """With ordinary spaces, to be read."""
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("language", "money", "number", "percent", "rate"),
    [
        ("en", "30,000,000 UZS", "1,234.5", "12.5 %", "26.5 %"),
        ("ru", "30 000 000 сум", "1 234,5", "12,5 %", "26,5 %"),
        ("uz", "30 000 000 soʻm", "1 234,5", "12,5 %", "26,5 %"),
    ],
)
def test_amounts(language, money, number, percent, rate):
    with translation.override(language):
        assert shown(formats.money(30_000_000, "UZS")) == money
        assert shown(formats.number(1234.5)) == number
        assert shown(formats.percent(0.125)) == percent
        assert shown(formats.rate(2650)) == rate
        assert " " not in formats.money(30_000_000, "UZS") + formats.percent(0.125)


@pytest.mark.parametrize(
    ("language", "day", "moment", "age", "months"),
    [
        ("en", "4 Mar 2026", "4 Mar 2026, 01:30", "3 days ago", "24 months"),
        ("ru", "4 мар. 2026", "4 мар. 2026, 01:30", "3 дня назад", "24 месяца"),
        ("uz", "4-mar 2026", "4-mar 2026, 01:30", "3 kun oldin", "24 oy"),
    ],
)
def test_times(language, day, moment, age, months):
    with translation.override(language):
        assert formats.day(NOON) == formats.day(date(2026, 3, 4)) == day
        assert formats.moment(NOON) == moment
        assert formats.age(NOON, NOON + timedelta(days=3)) == age
        assert shown(formats.months(24)) == months


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, None, "0"), (0.1, None, "0.1"), (1 / 3, None, "0.333"), (2, 2, "2.00"), (-1234, 0, "-1,234"),
        (Decimal("99.95"), 1, "100.0"), (10**15, 0, "1,000,000,000,000,000"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_that_were_asked_for(value, digits, text):
    assert formats.number(value, digits) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0701, "7.0 %"), (1.0, "100.0 %"), (0.00004, "0.0 %"), (1.0684, "106.8 %")]
)
def test_shares_are_per_cents(share, text):
    assert shown(formats.percent(share)) == text


def test_what_is_not_known_is_a_dash():
    known = [formats.money(None, "UZS"), formats.number(None), formats.percent(None), formats.rate(None)]
    known += [formats.months(None), formats.day(None), formats.moment(None), formats.age(None)]
    assert set(known) == {"\u2013"}
    source = (
        "{{ a.b|day }}{{ a.b|age }}{{ a.b|number }}{{ a.b|percent }}{{ a.b|money:'UZS' }}{{ a.b|signed }}{{ a.b|rate }}"
    )
    assert Template("{% load formats %}" + source).render(Context({"a": None})) == "\u2013" * 7


def test_another_currency_keeps_its_code_and_an_unknown_language_is_english():
    assert shown(formats.money(1_200, "USD")) == "1,200 USD"
    with translation.override("de"):
        assert shown(formats.money(1_200, "USD")) == "1,200 USD"


def test_the_future_is_told_too():
    assert formats.age(NOON + timedelta(hours=5), NOON) == "in 5 hours"
    assert formats.age(NOON + timedelta(seconds=2), NOON) == "just now"


def test_templates_say_the_moment_to_machines_and_the_age_to_people():
    template = Template(
        "{% load formats %}{{ when|day }} {{ points|signed }} {{ gone|signed }} {{ code|label:'status' }}"
    )
    text = template.render(Context({"when": NOON, "points": 12, "gone": -7, "code": "referred"}))
    assert text == '<time datetime="2026-03-03T20:30:00+00:00">4 Mar 2026</time> +12 \u22127 Referred'
