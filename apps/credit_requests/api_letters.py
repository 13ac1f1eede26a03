"""The decision letter of a request, as a printable page or as PDF."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.models import Role
from apps.common.errors import InvalidInput, NotFound
from apps.common.languages import language_of
from apps.common.renderers import JSONRenderer
from apps.credit_requests.letters import letter_page, print_letter, write_letter
from apps.credit_requests.models import CreditRequest, Decision
from apps.scoring_engine.api import LANGUAGE

FORMS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}
FORM = OpenApiParameter("form", enum=list(FORMS), default="html", description="pdf needs the extra of that name.")
NUMBER = OpenApiParameter(
    "decision", OpenApiTypes.INT, description="Which decision, by its number; the newest if none."
)


class _Html(BaseRenderer):
    """Named for what clients accept; the view writes the reply itself."""

    media_type, format = "text/html", "html"


class _Pdf(BaseRenderer):
    media_type, format = "application/pdf", "pdf"


# The page is one file that can be saved and mailed, so its few styles are within.
@method_decorator(csp_update({"style-src": [SELF, UNSAFE_INLINE]}), name="dispatch")
class LetterView(APIView):
    """Officers and approvers of the branch, and auditors: the letter names the applicant in full."""

    roles = {"get": frozenset({Role.OFFICER, Role.APPROVER, Role.AUDITOR})}
    renderer_classes = [JSONRenderer, _Html, _Pdf]

    @extend_schema(
        operation_id="credit_request_letter",
        parameters=[LANGUAGE, FORM, NUMBER],
        responses={
            (200, "text/html"): OpenApiResponse(OpenApiTypes.STR),
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        """What was decided, why, what would change it, and how to ask for a review. Each reading is recorded."""
        language, form = language_of(request), _form(request)
        letter = write_letter(decision=_decision(request, pk), language=language, actor=request.user)
        page = letter_page(letter)
        content = page.encode() if form == "html" else print_letter(page)
        name = f"letter-{str(pk)[:8]}-{language}.{form}"
        headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": language}
        return HttpResponse(content, content_type=FORMS[form], headers=headers)


def _form(request: Request) -> str:
    form = request.query_params.get("form", "html")
    if form not in FORMS:
        raise InvalidInput.of(form=f"Allowed are {', '.join(FORMS)}.")
    return form


def _decision(request: Request, pk: str) -> Decision:
    """Of a request that the caller may see."""
    found = CreditRequest.objects.visible_to(request.user).filter(id=pk).first()
    if found is None:
        raise NotFound("There is no such credit request, or it is not yours to see.")
    rows = found.decisions.select_related(
        "policy", "prediction__data_key", "data_key", "credit_request__product",
        "credit_request__individual__data_key", "credit_request__company__data_key",
    )  # fmt: skip
    number = request.query_params.get("decision")
    if number is None:
        decision = rows.order_by("-number").first()
    elif number.isascii() and number.isdigit() and len(number) <= 9:
        decision = rows.filter(number=int(number)).first()
    else:
        raise InvalidInput.of(decision="Give the number of a decision, such as 1; /decisions/ lists them.")
    if decision is None:
        raise NotFound("The request has no such decision yet, so there is no letter.")
    return decision
