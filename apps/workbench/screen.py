"""What every screen shares: who may see it, page or fragment, and every refusal shown in one place."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views import View

from apps.accounts.models import User
from apps.common.errors import DomainError
from apps.workbench import refusals
from apps.workbench.layout import is_htmx, layout_of
from apps.workbench.next_page import redirect_to_sign_in


class Screen(View):
    """One page. `roles`: who may see it; none means nobody. A refusal of the domain becomes a page, or a message where
    htmx asked. `get` and `post` return `self.show(...)`, or `self.go(address, message)` once something was done.
    """

    roles: ClassVar[frozenset[str]] = frozenset()
    template: ClassVar[str]
    title: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self._answer(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        # Personal data: not in the browser's cache, nor in a proxy's.
        response["Cache-Control"] = "no-store"
        return response

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_sign_in(request)
        if request.user.kind != User.Kind.PERSON or request.user.role not in self.roles:
            return refusals.show_wrong_role(request, self.roles)
        try:
            return super().dispatch(request, *args, **kwargs)
        except Http404:
            return refusals.show_missing(request)
        except DomainError as error:
            return refusals.show_refusal(request, error)

    @property
    def language(self) -> str:
        return get_language()

    def show(self, status: HTTPStatus = HTTPStatus.OK, /, **context: Any) -> HttpResponse:
        """The screen's template, as a page or a fragment."""
        shared = {"layout": layout_of(self.request), "title": self.title}
        return render(self.request, self.template, shared | context, status=status)

    def go(self, address: str, message: str = "") -> HttpResponse:
        """After something was done: to a page that can be loaded again without doing it twice."""
        if message:
            messages.success(self.request, message)
        if is_htmx(self.request):
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)
