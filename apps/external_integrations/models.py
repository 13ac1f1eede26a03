"""What outside registries said of a person, a company or a parcel, with its source, its age and its history."""

import uuid

from django.db import models
from django.db.models import Q

from apps.common.models import DataKey


class Source(models.TextChoices):
    SOLIQ = "soliq", "Soliq, the tax register"
    KADASTR = "kadastr", "Kadastr, the land register"


class Origin(models.TextChoices):
    MOCK = "mock", "invented by the mock client"
    HTTP = "http", "fetched from the source"


class ExternalRecord(models.Model):
    """One key of one source. `current` is the version that holds; without one, nothing is known yet.

    `observed_at` is the source's time of what is current, `checked_at` the last time that the source answered.
    While `lease_until` lies ahead, one process is asking the source and the others wait for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=20, choices=Source.choices)
    key_index = models.CharField(max_length=64, editable=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    current = models.ForeignKey("ExternalRecordVersion", on_delete=models.PROTECT, null=True, related_name="+")
    observed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, db_index=True)
    lease_until = models.DateTimeField(null=True)
    # A request rests on this key: it is kept and refreshed even while nothing is known.
    is_wanted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key_index"], name="external_record_one_per_key"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="external_record_source"),
            models.CheckConstraint(
                condition=Q(current__isnull=True) | Q(observed_at__isnull=False, checked_at__isnull=False),
                name="external_record_current_has_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.id}"

    @property
    def context(self) -> str:
        return f"external_record:{self.id}"


class ExternalRecordVersion(models.Model):
    """One reply of the source, as it came. Insert-only, kept so by triggers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    record = models.ForeignKey(ExternalRecord, on_delete=models.PROTECT, related_name="versions")
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    origin = models.CharField(max_length=10, choices=Origin.choices)
    observed_at = models.DateTimeField()
    fetched_at = models.DateTimeField()
    # HMAC of the content without its time: equal digests, unchanged content.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "origin", "observed_at", "digest"], name="external_version_once"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="external_version_origin"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} {self.observed_at:%Y-%m-%d}"

    @property
    def context(self) -> str:
        return f"external_record_version:{self.id}"
