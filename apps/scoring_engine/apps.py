from django.apps import AppConfig


class ScoringEngineConfig(AppConfig):
    name = "apps.scoring_engine"
