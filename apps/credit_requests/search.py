"""Applicants found by what somebody typed: a PINFL, an INN, or whole words of a name. Nothing of it is stored."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.common.identifiers import PINFL_LENGTH, IdentifierError, check_inn_or_pinfl
from apps.common.name_words import with_name
from apps.common.sentences import Sentence
from apps.companies.models import Company
from apps.individuals.models import Individual

PINFL, INN, NAME = KINDS = ("pinfl", "inn", "name")
MOST_FOUND = 500  # of people, and of companies
MOST_CHARACTERS = 200
_SEPARATORS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class FoundApplicants:
    """kind: what the text was taken for. is_cut: more were found than are told; another word finds fewer."""

    kind: str
    individuals: tuple[UUID, ...] = ()
    companies: tuple[UUID, ...] = ()
    is_cut: bool = False

    @property
    def of_requests(self) -> Q:
        """The condition on credit requests that they are of these applicants."""
        return Q(individual__in=self.individuals) | Q(company__in=self.companies)


def search_applicants(text: str, user: User) -> FoundApplicants:
    """Those of the applicants whom the user may see. Raises InvalidInput for `search`."""
    if not any(map(str.isalnum, text)) or len(text) > MOST_CHARACTERS:
        raise InvalidInput.of(
            search=Sentence("Give a PINFL, an INN or words of a name, at most {most} characters.", most=MOST_CHARACTERS)
        )
    people, companies = Individual.objects.visible_to(user), Company.objects.visible_to(user)
    digits = _SEPARATORS.sub("", text)
    if not digits.isdecimal():
        return _found(NAME, with_name(people, text), with_name(companies, text))
    try:
        check_inn_or_pinfl(digits, today=lender_today())
    except IdentifierError as error:
        raise InvalidInput.of(search=str(error)) from None
    if len(digits) == PINFL_LENGTH:
        return _found(PINFL, people.with_pinfl(digits), companies.none())
    return _found(INN, people.none(), companies.with_tax_id(digits))


def _found(kind: str, people: QuerySet, companies: QuerySet) -> FoundApplicants:
    ids = [list(rows.order_by("id").values_list("id", flat=True)[: MOST_FOUND + 1]) for rows in (people, companies)]
    individuals, firms = (tuple(found[:MOST_FOUND]) for found in ids)
    return FoundApplicants(kind, individuals, firms, any(len(found) > MOST_FOUND for found in ids))
