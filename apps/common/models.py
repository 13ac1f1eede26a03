"""Rows that every app builds on: data keys, words that find names, jobs, idempotency keys."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class DataKey(models.Model):
    """The key of one person's data, wrapped by the key ring. Destroying it erases the person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_index = models.CharField(max_length=64, unique=True, null=True, editable=False)
    key_id = models.CharField(max_length=40)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(destroyed_at=None) & ~Q(wrapped=b""))
                | Q(destroyed_at__isnull=False, wrapped=b"", owner_index=None),
                name="data_key_destroyed_or_whole",
            )
        ]
        # What a rotation walks along, and what tells which keys of the ring are needed.
        indexes = [models.Index(fields=["key_id", "id"], condition=Q(destroyed_at=None), name="data_key_in_use")]

    def __str__(self) -> str:
        return str(self.id)


class NameWord(models.Model):
    """One word of the name of whom the key belongs to, by its blind index. It goes when the key is destroyed."""

    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="name_words")
    word_index = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word_index", "data_key"], name="name_word_once")]

    def __str__(self) -> str:
        return str(self.data_key_id)


class Job(models.Model):
    """One piece of background work. `name` is a task of tasks.tasks; `arguments` hold opaque ids and numbers only."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    # Two jobs with one key are one job while the first is still waiting.
    key = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "done", "failed"]), name="job_state"),
            models.UniqueConstraint(fields=["key"], condition=Q(state="queued"), name="job_one_waiting_per_key"),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="job_due")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class IdempotencyKey(models.Model):
    """The reply to a creating POST, kept so that a repeat gets the same one. It belongs to a client and a route."""

    client = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT)
    reply = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "route", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.route} {self.created_at:%Y-%m-%d %H:%M}"
