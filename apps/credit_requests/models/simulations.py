"""Policies tried on past requests, on the wish of an analyst: what was asked for, how far it is, what came out."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Role, User
from apps.policies.models import PolicyVersion

QUEUED, RUNNING, DONE, FAILED = SIMULATION_STATES = ("queued", "running", "done", "failed")
SEES_SIMULATIONS = frozenset({Role.ANALYST, Role.AUDITOR, Role.APPROVER})
ALL_DONE = 100  # per cent


class SimulationQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        return self if user.role in SEES_SIMULATIONS else self.none()


class Simulation(models.Model):
    """`policy`: the candidate, or null and its `text`, which nobody handed in. `filter`: of the requests, as text.

    `result` holds sums over many requests, and no facts of one. progress: per cent of the requests.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    text = models.TextField(blank=True, default="")
    against = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    filter = models.JSONField(default=dict)
    on_date = models.DateField()
    cost_of_funds = models.FloatField(default=0.0)
    before_bars = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=[(state, state) for state in SIMULATION_STATES], default=QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=1000, blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = SimulationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SIMULATION_STATES), name="simulation_state"),
            models.CheckConstraint(condition=Q(progress__lte=ALL_DONE), name="simulation_progress"),
            models.CheckConstraint(
                condition=Q(cost_of_funds__gte=0, cost_of_funds__lte=1), name="simulation_cost_of_funds"
            ),
            models.CheckConstraint(
                condition=Q(policy__isnull=False, text="") | (Q(policy=None) & ~Q(text="")),
                name="simulation_of_one_policy",
            ),
            models.CheckConstraint(
                condition=Q(state=DONE, result__isnull=False) | (~Q(state=DONE) & Q(result__isnull=True)),
                name="simulation_result",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(DONE, FAILED), finished_at__isnull=False)
                | Q(state__in=(QUEUED, RUNNING), finished_at=None),
                name="simulation_finished_at",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="simulation_newest")]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"
