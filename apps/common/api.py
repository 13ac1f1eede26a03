"""What every endpoint shares: cursor pages, and errors as problem+json (RFC 9457)."""

import re
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.common.days import is_storable
from apps.common.errors import MOST_PROBLEMS, DomainError, FieldProblem, InvalidInput
from apps.common.masking import LONGEST_SHAPE, mask_identifiers

PROBLEM_TYPE = "application/problem+json"
MOST_OF_A_FIELD, MOST_OF_A_TEXT = 200, 2_000
_WHOLE = re.compile(r"[0-9]{1,4}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
TITLES = {
    400: ("invalid-input", "The request cannot be accepted as it is"),
    401: ("not-signed-in", "Sign in first"),
    403: ("not-permitted", "Your role does not allow this"),
    404: ("not-found", "There is no such record, or it is not yours to see"),
    405: ("method-not-allowed", "This address does not take this method"),
    406: ("not-acceptable", "Only JSON is served here"),
    411: ("length-required", "The body needs its length"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "Send the body as application/json"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "Something failed on our side"),
}


class CursorPages(CursorPagination):
    """Newest first; `page_size` up to 200. The cursor is opaque."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        """The size that was asked for; one that cannot be had is refused, not replaced."""
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not _WHOLE.fullmatch(asked) or not 1 <= int(asked) <= self.max_page_size:
            sentence = f"Give a whole number from 1 to {self.max_page_size}."
            raise InvalidInput.of(**{self.page_size_query_param: sentence})
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Refuses a cursor that was not given out: it is base64, and its position has to be a time."""
        if not _BASE64.fullmatch(request.query_params.get(self.cursor_query_param, "")):
            raise exceptions.NotFound(self.invalid_cursor_message)
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(cursor.position):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor


def _is_moment(text: str) -> bool:
    try:
        return is_storable(datetime.fromisoformat(text))
    except ValueError:
        return False


def problem(status: int, code: str, title: str, detail: str, errors: list[FieldProblem]) -> dict[str, Any]:
    """A problem+json document with a stable `type`; the codes are listed in docs/api/problems.md.

    Short, however much was wrong: a small body must not earn a reply of many megabytes. What was typed is repeated,
    but not an identifier.
    """
    return {
        "type": f"urn:credit-ml:problem:{code}",
        "title": title,
        "status": status,
        "detail": _shown(detail, MOST_OF_A_TEXT),
        "errors": [
            {"field": _shown(item.field, MOST_OF_A_FIELD), "message": _shown(item.message, MOST_OF_A_TEXT)}
            for item in errors[:MOST_PROBLEMS]
        ],
    }


def _shown(text: str, most: int) -> str:
    # Masked before it is cut: half an identifier has another shape. What is cut away anyway is not looked through.
    masked = mask_identifiers(text[: most + LONGEST_SHAPE])
    return masked if len(text) <= most else f"{masked[: most - 3]}..."


def _step(path: str, key: str | int) -> str:
    """`key` is a field, or the place of an item in a list."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == "non_field_errors":
        return path
    return f"{path}.{key}" if path else key


def flatten(detail: Any, path: str = "") -> Iterator[FieldProblem]:
    """The nested `detail` of a DRF validation error, as one problem per field path."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from flatten(value, _step(path, key))
    elif isinstance(detail, list):
        for place, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from flatten(value, f"{path}[{place}]" if nested and value else path)
    else:
        yield FieldProblem(path or "(body)", str(detail))


def _of_drf(error: exceptions.APIException) -> Response:
    code, title = TITLES.get(error.status_code, TITLES[400])
    invalid = isinstance(error, exceptions.ValidationError)
    errors = list(islice(flatten(error.detail), MOST_PROBLEMS)) if invalid else []
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors) if errors else str(error.detail)
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    body = problem(error.status_code, code, title, detail, errors)
    return Response(body, status=error.status_code, headers=headers, content_type=PROBLEM_TYPE)


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The one place where an error becomes a reply. An unknown error returns None: it is a 500 and is logged."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        set_rollback()
        return _of_drf(error)
    if isinstance(error, DomainError):
        set_rollback()
        body = problem(error.status, error.code, error.title, error.detail, error.errors)
        return Response(body, status=error.status, content_type=PROBLEM_TYPE)
    return None


def problem_response(status: HTTPStatus, detail: str) -> HttpResponse:
    """A problem outside of Django REST framework: from a middleware or an error handler."""
    code, title = TITLES[status]
    return JsonResponse(problem(status, code, title, detail, []), status=status, content_type=PROBLEM_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(HTTPStatus.BAD_REQUEST, "The request could not be read.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(HTTPStatus.NOT_FOUND, "No page stands at this address. /api/docs/ lists those that do.")


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The fault is logged under the id in the header X-Request-ID."
    )
