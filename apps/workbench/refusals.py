"""What is said when something cannot be shown or done: a page, or a message on the page where htmx asked."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError
from apps.workbench.labels import ROLES
from apps.workbench.layout import is_htmx, layout_of, theme_of
from apps.workbench.telling import tell, tell_problems

# code of apps.common.errors -> what happened, and what to do
WORDS: dict[str, tuple[Any, Any]] = {
    "invalid-input": (_("This cannot be accepted as it is"), _("Correct what is named below and try again.")),
    "not-signed-in": (_("You are not signed in"), _("Sign in and try again.")),
    "not-permitted": (_("You may not do this"), _("Ask a colleague whose role allows it, or an administrator.")),
    "not-found": (_("There is nothing here"), _("It does not exist, or it belongs to another branch.")),
    "conflict": (_("Something has changed in the meantime"), _("Load the page again and look at it anew.")),
    "data-erased": (_("The personal data were erased"), _("What was sealed under the person's key is gone for good.")),
    "consent-required": (_("A consent of the person is missing"), _("Record the consent first; nothing was asked.")),
    "too-large": (_("This is too large"), _("Send less at a time.")),
    "idempotency-key-reused": (_("This form was sent before"), _("Load the page again before you send it anew.")),
    "source-unavailable": (_("The register does not answer"), _("Nothing is stored yet. Try again later.")),
    "cache-unreachable": (
        _("A part of this installation does not answer"),
        _("Try again; if it stays so, tell the operator."),
    ),
    "key-missing": (_("A key of this installation is missing"), _("Tell the operator; nothing is lost.")),
}
MISSING = (_("There is no such page"), _("It does not exist, or it is not yours to see."))
UNREADABLE = (_("The request could not be read"), _("Go back, load the page again and try once more."))
FORGED = (
    _("The form is out of date"),
    _("Go back, load the page again and send it once more."),
)
FAILED = (
    _("Something failed on our side"),
    _("It is logged. Try again; if it stays so, tell the operator."),
)


def show_wrong_role(request: HttpRequest, roles: Collection[str]) -> HttpResponse:
    may = [label for role, label in ROLES.items() if role in roles]
    words = (_("Your role does not open this page"), _("These roles may:"))
    return _show(request, HTTPStatus.FORBIDDEN, words, listed=may)


def show_missing(request: HttpRequest) -> HttpResponse:
    return _show(request, HTTPStatus.NOT_FOUND, MISSING)


def show_refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    problems = tell_problems(error.errors)
    detail = "" if problems else tell(error.detail)
    return _show(request, HTTPStatus(error.status), WORDS[error.code], detail=detail, problems=problems)


def show_words(request: HttpRequest, status: HTTPStatus, words: tuple[Any, Any], **context: Any) -> HttpResponse:
    return _show(request, status, words, **context)


def _show(request: HttpRequest, status: HTTPStatus, words: tuple[Any, Any], **context: Any) -> HttpResponse:
    title, advice = words
    shown = {"layout": layout_of(request), "title": title, "advice": advice, "status": status.value, **context}
    template = "workbench/refusal.html" if is_htmx(request) else "workbench/refused.html"
    response = render(request, template, shown, status=status)
    patch_vary_headers(response, ["HX-Request"])
    if is_htmx(request):
        _among_the_messages(response)
    return response


def show_failure(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database: it may be what failed."""
    title, advice = FAILED
    context = {
        "language": get_language(),
        "theme": theme_of(request),
        "title": title,
        "advice": advice,
        "reference": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    template = "workbench/refusal.html" if is_htmx(request) else "workbench/failed.html"
    response = render(None, template, context, status=HTTPStatus.INTERNAL_SERVER_ERROR)
    if is_htmx(request):
        _among_the_messages(response)
    return response


def _among_the_messages(response: HttpResponse) -> None:
    """Whole: the hx-select of what asked names a part that a refusal does not have, and would leave nothing of it."""
    response["HX-Retarget"], response["HX-Reswap"], response["HX-Reselect"] = "#messages", "innerHTML", "unset"
