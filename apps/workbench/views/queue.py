"""The requests that somebody sees: by state, filters and saved views, or of an applicant who was searched for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.accounts.permissions import READERS
from apps.common.errors import FieldProblem, InvalidInput
from apps.credit_requests.flags import FLAGS
from apps.credit_requests.queue import MOST_COUNTED, QueueFilter, QueuePage, count_by_status, read_queue
from apps.credit_requests.search import search_applicants
from apps.workbench import formats, labels
from apps.workbench.default_views import DEFAULT_VIEWS
from apps.workbench.models import SavedView
from apps.workbench.queue_form import ORDERS, QueueForm, query_of
from apps.workbench.screen import Screen
from apps.workbench.services import delete_view, save_view
from apps.workbench.telling import tell

Document = Mapping[str, Any]
SEARCHED = {
    "pinfl": gettext_lazy("Requests of the person with this PINFL"),
    "inn": gettext_lazy("Requests of the company with this INN"),
    "name": gettext_lazy("Requests of applicants with all of these words in their name"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """`id`: of a saved view, which can be deleted; `count`: of a tab."""

    label: Any
    address: str
    is_current: bool = False
    count: str = ""
    id: int | None = None


class Queue(Screen):
    """POST searches: what is typed stays out of every address."""

    roles = READERS
    template = "workbench/queue.html"
    title = gettext_lazy("Requests")

    def get(self, request: HttpRequest) -> HttpResponse:
        form = QueueForm(request.user, request.GET)
        if not form.is_valid():
            return self._shown(form, {}, None, status=HTTPStatus.BAD_REQUEST)
        cursor = request.GET.get("page", "")
        page = read_queue(request.user, form.chosen(), now=timezone.now(), cursor=cursor)
        response = self._shown(form, form.document, page)
        response["HX-Push-Url"] = request.path + query_of(form.document)
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        text = request.POST.get("search", "").strip()
        if not text:
            return self.go(reverse("workbench:queue"))
        form = QueueForm(request.user, {})
        form.is_valid()
        try:
            found = search_applicants(text, request.user)
        except InvalidInput as error:
            problem = tell(error.errors[0].message)
            return self._shown(form, {}, None, HTTPStatus.BAD_REQUEST, search=text, search_problem=problem)
        cursor = request.POST.get("page", "")
        page = read_queue(request.user, QueueFilter(), now=timezone.now(), cursor=cursor, found=found)
        is_known = bool(found.individuals or found.companies)
        told = {"search": text, "searched": SEARCHED[found.kind], "is_cut": found.is_cut, "is_known": is_known}
        return self._shown(form, {}, page, **told)

    def _shown(
        self,
        form: QueueForm,
        document: Document,
        page: QueuePage | None,
        status: HTTPStatus = HTTPStatus.OK,
        **context: Any,
    ) -> HttpResponse:
        user, is_search = self.request.user, "search" in context
        shared = _shared_flags(page)
        return self.show(
            status,
            form=form,
            page=page,
            shared_flags=shared,
            shows_flags=page is not None and any(set(row.flags) - set(shared) for row in page.rows),
            tabs=_tabs(user, document, is_search),
            views=_views(user, {} if is_search else document),
            chips=_chips(form, document),
            orders=ORDERS.items(),
            flags=[(flag, labels.FLAGS[flag]) for flag in FLAGS],
            chosen=document,
            query=query_of(document),
            previous=page and page.previous and query_of(document, page=page.previous),
            next=page and page.next and query_of(document, page=page.next),
            shows_branch=user.sees_all_branches,
            **context,
        )


class SaveView(Screen):
    """`filter`: the end of the queue's address."""

    roles = READERS

    def post(self, request: HttpRequest) -> HttpResponse:
        form = QueueForm(request.user, QueryDict(request.POST.get("filter", "").removeprefix("?")))
        if not form.is_valid():
            raise InvalidInput("", [FieldProblem(name, errors[0]) for name, errors in form.errors.items()])
        name = request.POST.get("name", "")
        view = save_view(name=name, filter_=form.document, actor=request.user, now=timezone.now())
        address = reverse("workbench:queue") + query_of(form.document)
        return self.go(address, _("The view “%(name)s” is saved.") % {"name": view.name})


class DeleteView(Screen):
    roles = READERS

    def post(self, request: HttpRequest) -> HttpResponse:
        given = request.POST.get("view", "")
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise InvalidInput.of(view=_("Choose one of your views."))
        delete_view(view_id=int(given), actor=request.user)
        return self.go(reverse("workbench:queue"), _("The view is deleted."))


def _shared_flags(page: QueuePage | None) -> list[str]:
    """Those of every row, told once above them all; of a single row, none."""
    if page is None or len(page.rows) < 2:
        return []
    return [flag for flag in FLAGS if all(flag in row.flags for row in page.rows)]


def _tabs(user: User, document: Document, is_search: bool) -> list[Link]:
    counts, chosen = count_by_status(user), document.get("status")
    everything = Link(_("All"), query_of(document, status=None), not chosen and not is_search)
    return [everything] + [
        Link(label, query_of(document, status=code), chosen == code, counted(counts[code]))
        for code, label in labels.STATUSES.items()
    ]


def counted(count: int) -> str:
    """As count_by_status gives it."""
    return formats.number(count) if count <= MOST_COUNTED else f"{formats.number(MOST_COUNTED)}+"


def _views(user: User, document: Document) -> list[Link]:
    """Those of the role, then their own."""
    own = SavedView.objects.visible_to(user).order_by("name").values_list("name", "filter", "id")
    views = [*((name, chosen, None) for name, chosen in DEFAULT_VIEWS[user.role]), *own]
    return [Link(name, query_of(chosen), dict(document) == chosen, id=id_) for name, chosen, id_ in views]


def _chips(form: QueueForm, document: Document) -> list[Link]:
    """What is chosen, in words; each leads to the queue without it."""
    chips = [
        Link(_in_words(form, name, value), query_of(document, **{name: None}))
        for name, value in document.items()
        if name not in ("status", "order", "flags")
    ]
    flags = document.get("flags", [])
    for flag in flags:
        rest = [other for other in flags if other != flag]
        chips.append(Link(labels.FLAGS[flag], query_of(document, flags=rest or None)))
    return chips


def _in_words(form: QueueForm, name: str, value: Any) -> str:
    match name:
        case "older_than":
            return ngettext("Older than %(days)s day", "Older than %(days)s days", value) % {"days": value}
        case "newer_than":
            return ngettext("At most %(days)s day old", "At most %(days)s days old", value) % {"days": value}
        case "least_amount":
            return _("From %(amount)s") % {"amount": formats.number(value)}
        case "most_amount":
            return _("Up to %(amount)s") % {"amount": formats.number(value)}
        case "waits_for_second":
            return _("Waits for a second person")
        case "mine":
            return _("Decided by me")
        case "grade":
            return _("Grade %(grade)s") % {"grade": value}
    return str(_chosen_label(form.fields[name].choices, value))


def _chosen_label(choices: Iterable[tuple[str, Any]], value: str) -> Any:
    return next((label for code, label in choices if code == value), value)
