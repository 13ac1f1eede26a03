"""The examples of docs/identifiers.md, with the exact sentences that a person reads."""

import re
from datetime import date

import pytest

from apps.common.identifiers import (
    build_inn,
    build_pinfl,
    check_inn,
    check_parcel,
    check_pinfl,
    inn_warnings,
    parcel_warnings,
    pinfl_birth_date,
)

TODAY = date(2026, 1, 31)
WRONG_DATE = "Digits 1 to 7 of the PINFL do not hold a real birth date; check for a mistyped digit."
WRONG_CHECK = "The last digit of the PINFL does not fit the others; check for a mistyped digit."
FUTURE = "The birth date within the PINFL lies in the future; check for a mistyped digit."
ODD_PREFIX = "The INN starts with neither 2 or 3 (companies) nor 4 to 7 (old personal numbers)."
ODD_CHECK = "The last digit of the INN does not fit the others; check for a mistyped digit."


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("pinfl", "born"),
    [
        ("31210632040244", date(1963, 10, 12)),
        ("31210932040247", date(1993, 10, 12)),
        ("40201902050010", date(1990, 1, 2)),
    ],
)
def test_the_published_examples_pass(pinfl, born):
    check_pinfl(pinfl, today=TODAY)
    assert pinfl_birth_date(pinfl) == born


@pytest.mark.parametrize(
    ("pinfl", "message"),
    [
        ("", "A PINFL has exactly 14 digits; 0 characters were given."),
        ("3121063204024", "A PINFL has exactly 14 digits; 13 characters were given."),
        ("312106320402444", "A PINFL has exactly 14 digits; 15 characters were given."),
        ("3121063204024x", "A PINFL has exactly 14 digits; 14 characters were given."),
        ("3121063204024٤", "A PINFL has exactly 14 digits; 14 characters were given."),
        ("31210632040244\n", "A PINFL has exactly 14 digits; 15 characters were given."),
        ("33113632040244", WRONG_DATE),
        ("32902010000000", WRONG_DATE),
        ("01210632040244", WRONG_DATE),
        ("71210632040244", WRONG_DATE),
        ("31210632040245", WRONG_CHECK),
        ("31210632040344", WRONG_CHECK),
    ],
)
def test_a_mistyped_pinfl_is_refused_with_the_reason(pinfl, message):
    with pytest.raises(ValueError, match=exactly(message)):
        check_pinfl(pinfl, today=TODAY)


def test_a_birth_date_may_be_today_and_not_tomorrow():
    check_pinfl(build_pinfl(birth_date=TODAY, sex="female", area=1, serial=1), today=TODAY)
    tomorrow = build_pinfl(birth_date=date(2026, 2, 1), sex="female", area=1, serial=1)
    with pytest.raises(ValueError, match=exactly(FUTURE)):
        check_pinfl(tomorrow, today=TODAY)


def test_the_29th_of_february_exists_in_leap_years_only():
    assert pinfl_birth_date("52902000000000") == date(2000, 2, 29)
    assert pinfl_birth_date("32902000000000") is None


@pytest.mark.parametrize(
    ("born", "sex", "area", "serial", "pinfl"),
    [
        (date(1963, 10, 12), "male", 204, 24, "31210632040244"),
        (date(1993, 10, 12), "male", 204, 24, "31210932040247"),
        (date(1990, 1, 2), "female", 205, 1, "40201902050010"),
    ],
)
def test_a_built_pinfl_equals_the_published_one(born, sex, area, serial, pinfl):
    assert build_pinfl(birth_date=born, sex=sex, area=area, serial=serial) == pinfl


@pytest.mark.parametrize(
    ("year", "sex", "digit"), [(1899, "male", "1"), (1899, "female", "2"), (2001, "male", "5"), (2001, "female", "6")]
)
def test_the_first_digit_holds_sex_and_century(year, sex, digit):
    built = build_pinfl(birth_date=date(year, 7, 9), sex=sex, area=0, serial=999)
    assert (built[0], pinfl_birth_date(built)) == (digit, date(year, 7, 9))


@pytest.mark.parametrize(
    ("inn", "warnings"),
    [
        ("201589828", []),
        ("123456789", [ODD_PREFIX, ODD_CHECK]),
        ("201589829", [ODD_CHECK]),
        ("000000000", [ODD_PREFIX, ODD_CHECK]),
    ],
)
def test_any_9_digits_are_an_inn_and_the_unusual_is_named(inn, warnings):
    check_inn(inn)
    assert inn_warnings(inn) == warnings


@pytest.mark.parametrize("inn", ["", "20158982", "2015898281", "20158982x", "٢٠١٥٨٩٨٢٨", "201589828\n"])
def test_what_is_not_9_digits_is_no_inn(inn):
    with pytest.raises(
        ValueError, match=exactly(f"An INN (STIR) has exactly 9 digits; {len(inn)} characters were given.")
    ):
        check_inn(inn)


@pytest.mark.parametrize("serial", [0, 1, 158982, 9_999_999])
def test_a_built_inn_gives_no_warning(serial):
    assert inn_warnings(build_inn(serial=serial)) == []


@pytest.mark.parametrize("parcel", ["10:01:02:03:04:0055", "10:01:02:03:04:0055:0001", "10:01:02:03:04:0055:0001:002"])
def test_a_cadastral_number_gives_no_warning(parcel):
    check_parcel(parcel)
    assert parcel_warnings(parcel) == []


@pytest.mark.parametrize(
    ("parcel", "warning"),
    [
        (
            "10:01:123456789",
            "This is the newer form of a cadastral number, which was seen only rarely; compare it with the paper.",
        ),
        ("UZ-ABC-100", "This is not the form of a cadastral number (AA:BB:CC:DD:EE:FFFF); it is looked up as given."),
        (
            "10:01:02:03:04:005",
            "This is not the form of a cadastral number (AA:BB:CC:DD:EE:FFFF); it is looked up as given.",
        ),
    ],
)
def test_other_forms_are_accepted_with_a_warning(parcel, warning):
    check_parcel(parcel)
    assert parcel_warnings(parcel) == [warning]


@pytest.mark.parametrize("parcel", ["", "x" * 65, "10 01", "10;01", "ҳ10", "10:01\n", "10:01/", "/10:01", "-", "//"])
def test_what_cannot_be_a_parcel_id_is_refused(parcel):
    sentence = (
        "A parcel id has 1 to 64 letters and digits, with ':', '-' or '/' between them; like 10:01:02:03:04:0055."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        check_parcel(parcel)
