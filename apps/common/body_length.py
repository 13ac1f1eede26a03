"""A body comes with its length, or is refused: Django would take it for empty, as WSGI cannot tell where it ends."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from apps.common.api import problem_response


class BodyLengthMiddleware:
    """Without it a body sent in chunks would be passed over, and nothing be scored in the place of the facts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if "Transfer-Encoding" in request.headers:
            detail = "Send the body with Content-Length; one with Transfer-Encoding is not read."
            return problem_response(HTTPStatus.LENGTH_REQUIRED, detail)
        if length and not (length.isascii() and length.isdigit()):
            return problem_response(HTTPStatus.BAD_REQUEST, "Content-Length is not a whole number.")
        return self.get_response(request)
