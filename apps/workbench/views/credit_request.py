"""One request on one screen: who asks for what, the score and why, what the records say, what may be decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Role, User
from apps.accounts.permissions import OFFICERS, READERS, SEES_IDENTIFIERS
from apps.companies.api import present_company
from apps.credit_requests.api import requests_to_show
from apps.credit_requests.api_records import present_known
from apps.credit_requests.deciding import Evaluation
from apps.credit_requests.decision_presentation import render_decision_record, render_override
from apps.credit_requests.history import history_of
from apps.credit_requests.letters import can_print_letters
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.request_records import is_refreshing, read_records
from apps.credit_requests.transitions import UNDECIDED
from apps.individuals.api import present_individual
from apps.policies.policy import Policy
from apps.policies.services import policy_of
from apps.scoring_engine.models import CHALLENGER, PredictionLog
from apps.scoring_engine.services import render
from apps.workbench.applicants import Named, name_applicant
from apps.workbench.request_parts.moves import moves_of
from apps.workbench.request_parts.notices import notices_of
from apps.workbench.request_parts.reasons import waterfall_of
from apps.workbench.request_parts.records import tell_records
from apps.workbench.request_parts.rules import PolicyTold, evaluation_of, told_now, told_then
from apps.workbench.request_parts.scale import scale_of
from apps.workbench.screen import Screen

READS_LETTERS = SEES_IDENTIFIERS | {Role.AUDITOR}


class RequestScreen(Screen):
    roles = READERS
    template = "workbench/request.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found = find_request(request.user, pk)
        return self.show(**present_request(found, user=request.user, language=self.language, now=timezone.now()))


def find_request(user: User, pk: UUID) -> CreditRequest:
    """Raises Http404 for one of another branch as for none."""
    found = requests_to_show(user).filter(id=pk).first()
    if found is None:
        raise Http404
    return found


def present_request(found: CreditRequest, *, user: User, language: str, now: datetime) -> dict[str, Any]:
    """Each part under the name of its template in templates/workbench/request/."""
    named, evaluation = name_applicant(found), evaluation_of(found, now)
    decision, scoring = next(iter(found.newest_decision), None), render(found.prediction, language)
    moves = moves_of(found, user, evaluation, now)
    shown = present_records(found, user, language, now)
    told = told_of(found, decision, evaluation, language)
    return {
        **shown,
        "title": title_of(named),
        "request_shown": found,
        "named": named,
        "applicant": present_applicant(found, user),
        "scoring": scoring,
        "scale": scale_of(scoring, policy_asked(found, decision, evaluation)),
        "waterfall": waterfall_of(found.prediction, scoring, language),
        "challenger": challenger_of(found, user),
        "policy_told": told,
        "decision": decision and render_decision_record(decision, language),
        "letters": letters_of(decision, user),
        "prints_letters": can_print_letters(),
        "moves": moves,
        "waiting_comment": comment_of(moves.waiting),
        "may_try": evaluation is not None and found.status in UNDECIDED and user.role != Role.AUDITOR,
        "history": history_of(found, language)[::-1],
        "notices": notices_of(found, scoring, shown["records"], evaluation, moves.waiting),
    }


def present_records(found: CreditRequest, user: User, language: str, now: datetime) -> dict[str, Any]:
    known = read_records(credit_request=found, actor=user, now=now)
    records = present_known(found, known, language)
    return {
        "records": records,
        "records_told": tell_records(records),
        "of_decision": None,
        "decided": list(found.decisions.order_by("number").values_list("number", flat=True)),
        "may_refresh": may_refresh(found, user),
        "is_refreshing": is_refreshing(found, now),
    }


def may_refresh(found: CreditRequest, user: User) -> bool:
    return user.role in OFFICERS and found.applicant.data_key.destroyed_at is None


def told_of(
    found: CreditRequest, decision: Decision | None, evaluation: Evaluation | None, language: str
) -> PolicyTold | None:
    """Of an undecided request what the policy says now, of a decided one what it said then."""
    if found.status in UNDECIDED:
        return evaluation and told_now(evaluation, found.currency, language)
    return decision and told_then(decision, found.currency, language)


def policy_asked(found: CreditRequest, decision: Decision | None, evaluation: Evaluation | None) -> Policy | None:
    """Of an undecided request the one in force, of a decided one that which was asked then."""
    if found.status in UNDECIDED:
        return evaluation and evaluation.policy
    return policy_of(decision.policy) if decision is not None and decision.policy is not None else None


def title_of(named: Named) -> str:
    return named.name or _("Erased applicant")


def present_applicant(found: CreditRequest, user: User) -> dict[str, Any]:
    """As the API shows the profile: identifiers in full only to who works with the applicant."""
    if found.individual is not None:
        return present_individual(found.individual, user)
    return present_company(found.company, user)


def challenger_of(found: CreditRequest, user: User) -> dict[str, Any] | None:
    """What the challenger said of the same facts: for analysts alone, as it must not sway who decides."""
    if user.role != Role.ANALYST:
        return None
    rows = PredictionLog.objects.visible_to(user).filter(role=CHALLENGER, beside=found.prediction_id)
    row = rows.defer("sealed").first()
    return row and {"scoring": row, "difference": row.score - found.prediction.score}


def comment_of(waiting: Override | None) -> str | None:
    """What was said of the decision that waits. None once the applicant was erased."""
    return render_override(waiting)["comment"] if waiting else None


def letters_of(decision: Decision | None, user: User) -> list[int]:
    """The numbers of the decisions that have a letter for this user."""
    return [decision.number] if decision is not None and user.role in READS_LETTERS else []
