"""Who did what to which record, and when: written in the transaction of the write itself, never changed."""

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    """One event. `details` hold opaque ids, numbers and codes, never personal data. No actor means the system."""

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        # The last two: what somebody did, and where something was done, newest first, however much else there is.
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["actor", "created_at", "id"], name="audit_by_actor"),
            models.Index(fields=["action", "created_at", "id"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type}:{self.subject_id}"
