"""The admin site looks; it never writes. Writes go through services, which check, audit and keep the rules."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

ADMIN_ROLES = frozenset({"administrator"})


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows rows to administrators."""

    actions = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(request.user, "role", None) in ADMIN_ROLES

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
