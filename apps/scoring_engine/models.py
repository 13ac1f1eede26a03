"""Every scoring, kept as it was: a row that nothing can change, and the card it was made with."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import Branch
from apps.accounts.visibility import OfABranch
from apps.common.crypto import unseal
from apps.common.models import DataKey
from apps.common.money import CURRENCIES, CURRENCY_CHOICES
from apps.scoring_engine.ml.cards import LEAST_SCORE, MOST_SCORE
from apps.scoring_engine.ml.cards import PURPOSES as CARD_PURPOSES
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.vocabulary import SEGMENTS

MODES = ("model", "fallback")
HORIZON_KINDS = ("contract", "fixed")
GRADE_LETTERS = tuple(letter for letter, _ in GRADES)
MOST_HORIZON = 600  # months


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class ModelCard(models.Model):
    """A card that has scored, kept for good: its file may be replaced, its past scorings still explain themselves."""

    digest = models.CharField(max_length=64, primary_key=True)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    version = models.CharField(max_length=100)
    text = models.TextField(help_text="The card's canonical JSON; its SHA-256 is the digest.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="model_card_segment")]

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:12]})"


class PredictionLogQuerySet(OfABranch):
    def unlinked(self) -> "PredictionLogQuerySet":
        """Scorings of facts that a caller sent, which no credit request rests on."""
        return self.filter(request_id=None)


class PredictionLog(models.Model):
    """One scoring, whoever asked for it. Inserted once; removed only by a RetentionRun, and never while linked.

    `sealed` holds {facts, sources, unavailable, as_of, currency, characteristics, warnings, missing_required};
    characteristics, most harmful first, are {feature, value, bin, points, reference_points, code}. Texts are
    written from the card and the bins on reading. `request_id` is that of the credit request, which lives in a room
    above.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    score = models.IntegerField()
    probability_of_default = models.FloatField()
    grade = models.CharField(max_length=1, choices=_choices(GRADE_LETTERS))
    grades_version = models.CharField(max_length=20)
    horizon_kind = models.CharField(max_length=10, choices=_choices(HORIZON_KINDS))
    horizon_months = models.PositiveSmallIntegerField()
    mode = models.CharField(max_length=10, choices=_choices(MODES))
    mode_reason = models.TextField(blank=True, default="")
    purpose = models.CharField(max_length=20, choices=_choices(CARD_PURPOSES))
    model_version = models.CharField(max_length=100)
    card = models.ForeignKey(ModelCard, on_delete=models.PROTECT, db_column="model_digest", related_name="+")
    base_points = models.IntegerField()
    reference_score = models.IntegerField()
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    inputs_digest = models.CharField(max_length=64)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=120)
    request_id = models.UUIDField(null=True)

    objects = PredictionLogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="prediction_segment"),
            models.CheckConstraint(condition=Q(score__gte=LEAST_SCORE, score__lte=MOST_SCORE), name="prediction_score"),
            models.CheckConstraint(
                condition=Q(probability_of_default__gt=0, probability_of_default__lt=1),
                name="prediction_probability_of_default",
            ),
            models.CheckConstraint(condition=Q(grade__in=GRADE_LETTERS), name="prediction_grade"),
            models.CheckConstraint(condition=Q(horizon_kind__in=HORIZON_KINDS), name="prediction_horizon_kind"),
            models.CheckConstraint(
                condition=Q(horizon_months__gte=1, horizon_months__lte=MOST_HORIZON), name="prediction_horizon_months"
            ),
            models.CheckConstraint(
                condition=Q(mode="model", mode_reason="") | (Q(mode="fallback") & ~Q(mode_reason="")),
                name="prediction_a_fallback_says_why",
            ),
            models.CheckConstraint(condition=Q(purpose__in=CARD_PURPOSES), name="prediction_purpose"),
            models.CheckConstraint(condition=Q(currency__in=CURRENCIES), name="prediction_currency"),
            models.CheckConstraint(condition=~Q(cause=""), name="prediction_has_a_cause"),
            models.UniqueConstraint(
                fields=["request_id", "cause"], condition=Q(request_id__isnull=False), name="prediction_once_per_cause"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="prediction_by_time"),
            models.Index(fields=["branch", "created_at"], name="prediction_by_branch"),
        ]

    def __str__(self) -> str:
        return f"{self.segment} {self.score} by {self.model_version}"

    @property
    def model_digest(self) -> str:
        return self.card_id

    @property
    def horizon(self) -> dict[str, Any]:
        return {"kind": self.horizon_kind, "months": self.horizon_months}

    def opened(self) -> dict[str, Any]:
        """What is sealed. Raises DataErased once the person's key is destroyed."""
        return unseal(self.data_key, self.sealed, sealing_context(self.id))


def sealing_context(prediction_id: uuid.UUID) -> str:
    return f"prediction_log:{prediction_id}"


class RetentionRun(models.Model):
    """The removal of the unlinked predictions made from `first_created_at` to `last_created_at`.

    Inserting the row is what removes them: a trigger does so, and refuses the run unless exactly `row_count` went. The
    guard of the log lets a DELETE pass only inside the span of a run.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    older_than = models.DateTimeField()
    first_created_at = models.DateTimeField()
    last_created_at = models.DateTimeField()
    row_count = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(row_count__gt=0), name="retention_run_removes_something"),
            models.CheckConstraint(
                condition=Q(first_created_at__lte=F("last_created_at"))
                & Q(last_created_at__lt=F("older_than"))
                & Q(older_than__lt=F("created_at")),
                name="retention_run_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_count} predictions before {self.older_than:%Y-%m-%d}"
