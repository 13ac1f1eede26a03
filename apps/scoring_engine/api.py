"""Score facts, ask what the card in service wants, and read the log of predictions."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import READERS
from apps.common.errors import NotFound
from apps.common.fields import ShortList, StrictSerializer
from apps.common.filters import LanguageFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.languages import LANGUAGES, PARAMETER, language_of
from apps.common.money import CURRENCIES, CURRENCY_CHOICES
from apps.scoring_engine.inputs import body_schema, describe_inputs
from apps.scoring_engine.ml.vocabulary import FACTS, SEGMENTS
from apps.scoring_engine.models import MODES, ROLES, PredictionLog
from apps.scoring_engine.presentation import render, render_record, summarise
from apps.scoring_engine.services import score_caller_facts

SCORERS = frozenset({Role.OFFICER, Role.ANALYST})
LANGUAGE = OpenApiParameter(
    PARAMETER, enum=LANGUAGES, description="Of the reasons; without it Accept-Language decides, then the installation."
)


class BesideFactsSerializer(StrictSerializer):
    """What a body to score may hold beside its facts."""

    currency = serializers.ChoiceField(
        CURRENCY_CHOICES,
        required=False,
        error_messages={"invalid_choice": f"Allowed are {', '.join(CURRENCIES)}."},
    )
    unavailable = ShortList(
        child=serializers.JSONField(), required=False, max_length=max(len(facts) for facts in FACTS.values())
    )


class HorizonSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="contract (the loan's own term) or fixed.")
    months = serializers.IntegerField()


class SummarySerializer(serializers.Serializer):
    """A scoring without personal facts."""

    prediction_id = serializers.UUIDField()
    segment = serializers.CharField()
    score = serializers.IntegerField(help_text="Higher is safer; 400 is even odds, and 50 points double them.")
    probability_of_default = serializers.FloatField(help_text="Within the horizon.")
    horizon = HorizonSerializer()
    grade = serializers.CharField(help_text="A to G, by the probability of default within one year.")
    grades_version = serializers.CharField()
    mode = serializers.CharField(help_text="model, or fallback when the expert card had to take over.")
    mode_reason = serializers.CharField(allow_null=True)
    purpose = serializers.CharField(help_text="demonstration: learnt on other people's customers; or own.")
    model_version = serializers.CharField()
    model_digest = serializers.CharField()
    base_points = serializers.IntegerField()
    reference_score = serializers.IntegerField()
    currency = serializers.CharField()


class ImpactSerializer(serializers.Serializer):
    feature = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    points = serializers.IntegerField()
    reference_points = serializers.IntegerField()
    impact = serializers.IntegerField(help_text="points - reference_points")
    code = serializers.CharField()
    reason = serializers.CharField()


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    feature = serializers.CharField()
    text = serializers.CharField(help_text="A sentence for the applicant, in the reply's language.")
    impact = serializers.IntegerField(help_text="Always negative.")


class WarningSerializer(serializers.Serializer):
    code = serializers.CharField()
    fact = serializers.CharField()
    message = serializers.CharField()


class ScoringSerializer(SummarySerializer):
    """The reply to a scoring; reference_score plus the sum of the impacts is the score, exactly."""

    definition_of_bad = serializers.CharField()
    language = serializers.ChoiceField([(code, code) for code in LANGUAGES], help_text="Of the reasons.")
    reasons = ReasonSerializer(
        many=True,
        allow_null=True,
        help_text="For the applicant: at most four, most harmful first; empty when nothing counts against them.",
    )
    explanation = ImpactSerializer(many=True, allow_null=True, help_text="All of it, most harmful first.")
    warnings = WarningSerializer(many=True, allow_null=True)
    note = serializers.CharField(required=False, help_text="Only when the personal data were erased.")


class LogFieldsSerializer(serializers.Serializer):
    created_at = serializers.DateTimeField()
    request_id = serializers.UUIDField(allow_null=True, help_text="The credit request, if the scoring was of one.")
    cause = serializers.CharField()
    role = serializers.CharField(help_text="champion: it answered; challenger: it scored beside, and decided nothing.")
    beside = serializers.UUIDField(allow_null=True, help_text="Of a challenger's: the champion's scoring.")
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    branch = serializers.CharField(source="branch.code", default=None, allow_null=True)


class LogRowSerializer(SummarySerializer, LogFieldsSerializer):
    """A row of the log, as lists show it."""


class RecordedFactSerializer(serializers.Serializer):
    """A fact as it was scored, and where it came from."""

    value = serializers.JSONField(allow_null=True)
    source = serializers.CharField()
    at = serializers.DateTimeField(help_text="The source's time.")
    origin = serializers.CharField(required=False, help_text="Of an external record: mock or http.")
    is_stale = serializers.BooleanField(required=False, help_text="Of an external record: not renewed for too long.")


class LogRecordSerializer(ScoringSerializer, LogFieldsSerializer):
    """A row of the log whole: the reply of the time, and the facts it rested on with source and time of each."""

    as_of = serializers.DateField(allow_null=True)
    facts = serializers.DictField(child=RecordedFactSerializer(), allow_null=True, help_text="By name.")
    unavailable = serializers.ListField(child=serializers.CharField(), allow_null=True)
    missing_required = serializers.ListField(child=serializers.CharField(), allow_null=True)


@extend_schema_field(OpenApiTypes.NUMBER)
class BoundField(serializers.Field):
    """A whole number stays one: 0, not 0.0."""

    def to_representation(self, value: int | float) -> int | float:
        return value


class FactSerializer(serializers.Serializer):
    name = serializers.CharField()
    kind = serializers.CharField(help_text="money, integer, number, flag, category or date.")
    unit = serializers.CharField()
    least = BoundField(allow_null=True)
    most = BoundField(allow_null=True)
    values = serializers.ListField(child=serializers.CharField(), help_text="Of a category.")
    meaning = serializers.CharField()


class InputSerializer(FactSerializer):
    required = serializers.BooleanField(help_text="Without it the facts are scored, with a warning.")
    special_codes = serializers.DictField(child=serializers.CharField())
    scale = serializers.CharField(allow_null=True, help_text="The scale that the card knows of a bureau's score.")


class InputsSerializer(serializers.Serializer):
    segment = serializers.CharField()
    model_version = serializers.CharField()
    model_digest = serializers.CharField()
    mode = serializers.CharField()
    mode_reason = serializers.CharField(allow_null=True)
    purpose = serializers.CharField()
    definition_of_bad = serializers.CharField()
    horizon = HorizonSerializer()
    base_points = serializers.IntegerField()
    reference_score = serializers.IntegerField()
    inputs = InputSerializer(many=True)
    other_facts = FactSerializer(many=True, help_text="Accepted, recorded, and not used by this card.")


def _score(request: Request, segment: str) -> Response:
    language = language_of(request)
    body = dict(request.data)
    beside = _checked_beside({name: body.pop(name) for name in ("currency", "unavailable") if name in body})
    prediction = score_caller_facts(segment=segment, body_facts=body, **beside, actor=request.user, now=timezone.now())
    # Plain already: the serializer, which describes the reply, would take longer to copy it than scoring takes.
    return Response(render(prediction, language))


def _checked_beside(given: dict[str, Any]) -> dict[str, Any]:
    if not given:
        # Most calls: the serializer, which would find nothing to check, is slow to make.
        return {}
    beside = BesideFactsSerializer(data=given)
    beside.is_valid(raise_exception=True)
    return beside.validated_data


class ScoreIndividualView(APIView):
    roles = {"post": SCORERS}

    @extend_schema(
        operation_id="score_individual",
        parameters=[LANGUAGE],
        request={"application/json": body_schema("individual")},
        responses=ScoringSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Score a person's facts and log it. A computation, so the reply is 200; no credit request is made."""
        return _score(request, "individual")


