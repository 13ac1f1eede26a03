"""Files of applicants to be scored once: what is in them is sealed under a key of their own, which goes with them."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Branch, Role, User
from apps.common.models import DataKey
from apps.scoring_engine.ml.vocabulary import SEGMENTS

UPLOADED, MAPPED, SCORING, DONE, FAILED, CANCELLED, DELETED = UPLOAD_STATES = (
    *("uploaded", "mapped", "scoring", "done", "failed", "cancelled", "deleted"),
)
# From each state to those that may follow it.
TRANSITIONS = {
    UPLOADED: {MAPPED, FAILED, CANCELLED, DELETED},
    MAPPED: {MAPPED, SCORING, CANCELLED, DELETED},
    SCORING: {DONE, FAILED, CANCELLED},
    DONE: {DELETED},
    FAILED: {DELETED},
    CANCELLED: {DELETED},
    DELETED: set(),
}
FINISHED = (DONE, FAILED, CANCELLED, DELETED)
FORMATS = ("csv", "parquet", "xlsx")
FILE, RESULT = CHUNK_KINDS = ("file", "result")
MAY_UPLOAD = frozenset({Role.OFFICER, Role.ANALYST})
SEES_UPLOADS = frozenset({*MAY_UPLOAD, Role.AUDITOR})


class UploadQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        """An officer sees those of the own branch, analysts and auditors all."""
        if user.role not in SEES_UPLOADS:
            return self.none()
        rows = self.exclude(state=DELETED)
        return rows if user.sees_all_branches else rows.filter(branch_id=user.branch_id)


class Upload(models.Model):
    """`sealed`: {file, names, dropped, samples, told, mapping, scale}. rows_expected: a guess from the file's size.

    rows_done counts the refused ones too; both are those of the result chunks that are committed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="+")
    segment = models.CharField(max_length=12, choices=[(segment, segment) for segment in SEGMENTS])
    state = models.CharField(max_length=10, choices=[(state, state) for state in UPLOAD_STATES], default=UPLOADED)
    format = models.CharField(max_length=10, choices=[(each, each) for each in FORMATS])
    size = models.PositiveBigIntegerField()
    file_digest = models.CharField(max_length=64)
    sealed = models.BinaryField()
    columns = models.PositiveIntegerField()
    rows_expected = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    model_digest = models.CharField(max_length=64, blank=True, default="")
    model_version = models.CharField(max_length=100, blank=True, default="")
    mode = models.CharField(max_length=10, blank=True, default="")
    purpose = models.CharField(max_length=20, blank=True, default="")
    as_of = models.DateField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=UPLOAD_STATES), name="upload_state"),
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="upload_segment"),
            models.CheckConstraint(condition=Q(format__in=FORMATS), name="upload_format"),
            models.CheckConstraint(condition=Q(rows_refused__lte=F("rows_done")), name="upload_refused"),
            models.CheckConstraint(
                condition=Q(state__in=FINISHED, finished_at__isnull=False)
                | (~Q(state__in=FINISHED) & Q(finished_at=None)),
                name="upload_finished_at",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(SCORING, DONE)) | ~Q(model_digest=""), name="upload_scored_by_a_model"
            ),
            models.CheckConstraint(
                condition=Q(state=DELETED, sealed=b"") | (~Q(state=DELETED) & ~Q(sealed=b"")), name="upload_sealed"
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="upload_newest")]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class UploadChunk(models.Model):
    """A sealed piece of the file, or of the results; pieces of the file go once it is scored."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in CHUNK_KINDS])
    number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    sealed = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CHUNK_KINDS), name="upload_chunk_kind"),
            models.CheckConstraint(condition=Q(refused__lte=F("rows")), name="upload_chunk_refused"),
            models.UniqueConstraint(fields=["upload", "kind", "number"], name="upload_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.upload_id}"
