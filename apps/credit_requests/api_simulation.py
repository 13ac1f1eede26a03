"""Policies tried on past requests: asked for by analysts, worked off in the background."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.permissions import ANALYSTS
from apps.common.days import lender_today
from apps.common.fields import DayField, IdField, StrictChoice, StrictFlag, StrictNumber, StrictSerializer, StrictText
from apps.common.filters import StrictFilterSet
from apps.common.idempotency import idempotent
from apps.credit_requests.models import CreditRequest, Simulation
from apps.credit_requests.models.simulations import SEES_SIMULATIONS, SIMULATION_STATES
from apps.credit_requests.simulation_filters import RequestFilter
from apps.credit_requests.simulation_jobs import MOST_REQUESTS, request_simulation
from apps.policies.services import MOST_CHARACTERS


class SimulationRowSerializer(serializers.ModelSerializer):
    """A simulation, as lists show it."""

    state = serializers.CharField(help_text="queued, running, done or failed.")

    class Meta:
        model = Simulation
        fields = [
            "id",
            "state",
            "progress",
            "policy",
            "against",
            "filter",
            "on_date",
            "cost_of_funds",
            "before_bars",
            "error",
            "requested_by",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class SimulationSerializer(SimulationRowSerializer):
    """A simulation with its figures once it is done; docs/how-to/simulate-a-policy.md explains them."""

    class Meta:
        model = Simulation
        fields = [*SimulationRowSerializer.Meta.fields, "text", "result"]
        read_only_fields = fields


class RequestFilterSerializer(StrictSerializer):
    since = DayField(required=False, help_text="The first day on which a request was made.")
    until = DayField(required=False, help_text="Only before this day.")
    branch = StrictText(max_length=100, required=False, help_text="By its code.")
    product = StrictText(max_length=100, required=False, help_text="By its code.")
    channel = StrictChoice(CreditRequest.Channel.choices, required=False)


class SimulationCreateSerializer(StrictSerializer):
    policy = StrictText(
        max_length=MOST_CHARACTERS, trim_whitespace=False, help_text="The id of a policy handed in, or a text (TOML)."
    )
    against = IdField(required=False, help_text="The id of a policy; the one in force, if none is named.")
    filter = RequestFilterSerializer(required=False, help_text=f"Of the requests; the {MOST_REQUESTS:,} newest count.")
    on_date = DayField(required=False, help_text="Whose dated limits hold for both policies; today's if none is named.")
    cost_of_funds = StrictNumber(min_value=0, max_value=1, default=0.0, help_text="A ratio a year.")
    before_bars = StrictFlag(default=False, help_text="What the rules alone give, as if no bar stood.")


class SimulationFilters(StrictFilterSet):
    state = filters.ChoiceFilter(choices=[(state, state) for state in SIMULATION_STATES])


class SimulationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Nothing is decided or changed by them."""

    serializer_class = SimulationRowSerializer
    filterset_class = SimulationFilters
    roles = {"list": SEES_SIMULATIONS, "retrieve": SEES_SIMULATIONS, "create": ANALYSTS}

    def get_queryset(self) -> QuerySet[Simulation]:
        if getattr(self, "swagger_fake_view", False):
            return Simulation.objects.none()
        return Simulation.objects.visible_to(self.request.user)

    @extend_schema(responses=SimulationSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is; once it is done, its figures."""
        return Response(SimulationSerializer(self.get_object()).data)

    @extend_schema(request=SimulationCreateSerializer, responses={202: SimulationSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Queue the candidate against another policy over past requests, with the values as of then."""
        body = SimulationCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        now = timezone.now()
        simulation = request_simulation(
            policy=given["policy"],
            against=given.get("against"),
            chosen=RequestFilter(**given.get("filter", {})),
            on_date=given.get("on_date") or lender_today(now),
            cost_of_funds=given["cost_of_funds"],
            before_bars=given["before_bars"],
            actor=request.user,
            now=now,
        )
        return Response(SimulationSerializer(simulation).data, status=status.HTTP_202_ACCEPTED)
