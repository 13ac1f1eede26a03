"""At start, not at the first look-up: which client each source has, and whether its address may be used."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


@checks.register
def check_sources(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    # Not at the top: the clients are slow to import, and a command that runs no checks needs none.
    from apps.external_integrations.clients import configured_origin, endpoint_of
    from apps.external_integrations.errors import HostNotAllowed
    from apps.external_integrations.models import Origin

    found = []
    for source, chosen in settings.EXTERNAL_SOURCES.items():
        try:
            if configured_origin(source) == Origin.HTTP:
                endpoint_of(chosen).url("/")
        except (ImproperlyConfigured, HostNotAllowed) as error:
            hint = f"See {source.upper()}_CLIENT, {source.upper()}_BASE_URL and {source.upper()}_ALLOWED_HOSTS."
            found.append(checks.Error(str(error), hint=hint, id="external_integrations.E001"))
    return found
