"""Who is told of events, which events there were, and what became of telling each of them: the outbox of webhooks."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Role, User
from apps.common.models import DataKey

DECIDED, REFERRED, PING = EVENT_TYPES = ("credit_request.decided", "credit_request.referred", "ping")
SUBSCRIBABLE = (DECIDED, REFERRED)  # a ping goes to the one endpoint that it tests
WAITING, DELIVERED, GIVEN_UP = STATES = ("waiting", "delivered", "given_up")
BY_A_PERSON, GONE = REASONS = ("by_a_person", "gone")
# refused: a 4xx. failed: a 5xx. The last two: our own rules, before anything was sent.
FAULTS = (
    "timeout", "unreachable", "redirected", "refused", "failed", "gone", "host_not_allowed", "address_not_allowed",
)  # fmt: skip
MOST_ATTEMPTS = 10


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class WebhookEndpointQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        return self if user.role in (Role.ADMINISTRATOR, Role.AUDITOR) else self.none()


class WebhookEndpoint(models.Model):
    """An address that is told. `sealed` holds [{secret, signs_until}], the newest secret first, without an end.

    The counts are of attempts: they live here and not in a process, so that any process can tell them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    events = models.JSONField(default=list)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=12, choices=_choices(REASONS), blank=True, default="")
    delivered = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    given_up = models.PositiveBigIntegerField(default=0)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(url__startswith="https://") | Q(url__startswith="http://"), name="webhook_endpoint_url"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, disabled_at=None, disabled_why="")
                | Q(is_active=False, disabled_at__isnull=False, disabled_why__in=REASONS),
                name="webhook_endpoint_disabled",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="webhook_endpoint_version"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def context(self) -> str:
        return f"webhook_endpoint:{self.id}"


class WebhookEvent(models.Model):
    """What happened. Insert-only; `payload` holds opaque ids and codes, never personal data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=60, choices=_choices(EVENT_TYPES))
    occurred_at = models.DateTimeField()
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(type__in=EVENT_TYPES), name="webhook_event_type")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class WebhookDelivery(models.Model):
    """One event for one endpoint.

    `due_at` is the lease too: whoever takes a waiting row up moves it into the future, so that it comes due again by
    itself should they die. `attempts` are those since it was last asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(WebhookEvent, on_delete=models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=10, choices=_choices(STATES), default=WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=20, choices=_choices(FAULTS), blank=True, default="")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once_per_endpoint"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="webhook_delivery_state"),
            models.CheckConstraint(
                condition=Q(attempts__gte=0, attempts__lte=MOST_ATTEMPTS), name="webhook_delivery_attempts"
            ),
            models.CheckConstraint(
                condition=Q(state=DELIVERED, delivered_at__isnull=False, last_error="")
                | (~Q(state=DELIVERED) & Q(delivered_at=None)),
                name="webhook_delivery_delivered_at",
            ),
            models.CheckConstraint(condition=Q(last_error__in=("", *FAULTS)), name="webhook_delivery_error"),
            models.CheckConstraint(
                condition=Q(last_status=None) | Q(last_status__gte=100, last_status__lte=599),
                name="webhook_delivery_status",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], condition=Q(state=WAITING), name="webhook_delivery_due"),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id} ({self.state})"
