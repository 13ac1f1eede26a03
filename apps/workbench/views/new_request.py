"""A new request on one page: who applies, what is asked for, what may be asked of the registers; then it is scored.

What is typed stays in the body of a form: in no address, no log and no session.
"""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import OFFICERS
from apps.common.errors import Conflict, DomainError, InvalidInput
from apps.common.idempotency import run_once
from apps.common.identifiers import pinfl_birth_date
from apps.companies.api import present_company
from apps.credit_requests.models import CreditRequest, Product
from apps.individuals.api import present_individual
from apps.individuals.models import Individual
from apps.workbench import formats, labels
from apps.workbench.application_forms import PERSON, Part, PersonKey, bounds_of
from apps.workbench.applying import Applicant, Application, submit_application, undecided_of
from apps.workbench.screen import Screen
from apps.workbench.telling import tell, tell_problems

NEVER_TYPED = ("csrfmiddlewaretoken", "key")


class ApplicationScreen(Screen):
    """The form as far as it is filled in."""

    roles = OFFICERS
    template = "workbench/new.html"
    title = gettext_lazy("New request")

    def show_form(
        self, application: Application, status: HTTPStatus = HTTPStatus.OK, refused: DomainError | None = None
    ) -> HttpResponse:
        applicant, user = application.applicant, self.request.user
        return self.show(
            status,
            application=application,
            applicant=applicant,
            kinds=labels.APPLICANTS.items(),
            profile=_profile(applicant, user),
            undecided=undecided_of(applicant, user) if application.is_open else [],
            key=application.given.get("key") or uuid4().hex,
            currency=formats.currency_name(application.currency),
            wrong=[field for part in application.parts for field in part if part.is_bound and field.errors],
            refused=refused,
            problems=tell_problems(refused.errors) if refused else [],
            detail=tell(refused.detail) if refused else "",
        )


class NewRequest(ApplicationScreen):
    """GET asks who applies; POST finds them and asks for the rest."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show_form(_application(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        application = _application(request)
        return self.show_form(application, HTTPStatus.OK if application.is_open else HTTPStatus.UNPROCESSABLE_ENTITY)


class SubmitNewRequest(ApplicationScreen):
    """The whole form, once per key: sent again, it leads to the request that it made."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Where a change of language leads back to: what was typed is gone by then."""
        return self.go(reverse("workbench:new"))

    def post(self, request: HttpRequest) -> HttpResponse:
        application = _application(request, is_sent=True)
        try:
            reply = run_once(
                client=request.user,
                route=request.resolver_match.route,
                key=request.POST.get("key", ""),
                body={name: request.POST.getlist(name) for name in request.POST if name not in NEVER_TYPED},
                create=lambda: Response({"id": str(_submit(application, request.user).id)}),
            )
        except InvalidInput as error:
            return self.show_form(application, HTTPStatus.UNPROCESSABLE_ENTITY, error)
        except Conflict as error:
            # Looked up anew: what came in between is what the form has to show.
            return self.show_form(_application(request, is_sent=True), HTTPStatus.CONFLICT, error)
        return self.go(reverse("workbench:request-progress", args=[reply.data["id"]]))


class CheckField(Screen):
    """What is to be said of the one field that is being typed into; htmx names it. Nobody is looked up."""

    roles = OFFICERS

    def post(self, request: HttpRequest) -> HttpResponse:
        name = request.headers.get("HX-Trigger-Name", "")
        part = _application(request, is_sent=True).part_with(name)
        if part is None:
            raise InvalidInput.of(field=_("There is no such field in the form."))
        field = part[name]
        problem = field.errors[0] if field.errors and field.data else ""
        return render(request, "workbench/new_feedback.html", {"problem": problem, "told": _told(part, field)})


def _application(request: HttpRequest, *, is_sent: bool = False) -> Application:
    given = request.POST if request.method == "POST" else {"kind": request.GET.get("kind", PERSON)}
    return Application(request.user, given, is_sent=is_sent, now=timezone.now())


def _submit(application: Application, user: User) -> CreditRequest:
    if not (application.is_open and application.is_valid()):
        raise InvalidInput(_("Correct what is named below and try again."))
    if application.applicant_changed:
        raise Conflict(_("The profile of the applicant has changed since the form was shown."))
    return submit_application(application=application, actor=user)


def _profile(applicant: Applicant | None, user: User) -> dict[str, Any] | None:
    if applicant is None or applicant.found is None:
        return None
    if isinstance(applicant.found, Individual):
        return present_individual(applicant.found, user)
    return present_company(applicant.found, user)


def _told(part: Part, field: BoundField) -> str:
    """What was understood: the birth date within a PINFL, the bounds of a product, a sum with its digits in groups."""
    value = part.cleaned_data.get(field.name) if part.is_bound and not field.errors else None
    if value is None:
        return ""
    if isinstance(part, PersonKey):
        return _("Born on %(day)s") % {"day": formats.day(pinfl_birth_date(value))}
    if isinstance(value, Product):
        return bounds_of(value)
    return formats.number(value) if field.name in part.money else ""
