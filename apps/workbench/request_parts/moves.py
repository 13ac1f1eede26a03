"""What somebody may do with a request now, and in words why not, before they try. The services ask all of it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.credit_requests.deciding import Evaluation
from apps.credit_requests.models import CreditRequest, Override
from apps.credit_requests.models.decisions import APPROVE, DECLINE
from apps.credit_requests.staff_links import hindrance
from apps.credit_requests.transitions import CHANGEABLE, DECIDERS, MOVES, UNDECIDED
from apps.credit_requests.weighing import Foreseen, foresee

WEIGHED = (APPROVE, DECLINE)
OF_POLICY = ("decide", *WEIGHED)
SELF_BANNED = "self_banned"

LINKED = _("You are linked to the applicant, so somebody else has to decide.")
ERASED = _("The personal data were erased, so nothing can be decided any more.")
NOT_SCORED = _("The request is not scored yet, so there is nothing to decide on.")
NO_POLICY = _("No policy is in force for this kind of request, so it can be neither approved nor declined.")
OWN_OVERRIDE = _("You asked for this yourself, so another person has to agree.")
NEEDS_APPROVER = _("An approver of the branch has to agree or disagree first.")
OFFICER_FIRST = _("An officer asks the policy first, or passes the request on to people.")
READ_ONLY = _("Officers and approvers of the branch decide; you may read.")
NOTHING_LEFT = _("Nothing is left to do with this request.")


@dataclass(frozen=True, slots=True)
class Moves:
    """offered: names of actions, the likeliest first; foreseen: of those that are weighed against the policy.

    waiting: the override that needs its second person. asks_register: whether the register of self-bans is to be asked.
    """

    offered: list[str]
    why_not: Any
    foreseen: Mapping[str, Foreseen]
    waiting: Override | None
    may_close: bool
    may_change: bool
    asks_register: bool


def moves_of(found: CreditRequest, user: User, evaluation: Evaluation | None, now: datetime) -> Moves:
    waiting = _waiting(found, now)
    why_not = _why_not(found, user, evaluation, waiting)
    free = user.role in DECIDERS and hindrance(found, user) is None and found.applicant.data_key.destroyed_at is None
    offered = [name for name in _of_table(found, user) if _is_free(name, found, evaluation, waiting)] if free else []
    foreseen = {name: foresee(found, name, evaluation) for name in WEIGHED if name in offered and evaluation}
    may_close = free and waiting is not None and _may_close(waiting, user)
    return Moves(
        offered=offered,
        why_not=why_not or ("" if offered or may_close else _nothing(found, user)),
        foreseen=foreseen,
        waiting=waiting,
        may_close=may_close,
        may_change=free and user.role == Role.OFFICER and found.status in CHANGEABLE,
        asks_register=free and found.status in UNDECIDED and evaluation is not None and _misses_register(evaluation),
    )


def _of_table(found: CreditRequest, user: User) -> list[str]:
    """Each once, in the order of the table."""
    return list(dict.fromkeys(move.action for move in MOVES if move.source == found.status and user.role in move.roles))


def _is_free(name: str, found: CreditRequest, evaluation: Evaluation | None, waiting: Override | None) -> bool:
    if name == "withdraw":
        return True
    if name in OF_POLICY and (evaluation is None or found.prediction is None):
        return False
    return name not in WEIGHED or waiting is None


def _why_not(
    found: CreditRequest, user: User, evaluation: Evaluation | None, waiting: Override | None
) -> Any:  # text of the language of the page, or nothing
    if user.role not in DECIDERS:
        return READ_ONLY
    if found.applicant.data_key.destroyed_at is not None:
        return ERASED
    if hindrance(found, user) is not None:
        return LINKED
    if waiting is not None:
        return _why_not_close(waiting, user)
    if found.status not in UNDECIDED:
        return ""
    return NOT_SCORED if found.prediction is None else NO_POLICY if evaluation is None else ""


def _why_not_close(waiting: Override, user: User) -> Any:
    if waiting.requested_by_id == user.id:
        return OWN_OVERRIDE
    return "" if _may_close(waiting, user) else NEEDS_APPROVER


def _may_close(waiting: Override, user: User) -> bool:
    return user.role == Role.APPROVER and waiting.requested_by_id != user.id


def _nothing(found: CreditRequest, user: User) -> Any:
    return OFFICER_FIRST if found.status in CHANGEABLE and user.role == Role.APPROVER else NOTHING_LEFT


def _waiting(found: CreditRequest, now: datetime) -> Override | None:
    """One past its time is closed by whoever decides next."""
    rows = found.overrides.waiting().filter(expires_at__gte=now)
    return rows.select_related("data_key", "requested_by").first()


def _misses_register(evaluation: Evaluation) -> bool:
    return any(SELF_BANNED in step.missing for step in evaluation.outcome.trace)
