"""The examples of docs/identifiers.md, with the exact sentences that a person reads."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from string import Formatter

import pytest
from django.utils import translation

from apps.common import identifiers
from apps.common.identifiers import (
    IdentifierError,
    build_inn,
    build_pinfl,
    check_birth_date,
    check_inn,
    check_inn_or_pinfl,
    check_parcel,
    check_pinfl,
    inn_warnings,
    parcel_warnings,
    pinfl_birth_date,
)

LANGUAGES = ("uz", "ru", "en")
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
        ("3121063204024x", "A PINFL has the digits 0 to 9 only; characters that are something else: 1."),
        ("3121063204024٤", "A PINFL has the digits 0 to 9 only; characters that are something else: 1."),
        ("³1210632040244", "A PINFL has the digits 0 to 9 only; characters that are something else: 1."),
        ("31210 63204024", "A PINFL has the digits 0 to 9 only; characters that are something else: 1."),
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


@pytest.mark.parametrize("inn", ["", "20158982", "2015898281", "201589828\n"])
def test_what_is_not_9_characters_is_no_inn(inn):
    sentence = f"An INN (STIR) has exactly 9 digits; {len(inn)} characters were given."
    with pytest.raises(IdentifierError, match=exactly(sentence)):
        check_inn(inn)


@pytest.mark.parametrize(("inn", "others"), [("20158982x", 1), ("٢٠١٥٨٩٨٢٨", 9), ("20158982²", 1), ("20 15 828", 2)])
def test_an_inn_has_no_other_characters(inn, others):
    sentence = f"An INN (STIR) has the digits 0 to 9 only; characters that are something else: {others}."
    with pytest.raises(IdentifierError, match=exactly(sentence)):
        check_inn(inn)


@pytest.mark.parametrize("identifier", ["201589828", "31210632040244"])
def test_9_or_14_digits_name_a_taxpayer(identifier):
    check_inn_or_pinfl(identifier, today=TODAY)


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        ("", "inn_or_pinfl_length"),
        ("2015898281", "inn_or_pinfl_length"),
        ("3121063204024", "inn_or_pinfl_length"),
        ("312106320402444", "inn_or_pinfl_length"),
        ("20158982x", "inn_characters"),
        ("31210632040245", "pinfl_check_digit"),
    ],
)
def test_other_lengths_name_no_taxpayer(identifier, code):
    with pytest.raises(IdentifierError) as caught:
        check_inn_or_pinfl(identifier, today=TODAY)
    assert caught.value.code == code


def test_a_declared_birth_date_is_the_one_within():
    check_birth_date("1963-10-12", pinfl="31210632040244")
    for other in ("1963-12-10", "", None):
        with pytest.raises(IdentifierError, match="The day differs from the one that the PINFL holds"):
            check_birth_date(other, pinfl="31210632040244")


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


@pytest.mark.parametrize("parcel", ["7", "A" * 64, "/".join("A" * 32), "10/01-02:03"])
def test_a_parcel_id_has_1_to_64_characters(parcel):
    check_parcel(parcel)


@pytest.mark.parametrize("parcel", ["", "x" * 65, "/" * 65])
def test_a_parcel_id_of_another_length_is_refused(parcel):
    sentence = f"A parcel id has 1 to 64 characters; {len(parcel)} were given."
    with pytest.raises(IdentifierError, match=exactly(sentence)):
        check_parcel(parcel)


@pytest.mark.parametrize(
    "parcel", ["10 01", "10;01", "ҳ10", "1٠", "10:01\n", "10:01/", "/10:01", ":10", "10-", "-", "//"]
)
def test_what_cannot_be_a_parcel_id_is_refused(parcel):
    sentence = "A parcel id has letters A to Z and digits, with ':', '-' or '/' between them; like 10:01:02:03:04:0055."
    with pytest.raises(IdentifierError, match=exactly(sentence)):
        check_parcel(parcel)


TEXTS = tomllib.loads(identifiers.TEXTS.read_text(encoding="utf-8"))


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_in_every_language_with_the_same_placeholders(language):
    found = {code: placeholders(text) for code, text in TEXTS[language].items()}
    assert found == {code: placeholders(text) for code, text in TEXTS["en"].items()}
    assert set(TEXTS) == set(LANGUAGES)


def test_every_text_is_asked_for_and_every_code_has_one():
    """Codes are spelled out, but for f"{kind}_length" and f"{kind}_characters" of the digits."""
    source = "".join(
        path.read_text() for path in Path(identifiers.__file__).parent.parent.rglob("*.py") if "tests" not in path.parts
    )
    built = {f"{kind}_{end}" for kind in ("pinfl", "inn") for end in ("length", "characters")}
    asked = {code for code in TEXTS["en"] if f'"{code}"' in source}
    assert asked | built == set(TEXTS["en"])


def test_uzbek_is_in_latin_script_with_its_own_letters():
    for text in TEXTS["uz"].values():
        assert re.search("[а-яёқғҳў]", text.casefold()) is None
        assert re.search("[og]['`‘’]", text.casefold()) is None


@pytest.mark.parametrize(
    ("language", "length", "prefix"),
    [
        ("en", "A PINFL has exactly 14 digits; 2 characters were given.", ODD_PREFIX),
        (
            "ru",
            "В ПИНФЛ ровно 14 цифр; введено символов: 2.",
            "ИНН начинается не с 2 или 3 (компании) и не с цифр от 4 до 7 (прежние номера физических лиц).",
        ),
        (
            "uz",
            "JSHSHIR roppa-rosa 14 ta raqamdan iborat; kiritilgan belgilar soni: 2.",
            "STIR 2 yoki 3 bilan ham (kompaniyalar), 4 dan 7 gacha boʻlgan raqam bilan ham "
            "(jismoniy shaxslarning eski raqamlari) boshlanmaydi.",
        ),
    ],
)
def test_sentences_are_in_the_active_language(language, length, prefix):
    with pytest.raises(IdentifierError) as caught:
        check_pinfl("12", today=TODAY)
    with translation.override(language):
        assert str(caught.value) == length
        assert inn_warnings("123456789")[0] == prefix


@pytest.mark.parametrize("language", [None, "de", "en-gb"])
def test_another_language_gets_that_of_the_installation(language):
    with translation.override(language):
        assert inn_warnings("201589829") == [ODD_CHECK]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("identifier", ["31210632040245", "33113632040244", "3121063204024x", "SECRET;10", "4" * 65])
def test_a_refusal_never_repeats_the_identifier(language, identifier):
    checks = (partial(check_pinfl, today=TODAY), check_inn, partial(check_inn_or_pinfl, today=TODAY), check_parcel)
    for check in checks:
        with translation.override(language), suppress_accepted() as refused:
            check(identifier)
        assert identifier not in "".join(map(repr, refused)) + "".join(map(str, refused))


@contextmanager
def suppress_accepted() -> Iterator[list[IdentifierError]]:
    """Collects the refusal, if there is one."""
    refused = []
    try:
        yield refused
    except IdentifierError as error:
        refused.append(error)
