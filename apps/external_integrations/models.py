"""What outside registries said of a person, a company or a parcel, with its source, its age and its history."""

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import User
from apps.accounts.permissions import READERS
from apps.common.crypto import unseal
from apps.common.models import DataKey


class Source(models.TextChoices):
    SOLIQ = "soliq", "Soliq, the tax register"
    KADASTR = "kadastr", "Kadastr, the land register"
    BUREAU = "bureau", "a credit bureau"


class Origin(models.TextChoices):
    MOCK = "mock", "invented by the mock client"
    HTTP = "http", "fetched from the source"


class ExternalRecordQuerySet(models.QuerySet["ExternalRecord"]):
    def visible_to(self, user: User) -> "ExternalRecordQuerySet":
        """Those that a request of their branch rests on for officers and approvers, all for analysts and auditors."""
        if user.role not in READERS:
            return self.none()
        if user.sees_all_branches:
            return self
        return self.filter(id__in=ExternalRecord.objects.filter(credit_requests__branch_id=user.branch_id).values("id"))


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

    objects = ExternalRecordQuerySet.as_manager()

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


class Purpose(models.TextChoices):
    CREDIT_ASSESSMENT = "credit_assessment", "to decide on a request for credit"
    MONITORING = "monitoring", "to watch a loan while it lasts"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def valid_on(self, day: date) -> "ConsentQuerySet":
        """`day`: of the lender. A consent holds on its last day too."""
        return self.filter(given_on__lte=day, expires_on__gte=day, withdrawn_at=None)


class Consent(models.Model):
    """A person allows to ask one source. It names the person by their data key alone: once that is destroyed, what is
    left says that there was a consent, and not whose. Insert-only but for the one withdrawal, kept so by triggers.

    `sealed` holds {reference}: the paper, form or message that the consent stands in.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="consents")
    source = models.CharField(max_length=20, choices=Source.choices)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    given_on = models.DateField()
    expires_on = models.DateField()
    sealed = models.BinaryField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(source__in=Source.values), name="consent_source"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="consent_purpose"),
            models.CheckConstraint(condition=Q(expires_on__gte=F("given_on")), name="consent_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None) | Q(withdrawn_at__gte=F("created_at")),
                name="consent_withdrawn_later",
            ),
        ]
        indexes = [models.Index(fields=["data_key", "source"], name="consent_of_person")]

    def __str__(self) -> str:
        return f"{self.source} {self.purpose} until {self.expires_on}"

    @property
    def context(self) -> str:
        return f"consent:{self.id}"

    def state_on(self, day: date) -> str:
        """`day`: of the lender."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.expires_on < day:
            return "expired"
        return "valid" if self.given_on <= day else "not_yet_valid"

    def opened(self) -> dict[str, str]:
        """Raises DataErased once the person's key is destroyed."""
        return unseal(self.data_key, self.sealed, self.context)
