from django.apps import AppConfig


class CreditRequestsConfig(AppConfig):
    name = "apps.credit_requests"
