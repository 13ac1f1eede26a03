"""The records of a request: as of now or of a decision, and fetched anew on the wish of an officer."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.permissions import OFFICERS, READERS
from apps.credit_requests.api_records import present_known
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.request_records import is_refreshing, read_records
from apps.external_integrations.asking_anew import ask_anew
from apps.workbench.request_parts.forms import RecordForm, read_form
from apps.workbench.request_parts.records import tell_records
from apps.workbench.screen import Screen
from apps.workbench.views.credit_request import find_request, may_refresh

MOST_DIGITS = 6


class RequestRecords(Screen):
    """`?decision=2`: what that decision rested on; without it, what is known now."""

    roles = READERS
    template = "workbench/request_records.html"
    title = gettext_lazy("External records")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found, now = find_request(request.user, pk), timezone.now()
        decision = find_decision(found, request.GET.get("decision", ""))
        known = read_records(credit_request=found, actor=request.user, now=now, decision=decision)
        records = present_known(found, known, self.language)
        return self.show(
            request_shown=found,
            records=records,
            records_told=tell_records(records),
            of_decision=decision,
            decided=list(found.decisions.order_by("number").values_list("number", flat=True)),
            may_refresh=decision is None and may_refresh(found, request.user),
            is_refreshing=is_refreshing(found, now),
        )


def find_decision(found: CreditRequest, number: str) -> Decision | None:
    """Raises Http404 for one that there is not."""
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        raise Http404
    decision = found.decisions.select_related("data_key").filter(number=int(number)).first()
    if decision is None:
        raise Http404
    return decision


class Refreshing(Screen):
    """Asked again and again while a register is: it tells only whether that goes on, and reads no record."""

    roles = READERS
    template = "workbench/request_refreshing.html"
    title = gettext_lazy("Asking the registers")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found = find_request(request.user, pk)
        return self.show(request_shown=found, is_refreshing=is_refreshing(found, timezone.now()), was_refreshing=True)


class RefreshRecord(Screen):
    roles = OFFICERS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found = find_request(request.user, pk)
        wanted = read_form(RecordForm, request)["record"]
        record = found.external_records.select_related("data_key").filter(id=wanted).first()
        if record is None:
            raise Http404
        ask_anew(record=record, actor=request.user)
        return self.go(f"{reverse('workbench:request', args=[pk])}#records", _("The register is being asked."))
