"""Models, who let them into service and when; and every scoring, a row that nothing can change."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
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

SCORECARD, ESTIMATOR = KINDS = ("scorecard", "estimator")
SHIPPED, REGISTERED = ORIGINS = ("shipped", "registered")
DRAFT, VALIDATED, CHAMPION, CHALLENGER, RETIRED = STATES = ("draft", "validated", "champion", "challenger", "retired")
ROLES = (CHAMPION, CHALLENGER)
MODES = ("model", "fallback")
HORIZON_KINDS = ("contract", "fixed")
GRADE_LETTERS = tuple(letter for letter, _ in GRADES)
MOST_HORIZON = 600  # months


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class ModelCard(models.Model):
    """The document of a scorecard or an estimator, kept for good, so that past scorings still explain themselves."""

    digest = models.CharField(max_length=64, primary_key=True)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    version = models.CharField(max_length=100)
    text = models.TextField(help_text="The document's canonical JSON; its SHA-256 is the digest.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="model_card_segment")]

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:12]})"


class ModelFile(models.Model):
    """The bytes of a registered model, kept for good; every process reads them here, whatever its disk holds."""

    digest = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.digest[:12]


class ModelVersionQuerySet(models.QuerySet):
    def in_service(self, segment: str) -> "ModelVersionQuerySet":
        """The champion and the challenger, whichever there are."""
        return self.filter(segment=segment, state__in=ROLES).defer("manifest", "types")


class ModelVersion(models.Model):
    """A registered model and its state. Only its state, who checked it and what they found ever change.

    `file` is named by the SHA-256 of its bytes, `card` by that of its document, which the log of predictions names.
    `types` are the Python types that reading an estimator's file may load, as its maker and its checker saw them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    version = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=_choices(KINDS))
    origin = models.CharField(max_length=10, choices=_choices(ORIGINS))
    file = models.OneToOneField(ModelFile, on_delete=models.PROTECT, related_name="model")
    card = models.OneToOneField(ModelCard, on_delete=models.PROTECT, related_name="model")
    manifest = models.JSONField()
    types = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=_choices(STATES), default=DRAFT)
    # Of the last move; a scoring is never told to be older than the model's coming into service.
    since = models.DateTimeField()
    created_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    on_own_data = models.BooleanField(default=False, help_text="Validated on the lender's own data.")

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="model_segment"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="model_kind"),
            models.CheckConstraint(condition=Q(origin__in=ORIGINS), name="model_origin"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="model_state"),
            models.CheckConstraint(
                condition=Q(origin="shipped", made_by=None) | Q(origin="registered", made_by__isnull=False),
                name="model_has_a_maker",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | Q(made_by=None) | ~Q(checked_by=F("made_by")),
                name="model_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(origin="shipped") | Q(state__in=(DRAFT, RETIRED)) | Q(checked_by__isnull=False),
                name="model_is_checked_before_service",
            ),
            models.CheckConstraint(
                condition=Q(on_own_data=False) | Q(checked_by__isnull=False), name="model_validation_has_a_validator"
            ),
            models.UniqueConstraint(fields=["segment"], condition=Q(state=CHAMPION), name="model_one_champion"),
            models.UniqueConstraint(fields=["segment"], condition=Q(state=CHALLENGER), name="model_one_challenger"),
        ]

    def __str__(self) -> str:
        return self.version


class ModelValidation(models.Model):
    """What a validator found, once; a model may be validated again and again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="validations")
    validator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    passed = models.BooleanField()
    on_own_data = models.BooleanField()
    gates_passed = models.BooleanField(null=True, help_text="Null when the figures state no acceptance gate.")
    figures = models.JSONField(default=dict, help_text="The validation.json of validate_model.")
    comment = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(comment=""), name="validation_has_a_comment"),
            models.CheckConstraint(
                condition=Q(passed=False) | Q(gates_passed__isnull=False, gates_passed=True),
                name="validation_passes_its_gates",
            ),
            # The last one decides whether a model may serve: there is always one last.
            models.UniqueConstraint(fields=["model", "created_at"], name="validation_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {'passed' if self.passed else 'failed'}"


class ModelAssignmentQuerySet(models.QuerySet):
    def in_force(self, moment: datetime) -> "ModelAssignmentQuerySet":
        """Of each segment and role the one row that held at `moment`; none for a role that nobody had had by then."""
        same = ModelAssignment.objects.filter(segment=OuterRef("segment"), role=OuterRef("role"))
        latest = same.filter(started_at__lte=moment).order_by("-id").values("id")[:1]
        return self.filter(id=Subquery(latest))


class ModelAssignment(models.Model):
    """From `started_at` on `model` (nobody, if null) is champion or challenger of a segment. A history, by id."""

    id = models.BigAutoField(primary_key=True)
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    role = models.CharField(max_length=10, choices=_choices(ROLES))
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="assignments")
    started_at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=20)
    reason = models.TextField()

    objects = ModelAssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="assignment_segment"),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="assignment_role"),
            models.CheckConstraint(condition=~Q(reason=""), name="assignment_says_why"),
        ]
        indexes = [models.Index(fields=["segment", "role", "started_at"], name="assignment_by_time")]

    def __str__(self) -> str:
        return f"{self.role} of {self.segment} from {self.started_at:%Y-%m-%d %H:%M}"


class PredictionLogQuerySet(OfABranch):
    def unlinked(self) -> "PredictionLogQuerySet":
        """Scorings of facts that a caller sent, which no credit request rests on."""
        return self.filter(request_id=None)

    def of_champions(self) -> "PredictionLogQuerySet":
        """Scorings that answered somebody; those of a challenger never do."""
        return self.filter(role=CHAMPION)


class PredictionLog(models.Model):
    """One scoring, whoever asked for it. Inserted once; removed only by a RetentionRun, and never while linked.

    A challenger's scoring of the same facts is a row `beside` the champion's, which it never replaces.

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
    role = models.CharField(max_length=10, choices=_choices(ROLES), default=CHAMPION)
    beside = models.UUIDField(null=True)
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
            models.CheckConstraint(
                condition=Q(role=CHAMPION, beside=None) | Q(role=CHALLENGER, beside__isnull=False),
                name="prediction_role",
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
