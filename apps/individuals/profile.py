"""What the profile of a person holds, and what its fields have to agree on."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from apps.common.errors import FieldProblem, InvalidInput
from apps.common.identifiers import (
    INN_LENGTH,
    IdentifierError,
    check_birth_date,
    check_pinfl,
    inn_warnings,
    parcel_warnings,
)
from apps.common.money import MOST_MONEY
from apps.common.sentences import Sentence
from apps.individuals.income import salary, yearly_income

Profile = dict[str, Any]

# Days are ISO text, phones E.164, money whole units of the individual's currency. None: not known.
EMPTY_PROFILE: Profile = {
    "full_name": None,
    "pinfl": None,
    "birth_date": None,
    "phone": None,
    "email": None,
    "incomes": [],  # {month "YYYY-MM", amount, basis net | gross, source official | other}
    "salary": None,  # net, a month, as given
    "yearly_income": None,  # gross, a year, as given
    "existing_debt": None,
    "monthly_debt_payments": None,
    "collateral_value": None,
    "property_net_worth": None,  # less than nothing when more is owed on it than it is worth
    "guarantor": None,  # {name, inn, phone}
    "credit_history_score": None,
    "credit_history_scale": None,
    "criminal_history": None,
    "employment_years": None,
    "bureau": None,  # {source, observed_at, and the bureau's facts}
    "parcel_ids": [],
}
# Bounds of a credit bureau's score; "other" has only those of the field.
SCALE_BOUNDS = {"fico_300_850": (300, 850), "katm_0_500": (0, 500)}
SCALES = (*SCALE_BOUNDS, "other")
UNCHANGING = frozenset({"pinfl"})


def check_profile(profile: Profile, *, today: date) -> None:
    """Raises InvalidInput naming each field that is unknown or does not agree with another one."""
    problems = [*_unknown(profile), *_identity(profile, today), *_credit_history(profile), *_income(profile)]
    if problems:
        raise InvalidInput("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems)


def _unknown(profile: Profile) -> Iterator[FieldProblem]:
    for name in sorted(profile.keys() - EMPTY_PROFILE.keys()):
        yield FieldProblem(name, Sentence("There is no such field in the profile of a person."))


def _identity(profile: Profile, today: date) -> Iterator[FieldProblem]:
    if not profile["full_name"]:
        yield FieldProblem("full_name", Sentence("A name is needed."))
    try:
        check_pinfl(profile["pinfl"] or "", today=today)
    except IdentifierError as error:
        yield FieldProblem("pinfl", str(error))
        return
    try:
        check_birth_date(profile["birth_date"], pinfl=profile["pinfl"])
    except IdentifierError as error:
        yield FieldProblem("birth_date", str(error))


def _credit_history(profile: Profile) -> Iterator[FieldProblem]:
    score, scale = profile["credit_history_score"], profile["credit_history_scale"]
    if score is None:
        return
    if scale is None:
        yield FieldProblem(
            "credit_history_scale",
            Sentence("A credit_history_score needs its scale. Allowed: {allowed}.", allowed=SCALES),
        )
    elif scale in SCALE_BOUNDS and not SCALE_BOUNDS[scale][0] <= score <= SCALE_BOUNDS[scale][1]:
        least, most = SCALE_BOUNDS[scale]
        yield FieldProblem(
            "credit_history_score",
            Sentence(
                "On the scale {scale} allowed is a number from {least} to {most}.", scale=scale, least=least, most=most
            ),
        )


def _income(profile: Profile) -> Iterator[FieldProblem]:
    for name, derived in (("yearly_income", yearly_income(profile)), ("salary", salary(profile))):
        if derived is not None and derived > MOST_MONEY:
            yield FieldProblem(
                "incomes",
                Sentence(
                    "The {fact} that follows is {derived}; the most that is kept is {most}.",
                    fact=name,
                    derived=derived,
                    most=MOST_MONEY,
                ),
            )


def find_warnings(profile: Profile) -> list[FieldProblem]:
    """What is unusual and was accepted all the same; names places, so that no identifier is repeated."""
    found = []
    for place, parcel in enumerate(profile["parcel_ids"]):
        found += [FieldProblem(f"parcel_ids[{place}]", message) for message in parcel_warnings(parcel)]
    guarantor = profile["guarantor"]
    if guarantor is not None and len(guarantor["inn"]) == INN_LENGTH:
        found += [FieldProblem("guarantor.inn", message) for message in inn_warnings(guarantor["inn"])]
    return found
