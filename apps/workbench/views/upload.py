"""One file of applicants: its columns named, scored in the background, read, taken home, destroyed."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import InvalidInput
from apps.portfolio import uploads
from apps.portfolio.columns import ROW_ID, facts_of
from apps.portfolio.models import Upload
from apps.portfolio.models.uploads import CANCELLED, DONE, FAILED, MAPPED, MAY_UPLOAD, SCORING, SEES_UPLOADS, UPLOADED
from apps.portfolio.upload_results import FORMATS, PLAIN, Words, export_results, result_page, result_pages
from apps.workbench.labels import RESULT_COLUMNS
from apps.workbench.screen import Screen
from apps.workbench.telling import tell
from apps.workbench.templatetags.formats import label, measure

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
WARNINGS = 6  # place in the line of a scored row
WORDS = Words(lambda name: str(RESULT_COLUMNS[name]), measure, lambda mode: label(mode, "mode"), tell)


class UploadScreen(Screen):
    roles = SEES_UPLOADS
    template = "workbench/upload.html"
    title = gettext_lazy("Uploaded file")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        upload = find_upload(request, pk)
        document = uploads.read_document(upload)
        is_open = upload.state in (UPLOADED, MAPPED)
        return self.show(
            upload=upload,
            document=document,
            may_change=uploads.may_change(upload, request.user),
            is_open=is_open,
            is_scoring=upload.state == SCORING,
            is_finished=upload.state in (DONE, FAILED, CANCELLED),
            percent=_percent(upload),
            scales=uploads.SCALES,
            **(_columns(upload, document) if is_open else {}),
            **_results(request, upload),
        )


class MapColumns(Screen):
    """Keeps what was chosen, and starts the scoring where that was asked for."""

    roles = MAY_UPLOAD

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        upload = find_upload(request, pk)
        names = uploads.read_document(upload)["names"]
        chosen = {name: request.POST.get(f"column-{place}", "") for place, name in enumerate(names)}
        mapping = {name: fact for name, fact in chosen.items() if fact}
        scale = request.POST.get("scale", "1")
        if not scale.isascii() or not scale.isdigit():
            raise InvalidInput.of(scale=_("Choose what an amount counts."))
        uploads.map_columns(upload_id=pk, mapping=mapping, scale=int(scale[:9]), actor=request.user)
        if request.POST.get("do") != "start":
            return self.go(upload_address(pk), _("The columns are kept."))
        uploads.start_upload(upload_id=pk, actor=request.user, now=timezone.now())
        return self.go(upload_address(pk), _("The file is queued for scoring."))


class StopUpload(Screen):
    roles = MAY_UPLOAD

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        uploads.cancel_upload(upload_id=pk, actor=request.user, now=timezone.now())
        return self.go(upload_address(pk), _("The scoring is stopped."))


class DeleteUpload(Screen):
    roles = MAY_UPLOAD

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        uploads.delete_upload(upload_id=pk, actor=request.user, now=timezone.now())
        return self.go(reverse("workbench:upload"), _("The file and its results are destroyed."))


class DownloadResults(Screen):
    """By POST: it is recorded who took them home."""

    roles = SEES_UPLOADS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        upload, kind = find_upload(request, pk), request.POST.get("format", FORMATS[0])
        if kind not in FORMATS:
            raise InvalidInput.of(format=_("Choose CSV or XLSX."))
        # Programs read a CSV, people a workbook.
        words = PLAIN if kind == "csv" else WORDS
        content = export_results(upload=upload, format=kind, words=words, actor=request.user)
        headers = {"Content-Disposition": f'attachment; filename="results-{str(upload.id)[:8]}.{kind}"'}
        return StreamingHttpResponse(content, content_type=TYPES[kind], headers=headers)


def find_upload(request: HttpRequest, pk: UUID) -> Upload:
    rows = Upload.objects.visible_to(request.user).select_related("data_key", "owner", "branch")
    return get_object_or_404(rows, id=pk)


def upload_address(pk: UUID) -> str:
    return reverse("workbench:upload-file", args=[pk])


def _percent(upload: Upload) -> int:
    expected = max(upload.rows_expected or 0, 1)
    return 100 if upload.state == DONE else min(upload.rows_done * 100 // expected, 99)


def _columns(upload: Upload, document: dict[str, Any]) -> dict[str, Any]:
    card = uploads.card_in_service(upload.segment)[0]
    facts = sorted((measure(name), name, name in card.required) for name in facts_of(card))
    mapping = document["mapping"]
    return {
        "facts": facts,
        "row_id": ROW_ID,
        "card": card.version,
        "columns": [
            (place, name, document["samples"].get(name, []), mapping.get(name, ""))
            for place, name in enumerate(document["names"])
            if name not in document["dropped"]
        ],
        "absent": [measure(name) for name in card.required if name not in mapping.values()],
        "unused": [measure(name) for name in sorted(set(mapping.values()) - card.facts_used - {ROW_ID})],
    }


def _results(request: HttpRequest, upload: Upload) -> dict[str, Any]:
    if not upload.rows_done:
        return {}
    only_errors = request.GET.get("show", "errors" if upload.rows_refused else "scored") == "errors"
    pages, asked = result_pages(upload, only_errors=only_errors), request.GET.get("page", "1")
    number = min(max(int(asked), 1), pages) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 1
    lines = result_page(upload, number, only_errors=only_errors)
    return {
        "only_errors": only_errors,
        "lines": lines,
        "has_warnings": not only_errors and any(line[WARNINGS] for line in lines),
        "page": number,
        "pages": pages,
        "earlier": number - 1,
        "later": number + 1 if number < pages else 0,
        "scored": upload.rows_done - upload.rows_refused,
    }
