"""Income of a person, as given or as it follows from income rows. Pure: a profile in, whole money out.

A derived month is the mean of the last 12 calendar months up to the newest row of that basis; a month between the
first and the last row that has none counts as nothing earned. Fractions are dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GIVEN = "given"
INCOME_ROWS = "income rows"
# Net pay is less than gross, so this understates the income; it never flatters it.
SALARY_X_12 = "salary x 12"
WINDOW = 12


@dataclass(frozen=True, slots=True)
class Income:
    """`obtained`: given, income rows, or salary x 12."""

    amount: int
    obtained: str


def yearly_income(profile: Mapping[str, Any]) -> int | None:
    """Gross, a year."""
    found = find_yearly_income(profile)
    return found and found.amount


def salary(profile: Mapping[str, Any]) -> int | None:
    """Net, a month."""
    found = find_salary(profile)
    return found and found.amount


def find_yearly_income(profile: Mapping[str, Any]) -> Income | None:
    if profile["yearly_income"] is not None:
        return Income(profile["yearly_income"], GIVEN)
    if (window := _window(profile["incomes"], "gross")) is not None:
        earned, months = window
        return Income(earned * 12 // months, INCOME_ROWS)
    month = find_salary(profile)
    return month and Income(month.amount * 12, SALARY_X_12)


def find_salary(profile: Mapping[str, Any]) -> Income | None:
    if profile["salary"] is not None:
        return Income(profile["salary"], GIVEN)
    if (window := _window(profile["incomes"], "net")) is not None:
        earned, months = window
        return Income(earned // months, INCOME_ROWS)
    return None


def _window(rows: list[dict[str, Any]], basis: str) -> tuple[int, int] | None:
    """Money earned in the window, and how many calendar months the window has rows over; None without rows."""
    dated = [(_month_number(row["month"]), row["amount"]) for row in rows if row["basis"] == basis]
    if not dated:
        return None
    last = max(number for number, _ in dated)
    within = [(number, amount) for number, amount in dated if number > last - WINDOW]
    first = min(number for number, _ in within)
    return sum(amount for _, amount in within), last - first + 1


def _month_number(month: str) -> int:
    """Months since the year 0, of "YYYY-MM"."""
    return int(month[:4]) * 12 + int(month[5:])
