"""The second person of a decision that takes two: agrees or disagrees with what the first one asked for."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotFound
from apps.credit_requests import overriding
from apps.credit_requests.api_decisions import APPROVERS
from apps.credit_requests.models import CreditRequest, Override
from apps.workbench.request_parts.forms import CloseForm
from apps.workbench.views.request_actions import RequestAction


class CloseOverride(RequestAction):
    roles = APPROVERS
    form = CloseForm
    state: ClassVar[str]

    def act(self, found: CreditRequest, given: dict[str, Any]) -> str:
        override = found.overrides.select_related("data_key").filter(id=given["override"]).first()
        if override is None:
            raise NotFound(_("This request has no such override."))
        if not _was_closed(override, self.state, self.request.user):
            self.close(override, given["comment"])
        return self.told()

    def close(self, override: Override, comment: str) -> None:
        raise NotImplementedError

    def told(self) -> str:
        raise NotImplementedError


class ConfirmOverride(CloseOverride):
    action, state = "confirm", "confirmed"

    def close(self, override: Override, comment: str) -> None:
        overriding.confirm_override(override=override, comment=comment, actor=self.request.user, now=timezone.now())

    def told(self) -> str:
        return _("You agreed; the request is decided.")


class RefuseOverride(CloseOverride):
    action, state = "refuse", "refused"

    def close(self, override: Override, comment: str) -> None:
        overriding.refuse_override(override=override, comment=comment, actor=self.request.user, now=timezone.now())

    def told(self) -> str:
        return _("You disagreed; the request stays with people.")


def _was_closed(override: Override, state: str, user: User) -> bool:
    """The form was sent twice."""
    return override.state == state and override.closed_by_id == user.id
