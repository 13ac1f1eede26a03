"""Rows without anything of the applicant: administrators keep the system, they do not read applicants."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.companies.models import Company


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    list_display = fields = ["id", "branch", "version", "is_demo", "created_at", "updated_at"]
    list_filter = ["branch", "is_demo"]
    list_select_related = ["branch"]
