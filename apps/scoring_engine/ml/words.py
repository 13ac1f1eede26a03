"""Numbers, quantities and names in the applicant's language: uz (Latin script), ru, en."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("uz", "ru", "en")
_FOLDER = Path(__file__).parent / "reason_texts"
_NBSP = "\u00a0"
# A number is shown with so many digits after the point while it is below the bound.
_DIGITS = {"percent": ((1, 2), (10, 1)), "years": ((10**16, 1),), "months": ((10**16, 1),)}
_OTHER_DIGITS = ((10, 2), (100, 1))
_WHOLE = ("count", "score", "money")


@cache
def words_of(language: str) -> "Words":
    return Words(language)


class Words:
    """The texts of one language. Sentences are kept with a small first letter, so that they can be joined."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.texts: dict[str, Any] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))

    def phrase(self, phrase: str, /, **parts: str) -> str:
        return self.texts["phrases"][phrase].format(**parts)

    def has_measure(self, measure: str) -> bool:
        return measure in self.texts["measures"]

    def said_of(self, measure: str, unit: str, value: object, text: str) -> str:
        """The clause on a measure; `text` is the value in words, and the value itself chooses the plural."""
        said = self.texts["measures"][measure]["said"]
        if isinstance(said, dict):
            said = said[self._form(said, _rounded(unit, value))]
        return said.format(value=text)

    def fact(self, name: str) -> str:
        return self.texts["facts"].get(name) or name.replace("_", " ")

    def measure(self, measure: str) -> str | None:
        return self.texts["measures"].get(measure, {}).get("name") or self.texts["facts"].get(measure)

    def category(self, feature: str, value: str | bool) -> str:
        if isinstance(value, bool):
            return self.phrase("yes" if value else "no")
        return self.texts["values"].get(feature, {}).get(value) or value.replace("_", " ")

    def quantity(self, unit: str, value: float, currency: str) -> str:
        """A number with its unit: "48 %", "3.4 years", "1,200,000 UZS"."""
        if unit == "years" and 0 <= value < 1:
            unit, value = "months", round(value * 12)
        number = _rounded(unit, value)
        shown = self.number(number)
        if unit == "money":
            return f"{shown}{_NBSP}{self.texts['currencies'].get(currency, currency)}"
        forms = self.texts["units"].get(unit)
        if forms is None:
            return shown
        return forms[self._form(forms, number)].format(value=shown)

    def change(self, fact: str, given: str, needed: str) -> str:
        return self.texts["changes"]["change"].format(name=self.fact(fact), given=given, needed=needed)

    def number(self, number: Decimal) -> str:
        text = f"{number:,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        text = "0" if text == "-0" else text
        return text if self.language == "en" else text.translate(str.maketrans({",": _NBSP, ".": ","}))

    def listed(self, names: list[str]) -> str:
        """ "a, b and c"."""
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {self.phrase('and')} {names[-1]}"

    def _form(self, forms: Mapping[str, str], number: Decimal) -> str:
        form = plural_form(self.language, number)
        return form if form in forms else "other"


def plural_form(language: str, number: Decimal) -> str:
    """one | few | many | other, by the plural rules of Unicode's CLDR."""
    if language != "ru":
        return "one" if number == 1 else "other"
    if number != int(number):
        return "other"
    tens, hundreds = abs(int(number)) % 10, abs(int(number)) % 100
    if tens == 1 and hundreds != 11:
        return "one"
    return "few" if 2 <= tens <= 4 and not 12 <= hundreds <= 14 else "many"


def _rounded(unit: str, value: Any) -> Decimal:
    number = Decimal(repr(value)) * (100 if unit == "percent" else 1)
    if unit in _WHOLE and number == int(number):
        return Decimal(int(number))
    digits = next((d for bound, d in _DIGITS.get(unit, _OTHER_DIGITS) if abs(number) < bound), 0)
    return Decimal(f"{number:.{digits}f}")


def sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."
