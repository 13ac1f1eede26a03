from django.apps import AppConfig


class IndividualsConfig(AppConfig):
    name = "apps.individuals"
