"""Where SQLite, PostgreSQL and DuckDB differ in what an exported card needs."""

from abc import ABC, abstractmethod

from ..cards import Feature
from .parts import over_nothing

EXACT = 2**53  # whole numbers up to here are exact in a double


class Dialect(ABC):
    """Writes one part of SQL each; every number is double precision, bit for bit the one of the card."""

    name: str
    once = ""  # says that a step is computed once, not wherever it is named

    @abstractmethod
    def number(self, value: float) -> str: ...

    @abstractmethod
    def date(self, expression: str) -> str: ...

    @abstractmethod
    def days(self, first: str, last: str) -> str:
        """Whole days from the first date to the last."""

    @abstractmethod
    def place_of(self, text: str, within: str) -> str:
        """0 when `within` does not hold `text`."""

    def double(self, column: str) -> str:
        """A column of numbers, NaN taken as NULL."""
        return f"NULLIF(CAST({column} AS DOUBLE PRECISION), 'NaN')"

    def text(self, value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    def quotient_guards(self, above: str, below: str, feature: Feature) -> list[tuple[str, str]]:
        """(condition, value) pairs that stand before the division."""
        return []


class SQLite(Dialect):
    """SQLite 3.25 or newer, built with its mathematical functions, as its shell and Python's module are."""

    name = "sqlite"

    def number(self, value: float) -> str:
        """SQLite misreads some decimals (0.890847) by a last bit: so they stand as quotients of exact numbers."""
        if float(value).is_integer() and abs(value) <= EXACT:
            return f"{int(value)}.0"
        digits, scale = _decimal(value)
        if abs(digits) <= EXACT and scale <= 22:
            return f"({digits} / {10**scale}.0)"
        return _by_powers_of_two(value)

    def double(self, column: str) -> str:
        return f"CAST({column} AS DOUBLE PRECISION)"  # SQLite keeps NaN as NULL

    def date(self, expression: str) -> str:
        return f"date({expression})"

    def days(self, first: str, last: str) -> str:
        return f"julianday({last}) - julianday({first})"

    def place_of(self, text: str, within: str) -> str:
        return f"instr({within}, {text})"


class PostgreSQL(Dialect):
    """PostgreSQL 12 or newer. Without MATERIALIZED it computes a ratio anew in every condition on it."""

    name = "postgresql"
    once = "MATERIALIZED "

    def number(self, value: float) -> str:
        return f"{float(value)!r}::float8"

    def date(self, expression: str) -> str:
        return f"CAST({expression} AS DATE)"

    def days(self, first: str, last: str) -> str:
        return f"{last} - {first}"

    def place_of(self, text: str, within: str) -> str:
        return f"strpos({within}, {text})"

    def text(self, value: str) -> str:
        # E'...' reads a backslash the same whatever standard_conforming_strings says.
        return ("E" + super().text(value).replace("\\", "\\\\")) if "\\" in value else super().text(value)

    def quotient_guards(self, above: str, below: str, feature: Feature) -> list[tuple[str, str]]:
        """PostgreSQL stops with an error where a quotient of doubles would be infinite, or so small that it is zero."""
        least, nothing, most = (self.number(value) for value in over_nothing(feature))
        huge = f"abs({above}) > LEAST(abs({below}), 1.0::float8) * 1e300::float8"
        tiny = f"LEAST(abs({above}), 1e-290::float8) / 5e-324::float8 * 2.0::float8 <= abs({below})"
        return [
            (huge, f"CASE WHEN ({above} > 0) = ({below} > 0) THEN {most} ELSE {least} END"),
            (tiny, nothing),
        ]


class DuckDB(Dialect):
    name = "duckdb"

    def number(self, value: float) -> str:
        # With an exponent it is a double from the start, without one a decimal.
        text = repr(float(value))
        return text if "e" in text else f"{text}e0"

    def date(self, expression: str) -> str:
        return f"CAST({expression} AS DATE)"

    def days(self, first: str, last: str) -> str:
        return f"{last} - {first}"

    def place_of(self, text: str, within: str) -> str:
        return f"instr({within}, {text})"


DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (SQLite(), PostgreSQL(), DuckDB())}


def _decimal(value: float) -> tuple[int, int]:
    """(digits, scale) with value = digits / 10 ** scale, from the shortest text of the double."""
    text, _, exponent = repr(float(value)).partition("e")
    whole, _, fraction = text.partition(".")
    scale = len(fraction) - int(exponent or 0)
    digits = int(whole + fraction)
    return (digits, scale) if scale >= 0 else (digits * 10**-scale, 0)


def _by_powers_of_two(value: float) -> str:
    """A double as a whole number times or over powers of two, each of them exact."""
    above, below = float(value).as_integer_ratio()
    steps = ""
    while abs(above) > EXACT:
        factor = min(2**52, above & -above)
        above //= factor
        steps += f" * {factor}.0"
    while below > 1:
        factor = min(2**52, below)
        below //= factor
        steps += f" / {factor}.0"
    return f"({above}.0{steps} /* {value!r} */)"
