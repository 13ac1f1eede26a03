"""Deny by default: a view says which roles may do what, and whatever it does not say is refused."""

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.models import Role

EVERYONE = frozenset(Role.values)
READERS = frozenset({Role.OFFICER, Role.APPROVER, Role.ANALYST, Role.AUDITOR})
OFFICERS = frozenset({Role.OFFICER})
# They register models, validate those of others, and put them into service.
ANALYSTS = frozenset({Role.ANALYST})
# Back to what was approved before, or out of service: whoever runs the installation may do so at night.
WITHDRAWERS = frozenset({Role.ANALYST, Role.ADMINISTRATOR})
# They work with the applicant and see PINFL, INN and parcel ids in full; to the others these are masked.
SEES_IDENTIFIERS = frozenset({Role.OFFICER, Role.APPROVER})


class ByRole(BasePermission):
    """`roles` of the view maps an action of a viewset, or a lower-case HTTP method, to the roles that may do it."""

    message = "Your role does not allow this action. Ask an administrator if you need it."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and user.is_active):
            return False
        if request.method not in view.allowed_methods:
            # No role would help: say so, instead of blaming the role.
            raise MethodNotAllowed(request.method)
        method = "get" if request.method == "HEAD" else request.method.lower()
        action = getattr(view, "action", None) or method
        return user.role in getattr(view, "roles", {}).get(action, frozenset())
