"""Uzbek identifiers: PINFL, STIR (INN) and cadastral numbers. The formats and their sources: docs/identifiers.md.

A `check_*` function raises ValueError with a sentence for the person who typed the identifier; a `*_warnings`
function names what is unusual but accepted.
"""

import re
from datetime import date

PINFL_LENGTH, INN_LENGTH = 14, 9
PINFL_WEIGHTS = (7, 3, 1) * 4 + (7,)
STIR_WEIGHTS = (37, 29, 23, 19, 17, 13, 7, 3)
CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
CADASTRAL = re.compile(r"\d{2}(:\d{2}){4}:\d{4}(:\d{4}(:\d{3})?)?")
CADASTRAL_NEW = re.compile(r"\d{2}:\d{2}:\d{9}")
# No separator at either end: with a stray "/" behind it a parcel would be looked up and stored as another one.
PARCEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9:/-]{0,62}[A-Za-z0-9])?")


def check_pinfl(pinfl: str, *, today: date) -> None:
    """14 digits; the first seven hold sex, century and birth date, the last is a check digit (weights 7, 3, 1)."""
    if not re.fullmatch(r"[0-9]{14}", pinfl):
        raise ValueError(f"A PINFL has exactly 14 digits; {len(pinfl)} characters were given.")
    if pinfl_birth_date(pinfl) is None:
        raise ValueError("Digits 1 to 7 of the PINFL do not hold a real birth date; check for a mistyped digit.")
    if pinfl_birth_date(pinfl) > today:
        raise ValueError("The birth date within the PINFL lies in the future; check for a mistyped digit.")
    if int(pinfl[13]) != _pinfl_check_digit(pinfl[:13]):
        raise ValueError("The last digit of the PINFL does not fit the others; check for a mistyped digit.")


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


def pinfl_sex(pinfl: str) -> str:
    """male or female, for fairness tests only: the first digit of a man's PINFL is odd."""
    return "male" if int(pinfl[0]) % 2 else "female"


def check_inn(inn: str) -> None:
    """9 digits. Prefix and check digit only warn: no official text of the rule is known."""
    if not re.fullmatch(r"[0-9]{9}", inn):
        raise ValueError(f"An INN (STIR) has exactly 9 digits; {len(inn)} characters were given.")


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
        warnings.append("The INN starts with neither 2 or 3 (companies) nor 4 to 7 (old personal numbers).")
    if int(inn[8]) != _inn_check_digit(inn[:8]):
        warnings.append("The last digit of the INN does not fit the others; check for a mistyped digit.")
    return warnings


def check_parcel(parcel: str) -> None:
    """A cadastral number, or another parcel id of 1 to 64 letters and digits, with ':', '-' and '/' between them."""
    if not PARCEL.fullmatch(parcel):
        raise ValueError(
            "A parcel id has 1 to 64 letters and digits, with ':', '-' or '/' between them; like 10:01:02:03:04:0055."
        )


def parcel_warnings(parcel: str) -> list[str]:
    if CADASTRAL.fullmatch(parcel):
        return []
    if CADASTRAL_NEW.fullmatch(parcel):
        return ["This is the newer form of a cadastral number, which was seen only rarely; compare it with the paper."]
    return ["This is not the form of a cadastral number (AA:BB:CC:DD:EE:FFFF); it is looked up as given."]
