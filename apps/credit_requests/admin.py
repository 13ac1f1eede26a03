"""Read-only; requests without anything of the applicant: administrators keep the system, not the applicants."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.credit_requests.models import CreditRequest, Product


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "kind", "currency", "is_active"]
    list_filter = ["kind", "currency", "is_active"]


@admin.register(CreditRequest)
class CreditRequestAdmin(ReadOnlyAdmin):
    list_display = fields = ["id", "status", "branch", "version", "is_demo", "created_at", "last_checked_at"]
    list_filter = ["status", "branch", "is_demo"]
    list_select_related = ["branch"]
