from django.apps import AppConfig


class ExternalIntegrationsConfig(AppConfig):
    name = "apps.external_integrations"
