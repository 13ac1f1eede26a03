from django.apps import AppConfig


class ExternalIntegrationsConfig(AppConfig):
    name = "apps.external_integrations"

    def ready(self) -> None:
        from apps.external_integrations import checks  # noqa: F401 - registers itself
        from apps.external_integrations.metrics import register_metrics

        register_metrics()
