"""Other terms, tried: what score and policy would say. Nothing is saved, logged or decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role
from apps.credit_requests.alternatives import find_alternatives_now
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.models.decisions import APPROVE
from apps.credit_requests.transitions import CHANGEABLE, UNDECIDED
from apps.credit_requests.trying import try_terms
from apps.workbench.request_parts.forms import TermsForm, read_form
from apps.workbench.request_parts.rules import bars_told, evaluation_of, reasons_told
from apps.workbench.screen import Screen
from apps.workbench.views.credit_request import find_request

TRIES = frozenset({Role.OFFICER, Role.APPROVER, Role.ANALYST})


class Alternatives(Screen):
    """The smallest changes that help. It asks model and policy a few hundred times: only when somebody looks."""

    roles = TRIES
    template = "workbench/request_alternatives.html"
    title = _("The smallest changes that help")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found = find_request(request.user, pk)
        evaluation = evaluation_of(found, timezone.now()) if found.status in UNDECIDED else None
        return self.show(
            request_shown=found,
            is_approved=evaluation is not None and evaluation.outcome.policy_outcome == APPROVE,
            alternatives=find_alternatives_now(found, evaluation) if evaluation else [],
        )


class TryTerms(Screen):
    """The page of a try, of which the request's page takes the result alone."""

    roles = TRIES
    template = "workbench/request_trial.html"
    title = _("Try other terms")

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found, now = find_request(request.user, pk), timezone.now()
        given = read_form(TermsForm, request)
        return self.show(
            request_shown=found,
            trial=present_trial(found, given["amount"], given["term_months"], self.language, now),
            may_change=request.user.role == Role.OFFICER and found.status in CHANGEABLE,
            given=given,
        )


def present_trial(found: CreditRequest, amount: int, term: int, language: str, now: datetime) -> dict[str, Any] | None:
    """None where the score came from no table of points."""
    tried = try_terms(credit_request=found, amount=amount, term_months=term, now=now)
    if tried is None:
        return None
    told = (tried.policy, tried.outcome, language, found.currency)
    return {
        "tried": tried,
        "score_change": tried.assessment.score - found.prediction.score,
        "is_asked": (amount, term) == (found.requested_amount, found.term_months),
        "reasons": reasons_told(*told),
        "bars": bars_told(*told),
    }
