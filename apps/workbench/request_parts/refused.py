"""A refusal told on the request's own page, beside the form that was sent, so that nothing typed is lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, DomainError
from apps.credit_requests.models import CreditRequest, Override
from apps.workbench.refusals import WORDS
from apps.workbench.telling import tell, tell_problems

GIVEN = ("comment", "reason_code", "amount", "term_months")


@dataclass(frozen=True, slots=True)
class Refused:
    """problems: what a field is called, and what is wrong with it."""

    action: str
    title: Any
    advice: Any
    detail: str
    problems: list[tuple[str, str]]
    is_stale: bool
    given: dict[str, str]


def tell_refusal(action: str, error: DomainError, given: Mapping[str, str]) -> Refused:
    title, advice = WORDS[error.code]
    problems = tell_problems(error.errors)
    return Refused(
        action=action,
        title=title,
        advice=advice,
        detail="" if problems else tell(error.detail),
        problems=problems,
        is_stale=isinstance(error, Conflict),
        given={name: given.get(name, "") for name in GIVEN},
    )


def was_done(found: CreditRequest, user: User, action: str, version: int | None) -> bool:
    """Whether this user did just that with this version before: the form was sent twice."""
    if version is None or found.version != version + 1:
        return False
    proposed = Override.objects.filter(credit_request=found, requested_by=user, outcome=action, state="waiting")
    subject = {"subject_type": found._meta.label, "subject_id": str(found.id), "actor": user}
    done = AuditEvent.objects.filter(**subject, action=f"credit_request.{action}", details__version=version + 1)
    return proposed.exists() or done.exists()
