"""At start, not at the first look-up: which client each source has, and whether its address may be used."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


@checks.register
def check_sources(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    # Not at the top: the clients are slow to import, and a command that runs no checks needs none.
    from apps.external_integrations.clients import configured_client, endpoint_of
    from apps.external_integrations.errors import CredentialsUnusable, HostNotAllowed
    from apps.external_integrations.models import Origin

    found = []
    for source, chosen in settings.EXTERNAL_SOURCES.items():
        try:
            if configured_client(source) == Origin.HTTP:
                endpoint_of(chosen).check()
        except (ImproperlyConfigured, HostNotAllowed, CredentialsUnusable) as error:
            hint = f"See the settings {source.upper()}_... in docs/how-to/ask-the-real-sources.md."
            found.append(checks.Error(str(error), hint=hint, id="external_integrations.E001"))
    return found
