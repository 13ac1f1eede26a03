"""manage.py erase_person 0b7c... --reason asked --as USERNAME"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.lookup import acting_as
from apps.accounts.models import Role
from apps.common.commands import refusals_told
from apps.companies.models import Company
from apps.credit_requests.erasure import REASONS, Erasure, erase_company, erase_person
from apps.individuals.models import Individual

EXAMPLE = "0b7c5a52-6d0e-4c6f-9d5e-2f6f0c6f7a11"


class Command(BaseCommand):
    help = "Erase the personal data of a person, or of a company, for good. Undecided requests stand in the way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=_id, metavar="ID", help="of the person, as the API tells it")
        parser.add_argument("--company", action="store_true", help="the id is a company's")
        parser.add_argument("--reason", required=True, choices=list(REASONS),
                            help="; ".join(f"{code}: {text}" for code, text in REASONS.items()))  # fmt: skip
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="an administrator")

    def handle(self, *, id: UUID, company: bool, reason: str, username: str, **options: Any) -> None:
        with refusals_told():
            erasure = self._erase(id, company, reason, username)
        if not erasure.data_keys:
            self.stdout.write(f"{id} was erased before, at {erasure.erased_at:%Y-%m-%d %H:%M} UTC; nothing was done.")
            return
        self.stdout.write(f"{id} is erased: {len(erasure.data_keys)} data keys were destroyed. Restored back-ups hold "
                          "them: keep the list of list_erased_keys apart from those.")  # fmt: skip

    def _erase(self, id_: UUID, is_company: bool, reason: str, username: str) -> Erasure:
        actor = acting_as(username, {Role.ADMINISTRATOR})
        found = (Company if is_company else Individual).objects.filter(id=id_).first()
        if found is None:
            raise CommandError(f"There is no {'company' if is_company else 'person'} with the id {id_}.")
        if is_company:
            return erase_company(company=found, reason=reason, actor=actor)
        return erase_person(individual=found, reason=reason, actor=actor)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"The id is like {EXAMPLE}; GET /api/individuals/ tells it.") from None
