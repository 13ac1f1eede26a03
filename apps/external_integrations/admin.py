"""Read-only, and without anything that could tell who it is about."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.external_integrations.models import Consent, ExternalRecord, ExternalRecordVersion


@admin.register(ExternalRecord)
class ExternalRecordAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "observed_at", "checked_at", "is_wanted"]
    list_filter = ["source", "is_wanted"]
    fields = ["id", "source", "observed_at", "checked_at", "lease_until", "is_wanted", "created_at", "updated_at"]


@admin.register(ExternalRecordVersion)
class ExternalRecordVersionAdmin(ReadOnlyAdmin):
    list_display = ["id", "record", "origin", "observed_at", "fetched_at"]
    list_filter = ["origin"]
    fields = ["id", "record", "origin", "observed_at", "fetched_at", "created_at"]


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "purpose", "given_on", "expires_on", "withdrawn_at"]
    list_filter = ["source", "purpose"]
    fields = [
        "id",
        "source",
        "purpose",
        "given_on",
        "expires_on",
        "recorded_by",
        "created_at",
        "withdrawn_at",
        "withdrawn_by",
    ]
