"""The database and the accounts of the installation; for the rest, what Django REST framework comes with."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
settings.ROOT_URLCONF = "benchmarks.plain_site.urls"
settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
settings.REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [os.environ["PLAIN_SITE_TOKENS"]],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
application = get_wsgi_application()
