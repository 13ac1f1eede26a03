"""Who stands too close to which applicant: their requests are for others to decide."""

from datetime import datetime

from django.db import IntegrityError, transaction

from apps.accounts.models import Role, User
from apps.audit.services import record_event
from apps.common.errors import Conflict, InvalidInput, NotPermitted
from apps.common.sentences import Sentence
from apps.companies.models import Company
from apps.credit_requests.models import CreditRequest, StaffLink
from apps.individuals.models import Individual

BRANCH_ROLES = frozenset({Role.OFFICER, Role.APPROVER})


@transaction.atomic
def declare_staff_link(
    *, user: User, applicant: Individual | Company, relation: str, actor: User, now: datetime
) -> StaffLink:
    """`relation`: one of RELATIONS. People declare their own links; an administrator anybody's."""
    if actor != user and actor.role != Role.ADMINISTRATOR:
        raise NotPermitted(Sentence("You declare your own links; those of others are for an administrator to declare."))
    if user.role not in BRANCH_ROLES:
        raise InvalidInput.of(
            user=Sentence(
                "{username} is {role}, who decides of no request; no link is needed.",
                username=user.username,
                role=user.role,
            )
        )
    kind = "individual" if isinstance(applicant, Individual) else "company"
    given = {kind: applicant, "user": user, "relation": relation, "made_by": actor, "created_at": now}
    try:
        with transaction.atomic():
            link = StaffLink.objects.create(**given)
    except IntegrityError:
        if not StaffLink.objects.standing().filter(user=user, **{kind: applicant}).exists():
            raise
        raise Conflict(Sentence("This link is declared already.")) from None
    details = {"user": user.id, kind: str(applicant.id), "relation": relation}
    record_event(actor=actor, action="staff_link.declare", subject=link, details=details)
    return link


@transaction.atomic
def end_staff_link(*, link: StaffLink, actor: User, now: datetime) -> StaffLink:
    """Nobody frees themselves, and what was ended stays ended."""
    if actor.role != Role.ADMINISTRATOR or actor.id == link.user_id:
        raise NotPermitted(Sentence("A link is ended by an administrator other than the linked one."))
    if not StaffLink.objects.standing().filter(id=link.id).update(ended_by=actor, ended_at=now):
        raise Conflict(Sentence("This link was ended already."))
    link.refresh_from_db()
    record_event(actor=actor, action="staff_link.end", subject=link)
    return link


def check_may_speak(credit_request: CreditRequest, user: User, *, service: bool = False) -> None:
    """Raises NotPermitted unless the user may decide of this request. `service`: whether a service account may."""
    if why := hindrance(credit_request, user, service=service):
        raise NotPermitted(
            Sentence("{username} may not decide of this request: {why}", username=user.username, why=why)
        )


def hindrance(credit_request: CreditRequest, user: User, *, service: bool = False) -> str | None:
    """Why the user may not decide of this request, whatever their role; the triggers of guards.py refuse the same."""
    if not user.is_active:
        return Sentence("the account is closed.")
    if user.branch_id != credit_request.branch_id:
        return Sentence("it is of another branch; somebody of that branch decides.")
    if user.kind != User.Kind.PERSON and not service:
        return Sentence("a service account decides nothing by itself; a person has to.")
    applicant = {"individual_id": credit_request.individual_id, "company_id": credit_request.company_id}
    if StaffLink.objects.standing().filter(user=user, **applicant).exists():
        return Sentence("they are linked to the applicant; somebody else has to decide.")
    return None
