"""JSON out. Apart from apps.common.api, because Django REST framework loads its renderers before its views."""

from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    """JSON; a non-finite number is a fault of ours, so it raises instead of leaving the house."""

    strict = True
