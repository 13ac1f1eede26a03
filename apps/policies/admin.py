"""Read-only, for the operator's eyes."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.policies.models import PolicyVersion


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = [
        "code",
        "version",
        "segment",
        "state",
        "valid_from",
        "origin",
        "published_at",
        "made_by",
        "checked_by",
    ]
    list_filter = ["segment", "state", "origin"]
