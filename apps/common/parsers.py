"""What reads the body of a request: strict JSON, bounded in size."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from apps.common.errors import InvalidInput, TooLarge
from apps.common.strict_json import parse_json


def read_bounded(stream: IO[bytes], most: int) -> bytes:
    body = stream.read(most + 1)
    if len(body) > most:
        raise TooLarge(f"The body is larger than {most:,} bytes, the most that this address accepts.")
    return body


class StrictJSONParser(BaseParser):
    """Reads a JSON object. A view may allow more than `MAX_BODY_BYTES` with an attribute `max_body_bytes`.

    Not a JSONParser of DRF's: those are handed a body that Django has read whole, up to a limit of its own.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        view = (parser_context or {}).get("view")
        body = read_bounded(stream, getattr(view, "max_body_bytes", settings.MAX_BODY_BYTES))
        document = parse_json(body) if body.strip() else {}
        if not isinstance(document, dict):
            raise InvalidInput(f"The body must be a JSON object; a {type(document).__name__} was given.")
        return document
