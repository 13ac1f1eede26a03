"""Applicants to erase, with records and a request that is no longer undecided."""

from io import StringIO
from typing import Any

from django.core.management import call_command

from apps.accounts.tests.factories import make_branch
from apps.common.background import work_due_jobs
from apps.credit_requests.erasure import Erasure, erase_person
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.factories import make_request
from apps.external_integrations.tests.factories import allow
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual


def make_decided(**overrides: Any) -> Individual:
    """A person with a request that was withdrawn, and records of tax, bureau and land."""
    person = make_individual(make_branch(), **overrides)
    allow(person.profile["pinfl"], "soliq", "bureau")
    request = make_request(person)
    work_due_jobs()
    request.refresh_from_db()
    withdraw_credit_request(credit_request=request, version=request.version, actor=None)
    return person


def erased(person: Individual, **options: Any) -> Erasure:
    return erase_person(**{"individual": person, "reason": "asked", "actor": None} | options)


def told(*arguments: str) -> str:
    """What the command said."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()
