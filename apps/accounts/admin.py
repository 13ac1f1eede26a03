"""Read-only: people and branches are changed through services, by API or command."""

from django.contrib import admin

from apps.accounts.models import Branch, User
from apps.common.admin import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["username", "role", "kind", "branch", "is_active"]
    list_filter = ["role", "kind", "is_active"]
    fields = ["username", "role", "kind", "branch", "is_active", "date_joined", "last_login"]


@admin.register(Branch)
class BranchAdmin(ReadOnlyAdmin):
    list_display = ["code", "name"]
