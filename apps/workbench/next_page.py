"""Where somebody goes after signing in or choosing a language: a page of this installation, and nowhere else."""

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.workbench.layout import is_htmx

NEXT = "next"
UNSENT = "unsent"  # a form was sent after the session had ended


def next_page(request: HttpRequest) -> str:
    """What the form or the address names, if it is ours; else the home page."""
    asked = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if ours and asked.startswith("/") else reverse("workbench:home")


def redirect_to_sign_in(request: HttpRequest) -> HttpResponse:
    """What was sent meanwhile is lost, and is said so: it was not kept for whoever signs in next."""
    asked = {NEXT: _page_of(request)} | ({UNSENT: "1"} if request.method == "POST" else {})
    address = f"{reverse('workbench:sign-in')}?{urlencode(asked)}"
    if is_htmx(request):
        # A redirect would put the sign-in page into the part of the page that was asked for.
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _page_of(request: HttpRequest) -> str:
    """The page that the browser shows: what was posted to cannot be returned to."""
    if not is_htmx(request) and request.method == "GET":
        return request.get_full_path()
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL" if is_htmx(request) else "Referer", ""))
    except ValueError:
        return reverse("workbench:home")
    if not _can_be_read(shown.path):
        return reverse("workbench:home")
    return f"{shown.path}{'?' if shown.query else ''}{shown.query}"


def _can_be_read(path: str) -> bool:
    """A form that was refused is shown at the address that it was sent to, where there is nothing to read."""
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return hasattr(getattr(view, "view_class", None), "get")
