"""/api/webhooks/: administrators say who is told; they and auditors see what became of it."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.common.fields import ShortList, StrictChoice, StrictFlag, StrictSerializer, StrictText, VersionField
from apps.common.filters import FlagFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.webhooks import services
from apps.webhooks.models import EVENT_TYPES, STATES, SUBSCRIBABLE, WebhookDelivery, WebhookEndpoint

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
LOOKERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
MOST_URL, MOST_DESCRIPTION = 500, 200


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class EndpointSerializer(serializers.ModelSerializer):
    """`delivered`, `failed` and `given_up` count attempts."""

    events = serializers.ListField(child=serializers.ChoiceField(_choices(SUBSCRIBABLE)))

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "url",
            "description",
            "events",
            "is_active",
            "version",
            "created_by",
            "created_at",
            "disabled_at",
            "disabled_why",
            "delivered",
            "failed",
            "given_up",
        ]
        read_only_fields = fields


class NewEndpointSerializer(EndpointSerializer):
    secret = serializers.CharField(read_only=True, help_text="Told this once: keep it where the receiver reads it.")

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class RotatedEndpointSerializer(NewEndpointSerializer):
    old_secret_signs_until = serializers.DateTimeField(read_only=True)

    class Meta(EndpointSerializer.Meta):
        fields = [*NewEndpointSerializer.Meta.fields, "old_secret_signs_until"]
        read_only_fields = fields


class EndpointCreateSerializer(StrictSerializer):
    url = StrictText(max_length=MOST_URL)
    description = StrictText(max_length=MOST_DESCRIPTION, allow_blank=True, default="")
    events = ShortList(child=StrictChoice(_choices(SUBSCRIBABLE)), max_length=len(SUBSCRIBABLE), allow_empty=False)


class EndpointVersionSerializer(StrictSerializer):
    version = VersionField()


class EndpointChangeSerializer(EndpointVersionSerializer):
    url = StrictText(max_length=MOST_URL, required=False)
    description = StrictText(max_length=MOST_DESCRIPTION, allow_blank=True, required=False)
    events = ShortList(
        child=StrictChoice(_choices(SUBSCRIBABLE)), max_length=len(SUBSCRIBABLE), allow_empty=False, required=False
    )
    is_active = StrictFlag(required=False)


class DeliverySerializer(serializers.ModelSerializer):
    """`event` is the webhook-id that the receiver sees."""

    type = serializers.ChoiceField(_choices(EVENT_TYPES), source="event.type", read_only=True)
    occurred_at = serializers.DateTimeField(source="event.occurred_at", read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "event",
            "type",
            "occurred_at",
            "state",
            "attempts",
            "due_at",
            "last_status",
            "last_error",
            "created_at",
            "delivered_at",
        ]
        read_only_fields = fields


class EndpointFilters(StrictFilterSet):
    is_active = FlagFilter()


class DeliveryFilters(StrictFilterSet):
    state = filters.ChoiceFilter(choices=_choices(STATES))


class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Who is told when a request is decided or referred, signed after Standard Webhooks."""

    queryset = WebhookEndpoint.objects.none()
    serializer_class = EndpointSerializer
    filterset_class = EndpointFilters
    roles = {
        "list": LOOKERS,
        "retrieve": LOOKERS,
        "deliveries": LOOKERS,
        "create": ADMINISTRATORS,
        "partial_update": ADMINISTRATORS,
        "rotate_secret": ADMINISTRATORS,
        "ping": ADMINISTRATORS,
        "redeliver": ADMINISTRATORS,
    }

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.visible_to(self.request.user)

    @extend_schema(request=EndpointCreateSerializer, responses={201: NewEndpointSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """The reply holds the secret, which nobody can read afterwards."""
        given = _given(EndpointCreateSerializer, request)
        endpoint, secret = services.create_endpoint(**given, actor=request.user, now=timezone.now())
        return _with_secret(NewEndpointSerializer, endpoint, HTTPStatus.CREATED, secret=secret)

    @extend_schema(request=EndpointChangeSerializer, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        endpoint, changes = self.get_object(), _given(EndpointChangeSerializer, request)
        version = changes.pop("version")
        endpoint = services.update_endpoint(
            endpoint=endpoint, version=version, changes=changes, actor=request.user, now=timezone.now()
        )
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(request=EndpointVersionSerializer, responses=RotatedEndpointSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    @idempotent
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """A new secret; the old one signs beside it for 24 hours."""
        endpoint, version = self.get_object(), _given(EndpointVersionSerializer, request)["version"]
        endpoint, secret, until = services.rotate_secret(
            endpoint=endpoint, version=version, actor=request.user, now=timezone.now()
        )
        return _with_secret(
            RotatedEndpointSerializer, endpoint, HTTPStatus.OK, secret=secret, old_secret_signs_until=until
        )

    @extend_schema(request=None, responses={201: DeliverySerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def ping(self, request: Request, pk: str) -> Response:
        """Send a test event, whatever the endpoint subscribed to."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        delivery = services.send_ping(endpoint=self.get_object(), actor=request.user, now=timezone.now())
        return Response(DeliverySerializer(delivery).data, status=HTTPStatus.CREATED)

    @extend_schema(responses=DeliverySerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=DeliveryFilters)
    def deliveries(self, request: Request, pk: str) -> Response:
        """What was to be sent to it, newest first."""
        rows = self._endpoint().deliveries.select_related("event")
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses=DeliverySerializer)
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery>[0-9a-f-]{36})/redeliver")
    @idempotent
    def redeliver(self, request: Request, pk: str, delivery: str) -> Response:
        """Send it now; one that was delivered is sent again, under the same webhook-id."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        found = get_object_or_404(self._endpoint().deliveries.select_related("event", "endpoint"), id=delivery)
        sent = services.redeliver(delivery=found, actor=request.user, now=timezone.now())
        return Response(DeliverySerializer(sent).data)

    def _endpoint(self) -> WebhookEndpoint:
        """Past the filters of the list, which here are those of the deliveries."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


def _given(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _with_secret(
    serializer: type[EndpointSerializer], endpoint: WebhookEndpoint, status: int, **told: str | datetime
) -> Response:
    for name, value in told.items():
        setattr(endpoint, name, value)
    return Response(serializer(endpoint).data, status=status)
