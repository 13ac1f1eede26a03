"""Uzbek identifiers: PINFL, STIR (INN) and cadastral numbers. The formats and their sources: docs/identifiers.md.

A `check_*` function raises IdentifierError; a `*_warnings` function names what is unusual but accepted. Both speak the
active language, for the person who typed the identifier, and never repeat it.
"""

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language

PINFL_LENGTH, INN_LENGTH, MOST_PARCEL_LENGTH = 14, 9, 64
PINFL_WEIGHTS = (7, 3, 1) * 4 + (7,)
STIR_WEIGHTS = (37, 29, 23, 19, 17, 13, 7, 3)
CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
CADASTRAL = re.compile(r"[0-9]{2}(:[0-9]{2}){4}:[0-9]{4}(:[0-9]{4}(:[0-9]{3})?)?")
CADASTRAL_NEW = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{9}")
# No separator at either end: with a stray "/" behind it a parcel would be looked up and stored as another one.
PARCEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9:/-]*[A-Za-z0-9])?")
TEXTS = Path(__file__).parent / "identifier_texts.toml"


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def identifier_sentence(code: str, *, count: int | None = None) -> str:
    """In the active language, or in LANGUAGE_CODE where none of the three is active."""
    language = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    texts = _texts().get(language) or _texts()[settings.LANGUAGE_CODE]
    return texts[code].format(count=count)


class IdentifierError(ValueError):
    """A refusal. `code`: of identifier_texts.toml; str() is the sentence in the language that is active then.

    It holds no part of the identifier, so that no traceback or log can repeat it.
    """

    def __init__(self, code: str, *, count: int | None = None) -> None:
        super().__init__(code, count)
        self.code, self.count = code, count

    def __str__(self) -> str:
        return identifier_sentence(self.code, count=self.count)


def check_pinfl(pinfl: str, *, today: date) -> None:
    """14 digits; the first seven hold sex, century and birth date, the last is a check digit (weights 7, 3, 1)."""
    _check_digits("pinfl", pinfl, PINFL_LENGTH)
    born = pinfl_birth_date(pinfl)
    if born is None:
        raise IdentifierError("pinfl_date")
    if born > today:
        raise IdentifierError("pinfl_future")
    if int(pinfl[13]) != _pinfl_check_digit(pinfl[:13]):
        raise IdentifierError("pinfl_check_digit")


def _check_digits(kind: str, identifier: str, length: int) -> None:
    if len(identifier) != length:
        raise IdentifierError(f"{kind}_length", count=len(identifier))
    others = sum(character not in "0123456789" for character in identifier)
    if others:
        raise IdentifierError(f"{kind}_characters", count=others)


def _pinfl_check_digit(first_13: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(first_13, PINFL_WEIGHTS, strict=True)) % 10


def build_pinfl(*, birth_date: date, sex: str, area: int, serial: int) -> str:
    """An invented PINFL that passes the check, for demo data and tests. `sex`: male or female; area, serial 0..999."""
    first = 2 * (birth_date.year // 100 - 18) + (1 if sex == "male" else 2)
    body = f"{first}{birth_date:%d%m%y}{area:03}{serial:03}"
    return f"{body}{_pinfl_check_digit(body)}"


def pinfl_birth_date(pinfl: str) -> date | None:
    """The birth date that a PINFL of 14 digits encodes, to check a declared one; None when there is no such day."""
    century = CENTURIES.get(pinfl[0])
    if century is None:
        return None
    try:
        return date(century + int(pinfl[5:7]), int(pinfl[3:5]), int(pinfl[1:3]))
    except ValueError:
        return None


def check_birth_date(declared: str | None, *, pinfl: str) -> None:
    """declared: ISO day. It has to be the one within a PINFL that passed its own check."""
    if declared != pinfl_birth_date(pinfl).isoformat():
        raise IdentifierError("birth_date_differs")


def pinfl_sex(pinfl: str) -> str:
    """male or female, for fairness tests only: the first digit of a man's PINFL is odd."""
    return "male" if int(pinfl[0]) % 2 else "female"


def check_inn(inn: str) -> None:
    """9 digits. Prefix and check digit only warn: no official text of the rule is known."""
    _check_digits("inn", inn, INN_LENGTH)


def check_inn_or_pinfl(identifier: str, *, today: date) -> None:
    """9 digits of a company or a trader, or 14 of a person."""
    if len(identifier) == PINFL_LENGTH:
        check_pinfl(identifier, today=today)
    elif len(identifier) == INN_LENGTH:
        check_inn(identifier)
    else:
        raise IdentifierError("inn_or_pinfl_length", count=len(identifier))


def _inn_check_digit(first_8: str) -> int:
    remainder = sum(int(digit) * weight for digit, weight in zip(first_8, STIR_WEIGHTS, strict=True)) % 11
    return (99 - 9 * remainder) // 11


def build_inn(*, serial: int) -> str:
    """An invented INN of a company that gives no warning, for demo data and tests. `serial`: 0..9999999."""
    body = f"3{serial:07}"
    return f"{body}{_inn_check_digit(body)}"


def inn_warnings(inn: str) -> list[str]:
    """What is unusual in an INN of 9 digits."""
    warnings = []
    if inn[0] not in "234567":
        warnings.append(identifier_sentence("inn_prefix"))
    if int(inn[8]) != _inn_check_digit(inn[:8]):
        warnings.append(identifier_sentence("inn_check_digit"))
    return warnings


def check_parcel(parcel: str) -> None:
    """A cadastral number, or another parcel id of 1 to 64 letters and digits, with ':', '-' and '/' between them."""
    if not 1 <= len(parcel) <= MOST_PARCEL_LENGTH:
        raise IdentifierError("parcel_length", count=len(parcel))
    if not PARCEL.fullmatch(parcel):
        raise IdentifierError("parcel_characters")


def parcel_warnings(parcel: str) -> list[str]:
    if CADASTRAL.fullmatch(parcel):
        return []
    return [identifier_sentence("parcel_newer" if CADASTRAL_NEW.fullmatch(parcel) else "parcel_other")]
