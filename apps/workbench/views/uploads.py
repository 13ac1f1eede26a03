"""Files of applicants: what was uploaded, and a new one, which is sealed while it arrives."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.common.errors import InvalidInput
from apps.portfolio.models import Upload
from apps.portfolio.models.uploads import MAY_UPLOAD, SEES_UPLOADS
from apps.portfolio.uploads import read_document, receive_upload
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.workbench.screen import Screen
from apps.workbench.telling import tell
from apps.workbench.upload_handler import SealedUpload, SealingHandler

MOST = 50


class Uploads(Screen):
    roles = SEES_UPLOADS
    template = "workbench/uploads.html"
    title = gettext_lazy("Uploads")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(**listed(request))


# The token stands in the body, which nobody may read before the sealing handler is set: it is checked right after.
@method_decorator(csrf_exempt, name="dispatch")
class ReceiveFile(Screen):
    roles = MAY_UPLOAD
    template = "workbench/uploads.html"
    title = gettext_lazy("Uploads")

    def post(self, request: HttpRequest) -> HttpResponse:
        request.upload_handlers = [SealingHandler(request)]
        return self._receive(request)

    @method_decorator(csrf_protect)
    def _receive(self, request: HttpRequest) -> HttpResponse:
        given = request.FILES.get("file")
        if not isinstance(given, SealedUpload):
            return self.show(HTTPStatus.BAD_REQUEST, problem=_("Choose a file."), **listed(request))
        segment, now = request.POST.get("segment", ""), timezone.now()
        try:
            upload = receive_upload(
                spool=given.spool, name=given.name or "", segment=segment, actor=request.user, now=now
            )
        except InvalidInput as refusal:
            problem = tell(refusal.errors[0].message)
            return self.show(HTTPStatus.BAD_REQUEST, problem=problem, segment=segment, **listed(request))
        finally:
            given.spool.close()
        return self.go(reverse("workbench:upload-file", args=[upload.id]), _("The file is here. Check its columns."))


def listed(request: HttpRequest) -> dict[str, Any]:
    rows = Upload.objects.visible_to(request.user).select_related("data_key", "owner")
    found = list(rows.order_by("-created_at", "-id")[:MOST])
    return {
        "rows": [(upload, read_document(upload)["file"]) for upload in found],
        "may_upload": request.user.role in MAY_UPLOAD,
        "segments": SEGMENTS,
        "days": settings.UPLOAD_DAYS,
        "most_bytes": settings.UPLOAD_BYTES >> 20,
        "most_rows": settings.UPLOAD_ROWS,
    }
