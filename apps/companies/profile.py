"""What the profile of a company holds, what its fields have to agree on, and what is odd but accepted."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from apps.common.days import full_years
from apps.common.errors import FieldProblem, InvalidInput
from apps.common.identifiers import INN_LENGTH, IdentifierError, check_inn, inn_warnings, parcel_warnings
from apps.common.sentences import Sentence
from apps.companies.models import FIRST_YEAR, FinancialStatement

Profile = dict[str, Any]

# The sealed part. Money is in whole units of the company's currency, phones are E.164. None: not known.
EMPTY_PROFILE: Profile = {
    "company_name": None,
    "tax_id": None,
    "contact": None,  # {name, phone, email}
    "existing_debt": None,
    "monthly_debt_payments": None,
    "collateral_value": None,
    "guarantor": None,  # {name, inn, phone}
    "parcel_ids": [],
}
UNCHANGING = frozenset({"tax_id"})
MOST_YEARS_APART = 1


def check_profile(profile: Profile) -> None:
    """Raises InvalidInput naming each field that is unknown or missing."""
    problems = [
        FieldProblem(name, Sentence("There is no such field in the profile of a company."))
        for name in sorted(profile.keys() - EMPTY_PROFILE.keys())
    ]
    if not profile["company_name"]:
        problems.append(FieldProblem("company_name", Sentence("A name is needed.")))
    try:
        check_inn(profile["tax_id"] or "")
    except IdentifierError as error:
        problems.append(FieldProblem("tax_id", str(error)))
    _refuse(problems)


def check_statements(statements: list[dict[str, Any]], *, today: date) -> None:
    """Raises InvalidInput for a year given twice, before 1990 or after this one."""
    years = [statement["year"] for statement in statements]
    _refuse([*_year_problems(years, today)])


def _year_problems(years: list[int], today: date) -> Iterator[FieldProblem]:
    for place, year in enumerate(years):
        if not FIRST_YEAR <= year <= today.year:
            yield FieldProblem(
                f"statements[{place}].year",
                Sentence(
                    "Allowed is a year from {first_year} to {last_year}.", first_year=FIRST_YEAR, last_year=today.year
                ),
            )
        if year in years[:place]:
            yield FieldProblem(
                f"statements[{place}].year", Sentence("The year {year} is given twice; give each year once.", year=year)
            )


def _refuse(problems: list[FieldProblem]) -> None:
    if problems:
        raise InvalidInput("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems)


def settle_years(incorporated: date | None, years: float | None, *, today: date) -> float | None:
    """The years in business to keep beside the date: none once the date is known, for the date wins.

    Raises InvalidInput when the date lies ahead, or when the two are more than a year apart.
    """
    if incorporated is None:
        return years
    if incorporated > today:
        raise InvalidInput.of(incorporated_date=Sentence("The day lies in the future; allowed is today or earlier."))
    derived = full_years(incorporated, today)
    if years is not None and abs(derived - years) > MOST_YEARS_APART:
        raise InvalidInput.of(
            years_in_business=Sentence(
                "{years} years contradict the incorporated_date, from which {derived} follow; correct one"
                " of the two or leave the years out.",
                years=years,
                derived=derived,
            )
        )
    return None


def find_warnings(profile: Profile, statements: Iterable[FinancialStatement]) -> list[FieldProblem]:
    """What is unusual and was accepted all the same; names places, so that no identifier is repeated."""
    found = [FieldProblem("tax_id", message) for message in inn_warnings(profile["tax_id"])]
    for place, parcel in enumerate(profile["parcel_ids"]):
        found += [FieldProblem(f"parcel_ids[{place}]", message) for message in parcel_warnings(parcel)]
    guarantor = profile["guarantor"]
    if guarantor is not None and len(guarantor["inn"]) == INN_LENGTH:
        found += [FieldProblem("guarantor.inn", message) for message in inn_warnings(guarantor["inn"])]
    for statement in statements:
        found += _statement_warnings(statement)
    return found


def _statement_warnings(statement: FinancialStatement) -> Iterator[FieldProblem]:
    for part, whole in (("current_assets", "assets"), ("current_liabilities", "liabilities")):
        value = getattr(statement, part)
        if value is not None and value > getattr(statement, whole):
            message = Sentence(
                "In {year} the {part} are more than the {whole}, of which they are a part.",
                year=statement.year,
                part=part,
                whole=whole,
            )
            yield FieldProblem(f"statements.{part}", message)