class ScoreCompanyView(APIView):
    roles = {"post": SCORERS}

    @extend_schema(
        operation_id="score_company",
        parameters=[LANGUAGE],
        request={"application/json": body_schema("company")},
        responses=ScoringSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Score a company's facts and log it. A computation, so the reply is 200; no credit request is made."""
        return _score(request, "company")


class ScoreSchemaView(APIView):
    """The inputs of the card in service: units, bounds, required or optional, special codes."""

    roles = {"get": READERS}

    @extend_schema(operation_id="score_schema", responses=InputsSerializer)
    def get(self, request: Request, segment: str) -> Response:
        if segment not in SEGMENTS:
            raise NotFound(f"There is no such segment; there are {' and '.join(SEGMENTS)}.")
        return Response(InputsSerializer(describe_inputs(segment)).data)


class PredictionLogFilter(StrictFilterSet):
    segment = filters.ChoiceFilter(choices=[(value, value) for value in SEGMENTS])
    mode = filters.ChoiceFilter(choices=[(value, value) for value in MODES])
    role = filters.ChoiceFilter(choices=[(value, value) for value in ROLES])
    request_id = filters.UUIDFilter()
    language = LanguageFilter()

    class Meta:
        model = PredictionLog
        fields = ["segment", "mode", "role", "cause", "model_version", "request_id"]


class PredictionLogViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Every scoring, whoever asked for it; nothing here can be changed."""

    serializer_class = LogRowSerializer
    filterset_class = PredictionLogFilter
    queryset = PredictionLog.objects.none()
    roles = {"list": READERS, "retrieve": READERS}

    def get_queryset(self) -> QuerySet[PredictionLog]:
        rows = PredictionLog.objects.visible_to(self.request.user).select_related("branch")
        return rows.defer("sealed") if self.action == "list" else rows.select_related("data_key")

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = [_log_fields(prediction) | summarise(prediction) for prediction in page]
        return self.get_paginated_response(LogRowSerializer(rows, many=True).data)

    @extend_schema(parameters=[LANGUAGE], responses=LogRecordSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        language = language_of(request)
        prediction = self.get_object()
        return Response(LogRecordSerializer(_log_fields(prediction) | render_record(prediction, language)).data)


def _log_fields(prediction: PredictionLog) -> dict[str, Any]:
    names = ("created_at", "request_id", "cause", "role", "beside", "actor_id", "branch")
    return {name: getattr(prediction, name) for name in names}
