"""The audit trail: found by actor, action, row and day; by person through their requests; one event; and as a file."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from apps.accounts.models import Role, User
from apps.audit.api import READERS as AUDIT_READERS
from apps.audit.models import AuditEvent
from apps.common.days import lender_today
from apps.common.errors import FieldProblem, InvalidInput
from apps.common.masking import mask_document
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.search import FoundApplicants, search_applicants
from apps.workbench.applicants import name_applicant
from apps.workbench.audit_export import CSV, JSON_LINES, MOST_EXPORTED, record_export, write_events
from apps.workbench.audit_search import AuditForm
from apps.workbench.audit_words import SUBJECTS, say_action
from apps.workbench.cursors import read_page
from apps.workbench.screen import Screen
from apps.workbench.telling import tell

AUDITORS = frozenset({Role.AUDITOR})
EVENTS, REQUESTS, OF_ONE_CALL = 50, 50, 50
# subject of an event -> the page of that row, by url name
PAGES = {
    "credit_requests.CreditRequest": "request",
    "credit_requests.Decision": "audit-decision",
    "policies.PolicyVersion": "policy",
    "scoring_engine.ModelVersion": "model",
}
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPEN_TO_ALL = frozenset({"policy", "model"})
CONTENT_TYPES = {CSV: "text/csv; charset=utf-8", JSON_LINES: "application/x-ndjson"}


class Audit(Screen):
    roles = AUDIT_READERS
    template = "workbench/audit.html"
    title = gettext_lazy("Audit")

    def get(self, request: HttpRequest) -> HttpResponse:
        form = AuditForm(request.GET)
        if not form.is_valid():
            return self.show(HTTPStatus.BAD_REQUEST, form=form, **_shared(request.user))
        page = read_page(form.events(), request.GET.get("page", ""), size=EVENTS)
        return self.show(
            form=form,
            page=page,
            rows=[(event, say_action(event.action, event.subject_type)) for event in page.rows],
            query=form.query,
            chosen=form.document,
            **_shared(request.user),
        )


class AuditedEvent(Screen):
    roles = AUDIT_READERS
    template = "workbench/audit_event.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = AuditEvent.objects.select_related("actor").filter(id=pk).first()
        if event is None:
            raise Http404
        beside = AuditEvent.objects.filter(request_id=event.request_id, created_at__date=event.created_at.date())
        beside = beside.exclude(id=event.id).order_by("id")[:OF_ONE_CALL] if event.request_id else ()
        return self.show(
            title=say_action(event.action, event.subject_type),
            may_search=request.user.role in AUDITORS,
            event=event,
            subject=SUBJECTS.get(event.subject_type, event.subject_type),
            address=_address(event.subject_type, event.subject_id, request.user),
            details=_details(event.details),
            decision=_linked(event, "decision", "credit_requests.Decision", request.user),
            prediction=_prediction(event, request.user),
            beside=[(each, say_action(each.action, each.subject_type)) for each in beside],
        )


class AuditedApplicants(Screen):
    """POST: what is typed stays out of every address."""

    roles = AUDITORS
    template = "workbench/audit_applicants.html"
    title = gettext_lazy("Requests of an applicant")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.go(reverse("workbench:audit"))

    def post(self, request: HttpRequest) -> HttpResponse:
        text = request.POST.get("search", "").strip()
        try:
            found = search_applicants(text, request.user)
        except InvalidInput as error:
            return self.show(HTTPStatus.BAD_REQUEST, search=text, problem=tell(error.errors[0].message))
        requests = _requests(found, request.user)
        rows = [(name_applicant(each), each) for each in requests[:REQUESTS]]
        is_cut = found.is_cut or len(requests) > REQUESTS
        return self.show(search=text, found=found, rows=rows, is_cut=is_cut)


class ExportAudit(Screen):
    roles = AUDIT_READERS

    def post(self, request: HttpRequest) -> StreamingHttpResponse:
        form, file_format = AuditForm(request.POST), request.POST.get("format", "")
        if not form.is_valid():
            raise InvalidInput("", [FieldProblem(name, errors[0]) for name, errors in form.errors.items()])
        rows = record_export(rows=form.events(), chosen=form.document, file_format=file_format, actor=request.user)
        response = StreamingHttpResponse(write_events(rows, file_format), content_type=CONTENT_TYPES[file_format])
        response["Content-Disposition"] = f'attachment; filename="audit-{lender_today()}.{file_format}"'
        return response


def _shared(user: User) -> dict[str, Any]:
    return {
        "may_search": user.role in AUDITORS,
        "actions": sorted({f"{thing}.{verb}" for thing, verbs in ACTIONS.items() for verb in verbs}),
        "most": MOST_EXPORTED,
    }


# Those that are looked for most, offered while typing.
ACTIONS = {
    "credit_request": ("create", "change", "score", "decide", "approve", "decline", "refer", "review", "withdraw"),
    "override": ("request", "confirm", "refuse", "expire"),
    "external_record": ("look_up", "fetch", "fetch_failed", "read_history"),
    "consent": ("record", "withdraw"),
    "individual": ("create", "update", "erase"),
    "company": ("create", "update", "erase"),
    "prediction": ("create", "create_bulk", "replay"),
    "decision": ("replay", "fairness"),
    "model": ("register", "validate", "promote", "challenge", "rollback", "retire", "compare"),
    "policy": ("draft", "publish", "discard"),
    "user": ("create", "update", "set_password"),
    "session": ("start", "end"),
    "audit": ("export",),
}


def _requests(found: FoundApplicants, user: User) -> list[CreditRequest]:
    """The newest of these applicants, one more than is shown, each with every decision."""
    decisions = Prefetch("decisions", Decision.objects.order_by("number"), to_attr="every_decision")
    rows = CreditRequest.objects.visible_to(user).with_everything().filter(found.of_requests)
    return list(rows.prefetch_related(decisions).order_by("-created_at", "-id")[: REQUESTS + 1])


def _address(kind: str, id_: str, user: User) -> str:
    """Of the row's own page, if there is one that the user may open."""
    name = PAGES.get(kind) if UUID_TEXT.fullmatch(id_) else None
    if name is None or (name not in OPEN_TO_ALL and user.role not in AUDITORS):
        return ""
    return reverse(f"workbench:{name}", args=[id_])


def _linked(event: AuditEvent, name: str, kind: str, user: User) -> str:
    id_ = event.details.get(name)
    return _address(kind, id_, user) if isinstance(id_, str) else ""


def _prediction(event: AuditEvent, user: User) -> str:
    """The id of the scoring that the event speaks of, for those who may replay it."""
    if user.role not in AUDITORS:
        return ""
    if event.subject_type == "scoring_engine.PredictionLog":
        return event.subject_id
    told = event.details.get("prediction")
    return told if isinstance(told, str) and UUID_TEXT.fullmatch(told) else ""


def _details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    masked = mask_document(details)
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in masked.items()]
