"""In with a username and a password, and out again."""

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from rest_framework.throttling import ScopedRateThrottle

from apps.accounts.sessions import end_session, start_session
from apps.workbench.formats import clock
from apps.workbench.layout import PAGE
from apps.workbench.next_page import NEXT, UNSENT, next_page

WRONG = _("Wrong username or password, or the account is locked for a while.")
FILL_IN_AGAIN = _("Your session had ended, so the form was not sent. Please fill it in again.")
TOO_OFTEN = _("Too many tries from this address. Wait a minute.")
MOST_OF_A_NAME, MOST_OF_A_PASSWORD = 150, 200


class SignIn(View):
    """A wrong name, a wrong password, an inactive person and a service account all meet the same words."""

    throttle_scope = "login"

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(next_page(request))
        return show_sign_in(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not ScopedRateThrottle().allow_request(request, self):
            return show_sign_in(request, TOO_OFTEN, HTTPStatus.TOO_MANY_REQUESTS)
        username, password = request.POST.get("username", ""), request.POST.get("password", "")
        fits = 0 < len(username) <= MOST_OF_A_NAME and 0 < len(password) <= MOST_OF_A_PASSWORD
        user = authenticate(request, username=username, password=password) if fits and "\0" not in username else None
        if user is None:
            return show_sign_in(request, WRONG, HTTPStatus.UNAUTHORIZED)
        start_session(request=request, user=user)
        if UNSENT in request.POST:
            messages.warning(request, FILL_IN_AGAIN)
        return HttpResponseRedirect(next_page(request), status=HTTPStatus.SEE_OTHER)


class SignOut(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            end_session(request=request, actor=request.user)
        return HttpResponseRedirect(reverse("workbench:sign-in"), status=HTTPStatus.SEE_OTHER)


def show_locked_out(request: HttpRequest, *, minutes: int) -> HttpResponse:
    until = clock(timezone.now() + timedelta(minutes=minutes))
    words = gettext("Too many wrong passwords. Try again at %(until)s, or ask an administrator.") % {"until": until}
    response = show_sign_in(request, words, HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(minutes * 60)
    return response


def show_sign_in(request: HttpRequest, problem: object = "", status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    """Without what was typed: the password is asked for again, and a name may be a password typed too early."""
    asked = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    unsent = UNSENT in request.POST or UNSENT in request.GET
    context = {"layout": PAGE, "title": _("Sign in"), "problem": problem, "next": asked, "unsent": unsent}
    response = render(request, "workbench/sign_in.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
