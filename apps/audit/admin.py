from django.contrib import admin

from apps.audit.models import AuditEvent
from apps.common.admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "actor", "action", "subject_type", "subject_id"]
    list_filter = ["action"]
