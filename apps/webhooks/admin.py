from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ["id", "url", "is_active", "delivered", "failed", "given_up", "created_at"]
    list_filter = ["is_active"]
    exclude = ["sealed", "data_key"]


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "type", "occurred_at"]
    list_filter = ["type"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event", "endpoint", "state", "attempts", "due_at", "last_status", "last_error", "delivered_at"]
    list_filter = ["state", "last_error"]
