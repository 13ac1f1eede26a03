"""The language and the look that a person chooses, kept in cookies so that the server renders them at once."""

from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views import View

from apps.common.languages import LANGUAGES
from apps.workbench.layout import THEME_COOKIE, THEMES
from apps.workbench.next_page import next_page

KEPT = timedelta(days=365)


class ChooseLanguage(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return _chosen(request, settings.LANGUAGE_COOKIE_NAME, request.POST.get("language", ""), LANGUAGES)


class ChooseTheme(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return _chosen(request, THEME_COOKIE, request.POST.get("theme", ""), THEMES)


def _chosen(request: HttpRequest, cookie: str, value: str, allowed: tuple[str, ...]) -> HttpResponse:
    response = HttpResponseRedirect(next_page(request), status=HTTPStatus.SEE_OTHER)
    if value in allowed:
        kept = int(KEPT.total_seconds())
        response.set_cookie(cookie, value, kept, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")
    return response
