"""What is said where no view answers: problem+json to programs, a page of the workbench to people."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.accounts import api as accounts
from apps.common import api
from apps.workbench import refusals
from apps.workbench.views import sign_in

OF_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")


def _is_of_a_program(request: HttpRequest) -> bool:
    return request.path.startswith(OF_PROGRAMS)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_of_a_program(request):
        return api.bad_request(request, exception)
    return refusals.show_words(request, HTTPStatus.BAD_REQUEST, refusals.UNREADABLE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return api.not_found(request, exception) if _is_of_a_program(request) else refusals.show_missing(request)


def server_error(request: HttpRequest) -> HttpResponse:
    return api.server_error(request) if _is_of_a_program(request) else refusals.show_failure(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Of a form that another site made, or that is older than the sign-in (CSRF_FAILURE_VIEW)."""
    return refusals.show_words(request, HTTPStatus.FORBIDDEN, refusals.FORGED)


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """What an account gets that had too many wrong passwords from one address (AXES_LOCKOUT_CALLABLE)."""
    if request.resolver_match is None or request.resolver_match.namespace != "workbench":
        return accounts.locked_out(request, response, credentials)
    return sign_in.show_locked_out(request, minutes=round(settings.AXES_COOLOFF_TIME * 60))
