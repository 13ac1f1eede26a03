"""One log line per request: route, never path; ids, never identifiers."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("access")
# A UUID, or another id without nine digits in a row: an INN or PINFL with something around it stays out of the log.
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?!.*[0-9]{9})[A-Za-z0-9-]{8,64}")


class AccessLogMiddleware:
    """Gives each request an id (taken from X-Request-ID when it is well-formed) and writes its line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        log.info("request", **self._line(request, response, time.perf_counter() - started))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        log.error("unhandled", error=type(exception).__name__, exc_info=exception)

    @staticmethod
    def _line(request: HttpRequest, response: HttpResponse, seconds: float) -> dict[str, object]:
        user = getattr(request, "user", None)
        return {
            "method": request.method,
            "route": request.resolver_match.route if request.resolver_match else "(no route)",
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "user_id": str(user.pk) if user is not None and user.pk else None,
        }
