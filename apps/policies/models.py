"""Versions of the lender's policies: the text that decided, for good, and who published it."""

import uuid
from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.scoring_engine.ml.vocabulary import SEGMENTS

DRAFT, PUBLISHED, DISCARDED = STATES = ("draft", "published", "discarded")
SHIPPED, REGISTERED = ORIGINS = ("shipped", "registered")


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class PolicyVersionQuerySet(models.QuerySet):
    def in_force(self, segment: str, day: date, moment: datetime) -> Self:
        """At most one row: of the policies published by `moment`, the one valid from the latest day up to `day`.

        Two that are valid from one day: the later published one, so that a mistake can be mended the same day.
        """
        known = self.filter(segment=segment, state=PUBLISHED, valid_from__lte=day, published_at__lte=moment)
        return known.order_by("-valid_from", "-published_at")[:1]


class PolicyVersion(models.Model):
    """A policy file as it was handed in. Its text never changes; it is published by somebody other than its maker."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=40)
    version = models.CharField(max_length=40)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    valid_from = models.DateField(help_text="A day of the lender's calendar.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the text.")
    text = models.TextField()
    origin = models.CharField(max_length=10, choices=_choices(ORIGINS), default=REGISTERED)
    state = models.CharField(max_length=10, choices=_choices(STATES), default=DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True, default="", help_text="Of whoever published or discarded it.")

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="policy_segment"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="policy_state"),
            models.CheckConstraint(condition=Q(origin__in=ORIGINS), name="policy_origin"),
            models.CheckConstraint(
                condition=Q(origin="shipped", made_by=None) | Q(origin="registered", made_by__isnull=False),
                name="policy_has_a_maker",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | Q(made_by=None) | ~Q(checked_by=F("made_by")),
                name="policy_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state=PUBLISHED, published_at__isnull=False)
                | (~Q(state=PUBLISHED) & Q(published_at__isnull=True)),
                name="policy_published_at",
            ),
            models.CheckConstraint(
                condition=~Q(state=PUBLISHED) | Q(origin="shipped") | Q(checked_by__isnull=False),
                name="policy_is_checked_before_it_is_published",
            ),
            models.UniqueConstraint(
                fields=["code", "version"], condition=~Q(state=DISCARDED), name="policy_one_of_a_version"
            ),
            # What is in force at a moment is always one.
            models.UniqueConstraint(fields=["segment", "published_at"], name="policy_published_one_at_a_time"),
        ]
        indexes = [models.Index(fields=["segment", "state", "-valid_from"], name="policy_in_force")]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"
