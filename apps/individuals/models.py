"""A person who applies for credit. Whatever is personal is sealed under the person's own data key."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Branch
from apps.accounts.visibility import OfABranch
from apps.common.crypto import blind_index, unseal
from apps.common.models import DataKey
from apps.common.money import CURRENCIES, CURRENCY_CHOICES


def pinfl_index(pinfl: str) -> str:
    return blind_index("person", pinfl)


class IndividualQuerySet(OfABranch):
    def with_pinfl(self, pinfl: str) -> "IndividualQuerySet":
        return self.filter(pinfl_index=pinfl_index(pinfl))

    def for_reading(self) -> "IndividualQuerySet":
        """With what a profile needs to be opened and shown, in one query."""
        return self.select_related("branch", "data_key")


class Individual(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="individuals")
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    pinfl_index = models.CharField(max_length=64, unique=True, editable=False)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the facts of the profile are as of; moves with `version`.
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IndividualQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(currency__in=CURRENCIES), name="individual_currency"),
            models.CheckConstraint(condition=Q(version__gte=1), name="individual_version"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="individual_newest"),
            models.Index(fields=["branch", "-created_at", "-id"], name="individual_newest_of_branch"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def seal_context(self) -> str:
        return f"individual:{self.id}"

    @property
    def profile(self) -> dict[str, Any]:
        """The fields of `profile.EMPTY_PROFILE`, opened. Raises DataErased once the person's key is destroyed."""
        return unseal(self.data_key, self.sealed, self.seal_context)
