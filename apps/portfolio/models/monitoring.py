"""What was counted of each week: a screen over years reads some hundred rows of these, never the log itself."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Branch, User
from apps.accounts.permissions import READERS
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import ROLES

# Of the week's applications: all, those whose sealed part cannot be read, and those whose scoring was marked so.
OF_APPLICATIONS = (
    "applications",
    "unreadable",
    "fallback",
    "demonstration",
    "stale",
    "mock",
    "thin_file",
    "source_down",
)
# Of the decisions made in the week, whenever the application came.
OF_DECISIONS = (
    "policy_approved",
    "policy_referred",
    "policy_declined",
    "person_approved",
    "person_declined",
    "low_side",
    "high_side",
)
COUNTS = (*OF_APPLICATIONS, *OF_DECISIONS)
# Known only of what can still be opened.
SEALED = ("stale", "mock", "thin_file", "source_down")


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _count() -> models.PositiveIntegerField:
    return models.PositiveIntegerField(default=0)


class MonitoringWeek(models.Model):
    """A week, by its Monday in LENDER_TIME_ZONE, that was counted; also one in which nothing happened.

    A complete one was counted after it had ended, and is counted again only when somebody asks for it.
    """

    week = models.DateField(primary_key=True)
    counted_at = models.DateTimeField()
    is_complete = models.BooleanField()

    def __str__(self) -> str:
        return self.week.isoformat()


class WeekFiguresQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        """Of their own branch for officers and approvers, of all for analysts and auditors, none for others."""
        if user.role not in READERS:
            return self.none()
        return self if user.sees_all_branches else self.filter(branch_id=user.branch_id)


class WeekFigures(models.Model):
    """What one week counted, of a segment, branch (null: all of them together), model and its role.

    `scores`: {edges, rows}, applications by band of the score, band k from edges[k-1] up to below edges[k].
    `bins`: {characteristic: {bin label: applications}}. `hours`: {whole hours from application to the first final
    decision: decisions}. `model_digest` is empty for decisions that rest on no scoring.
    """

    id = models.BigAutoField(primary_key=True)
    week = models.ForeignKey(MonitoringWeek, on_delete=models.CASCADE, related_name="figures")
    segment = models.CharField(max_length=12, choices=_choices(SEGMENTS))
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="+")
    model_digest = models.CharField(max_length=64, blank=True, default="")
    role = models.CharField(max_length=10, choices=_choices(ROLES))
    applications = _count()
    unreadable = _count()
    fallback = _count()
    demonstration = _count()
    stale = _count()
    mock = _count()
    thin_file = _count()
    source_down = _count()
    policy_approved = _count()
    policy_referred = _count()
    policy_declined = _count()
    person_approved = _count()
    person_declined = _count()
    low_side = _count()
    high_side = _count()
    scores = models.JSONField(default=dict)
    bins = models.JSONField(default=dict)
    hours = models.JSONField(default=dict)

    objects = WeekFiguresQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(segment__in=SEGMENTS), name="week_figures_segment"),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="week_figures_role"),
            *(
                models.CheckConstraint(condition=Q(**{f"{name}__lte": F("applications")}), name=f"week_figures_{name}")
                for name in OF_APPLICATIONS[1:]
            ),
            models.CheckConstraint(condition=Q(low_side__lte=F("person_approved")), name="week_figures_low_side"),
            models.CheckConstraint(condition=Q(high_side__lte=F("person_declined")), name="week_figures_high_side"),
            models.UniqueConstraint(
                fields=["week", "segment", "branch", "model_digest", "role"],
                condition=Q(branch__isnull=False),
                name="week_figures_once_a_branch",
            ),
            models.UniqueConstraint(
                fields=["week", "segment", "model_digest", "role"],
                condition=Q(branch=None),
                name="week_figures_once_of_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment} in the week of {self.week_id}"
