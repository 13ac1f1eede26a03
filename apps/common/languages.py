"""The language of what a person reads: asked for in the address, or by the client, or the installation's own."""

from django.conf import settings
from rest_framework.request import Request

from apps.common.errors import InvalidInput

LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)
PARAMETER = "language"


def language_of(request: Request) -> str:
    """?language=, else Accept-Language, else LANGUAGE_CODE. Raises InvalidInput for a language that there is not."""
    asked = request.query_params.get(PARAMETER)
    if asked is None:
        return request.LANGUAGE_CODE  # set by LocaleMiddleware
    if asked not in LANGUAGES:
        raise InvalidInput.of(language=f"Allowed are {', '.join(LANGUAGES)}.")
    return asked
