"""What people do with a request: each a form that is posted, with the version and the assessment that were read."""

from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.permissions import OFFICERS
from apps.common.errors import DomainError
from apps.credit_requests import deciding, overriding, services
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.models.decisions import APPROVE, DECLINE, SELF_BAN
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.transitions import DECIDERS
from apps.workbench.labels import OUTCOMES
from apps.workbench.request_parts.forms import AnswerForm, ChangeForm, JudgeForm, SaidForm, VersionForm, read_form
from apps.workbench.request_parts.refused import tell_refusal, was_done
from apps.workbench.screen import Screen
from apps.workbench.views.credit_request import RequestScreen, find_request, present_request


class RequestAction(Screen):
    """`act` asks one service and returns what is said once it is done; a refusal is told on the request's page."""

    template = RequestScreen.template
    action: ClassVar[str]
    form: ClassVar[type[forms.Form]]
    again: ClassVar[Any] = gettext_lazy("This was done already.")

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found, address = find_request(request.user, pk), reverse("workbench:request", args=[pk])
        given: dict[str, Any] = {}
        try:
            given = read_form(self.form, request)
            return self.go(address, self.act(found, given))
        except DomainError as error:
            found = find_request(request.user, pk)
            if was_done(found, request.user, self.action, given.get("version")):
                return self.go(address, self.again)
            return self._refuse(found, error)

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        raise NotImplementedError

    def _refuse(self, found: CreditRequest, error: DomainError) -> HttpResponse:
        user, language, now = self.request.user, self.language, timezone.now()
        shown = present_request(found, user=user, language=language, now=now)
        refused = tell_refusal(self.action, error, self.request.POST)
        return self.show(HTTPStatus(error.status), **shown, refused=refused)


class Decide(RequestAction):
    roles = OFFICERS
    action, form = "decide", VersionForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        decision = deciding.decide_by_policy(credit_request=found, **given, actor=self.request.user, now=timezone.now())
        return _("The policy decided: %(outcome)s.") % {"outcome": OUTCOMES[decision.outcome]}


class Refer(RequestAction):
    roles = OFFICERS
    action, form = "refer", SaidForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        deciding.refer_request(credit_request=found, **given, actor=self.request.user, now=timezone.now())
        return _("The request is passed on to people.")


class Review(RequestAction):
    roles = DECIDERS
    action, form = "review", SaidForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        deciding.review_request(
            credit_request=found,
            version=given["version"],
            reason=given["comment"],
            actor=self.request.user,
            now=timezone.now(),
        )
        return _("The request is open again; people look at it anew.")


class Judge(RequestAction):
    """A person decides a referred request, or asks a second one to agree."""

    roles = DECIDERS
    form = JudgeForm
    done: ClassVar[Any]

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        terms = {name: given[name] for name in ("amount", "term_months") if given[name] is not None}
        decided = overriding.decide_by_person(
            credit_request=found,
            version=given["version"],
            prediction_id=given["prediction"],
            outcome=self.action,
            terms=terms or None,
            reason_code=given["reason_code"],
            comment=given["comment"],
            actor=self.request.user,
            now=timezone.now(),
        )
        if isinstance(decided, Decision):
            return self.done
        return _("It waits for a second person now; nothing is decided yet.")


class Approve(Judge):
    action = APPROVE
    done = gettext_lazy("The request is approved.")


class Decline(Judge):
    action = DECLINE
    done = gettext_lazy("The request is declined.")


class Withdraw(RequestAction):
    roles = OFFICERS
    action, form = "withdraw", VersionForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        services.withdraw_credit_request(credit_request=found, **given, actor=self.request.user)
        return _("The request is withdrawn.")


class ChangeTerms(RequestAction):
    roles = OFFICERS
    action, form = "change", ChangeForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        changes = {"requested_amount": given["amount"], "term_months": given["term_months"]}
        services.change_credit_request(
            credit_request=found, version=given["version"], changes=changes, actor=self.request.user
        )
        return _("The terms are changed, and the request is scored anew.")


class AnswerRegister(RequestAction):
    """What the register of self-bans told, for it has no client of its own."""

    roles = DECIDERS
    action, form = "register_answer", AnswerForm

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        record_register_answer(
            credit_request=found,
            register=SELF_BAN,
            is_listed=given["is_listed"] == "yes",
            actor=self.request.user,
            now=timezone.now(),
        )
        return _("The answer of the register is recorded.")
