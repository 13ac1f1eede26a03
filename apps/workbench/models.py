"""What people keep for themselves in the workbench."""

from typing import Self

from django.conf import settings
from django.db import models

from apps.accounts.models import User

MOST_NAME = 60


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        return self.filter(owner=user)


class SavedView(models.Model):
    """A filter of the queue under a name. `filter`: fields of QueueFilter as its form takes them, and no text searched
    for.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(max_length=MOST_NAME)
    filter = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name"),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_view_has_a_name"),
        ]

    def __str__(self) -> str:
        return str(self.id)
