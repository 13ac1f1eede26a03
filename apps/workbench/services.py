"""Writes of the workbench itself; everything else is a service of the app below."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.common.masking import mask_identifiers
from apps.workbench.models import MOST_NAME, SavedView

MOST_VIEWS = 30


@transaction.atomic
def save_view(*, name: str, filter_: dict[str, Any], actor: User, now: datetime) -> SavedView:
    """Under a name that the person has already, the view is replaced. `filter_`: checked by the queue's form."""
    name = " ".join(name.split())
    _check_name(name)
    # Held, so that two at once do not make more than there may be.
    list(User.objects.select_for_update().filter(id=actor.id).values_list("id"))
    own = SavedView.objects.visible_to(actor)
    if not own.filter(name=name).exists() and own.count() >= MOST_VIEWS:
        raise Conflict(_("There are %(most)s views already. Delete one first.") % {"most": MOST_VIEWS})
    values = {"filter": filter_, "created_at": now}
    view, is_new = SavedView.objects.update_or_create(owner=actor, name=name, defaults=values)
    # Not the name: whatever somebody typed there stays out of the trail.
    details = {"filter": filter_, "replaced": not is_new}
    record_event(actor=actor, action="saved_view.save", subject=view, details=details)
    return view


@transaction.atomic
def delete_view(*, view_id: int, actor: User) -> None:
    """Raises NotFound for one that is somebody else's."""
    view = SavedView.objects.visible_to(actor).filter(id=view_id).first()
    if view is None:
        raise NotFound(_("There is no such view; it may be deleted already."))
    record_event(actor=actor, action="saved_view.delete", subject=view, details={"filter": view.filter})
    view.delete()


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MOST_NAME:
        raise InvalidInput.of(name=_("Give the view a name of 1 to %(most)s characters.") % {"most": MOST_NAME})
    if mask_identifiers(name) != name:
        raise InvalidInput.of(name=_("Leave identifiers of people out of the name."))
