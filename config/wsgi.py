"""The web application, for any WSGI server."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# Most requests that write queue a job: the import is not left to the first of them.
import_string(settings.CELERY_APP)
