"""The registry of models: read it, register, validate, and change what is in service."""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import ANALYSTS, READERS, WITHDRAWERS
from apps.common.fields import ShortList, StrictChoice, StrictFlag, StrictSerializer, StrictText
from apps.common.filters import MomentFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.scoring_engine import promotion
from apps.scoring_engine.ml.risk_model import MOST_BYTES
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import KINDS, ROLES, STATES, ModelAssignment, ModelValidation, ModelVersion
from apps.scoring_engine.registration import register_model
from apps.scoring_engine.validation import record_validation

READS_MODELS = READERS | {Role.ADMINISTRATOR}
MOST_UPLOADED = MOST_BYTES // 3 * 4 + (1 << 20)  # in base64, with its manifest beside it
MOST_FIGURES = 4 << 20
MOST_TYPES = 200


def _choices(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class DocumentField(serializers.JSONField):
    """A file's JSON object, whole; docs/how-to/validate-a-model.md and the model's recipe say what is in it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("It must be a JSON object.")
        return data


class ModelRowSerializer(serializers.Serializer):
    """A registered model, as lists show it."""

    id = serializers.UUIDField()
    segment = serializers.CharField()
    version = serializers.CharField()
    kind = serializers.CharField(help_text="scorecard or estimator.")
    origin = serializers.CharField(help_text="shipped with the engine, or registered by the lender.")
    state = serializers.CharField(help_text="draft, validated, champion, challenger or retired.")
    since = serializers.DateTimeField(help_text="Of the last change of the state.")
    created_at = serializers.DateTimeField()
    sha256 = serializers.CharField(source="file_id", help_text="Of the file.")
    model_digest = serializers.CharField(source="card_id", help_text="Of the document, as scorings name it.")
    types = serializers.ListField(child=serializers.CharField(), help_text="What reading an estimator's file loads.")
    on_own_data = serializers.BooleanField(help_text="Validated on the lender's own data, and it passed.")
    made_by = serializers.IntegerField(source="made_by_id", allow_null=True)
    checked_by = serializers.IntegerField(source="checked_by_id", allow_null=True)


class AssignmentSerializer(serializers.Serializer):
    """From `started_at` on the model, or nobody, has the role."""

    id = serializers.IntegerField()
    segment = serializers.CharField()
    role = serializers.CharField(help_text="champion or challenger.")
    model = serializers.UUIDField(source="model_id", allow_null=True)
    model_version = serializers.CharField(source="model.version", default=None, allow_null=True)
    model_digest = serializers.CharField(source="model.card_id", default=None, allow_null=True)
    started_at = serializers.DateTimeField()
    action = serializers.CharField(help_text="promote, challenge, rollback or retire.")
    actor = serializers.IntegerField(source="actor_id", allow_null=True, help_text="Nobody when the engine did it.")
    reason = serializers.CharField()


class ValidationSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    validator = serializers.IntegerField(source="validator_id")
    created_at = serializers.DateTimeField()
    passed = serializers.BooleanField()
    on_own_data = serializers.BooleanField()
    gates_passed = serializers.BooleanField(allow_null=True, help_text="Null when the figures state no gate.")
    comment = serializers.CharField()
    figures = DocumentField(help_text="The validation.json of validate_model.")


class ModelSerializer(ModelRowSerializer):
    """A registered model with its manifest, which holds the figures of training, and its own history, newest first."""

    manifest = DocumentField()
    validations = ValidationSerializer(many=True)
    assignments = AssignmentSerializer(many=True)


class Base64Field(StrictText):
    """Bytes, as standard base64 text."""

    def to_internal_value(self, data: Any) -> bytes:
        try:
            return base64.b64decode(super().to_internal_value(data), validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("It is not standard base64; encode the bytes of the file so.") from None


class RegisterSerializer(StrictSerializer):
    file = Base64Field(trim_whitespace=False, help_text=f"A .joblib file of at most {MOST_BYTES >> 20} MiB, in base64.")
    manifest = DocumentField(help_text="What training wrote beside it, or the lender wrote of an estimator.")


class ReasonSerializer(StrictSerializer):
    reason = StrictText(max_length=2_000, help_text="Why; the history keeps it.")


class RollbackSerializer(ReasonSerializer):
    segment = StrictChoice(_choices(SEGMENTS))


class ValidateSerializer(StrictSerializer):
    figures = DocumentField(help_text="The validation.json of validate_model, made of this very file.")
    passed = StrictFlag(help_text="Only with all its acceptance gates, of which there must be some.")
    on_own_data = StrictFlag(help_text="Whether the data were of the lender's own customers.")
    comment = StrictText(max_length=2_000)
    types_seen = ShortList(
        child=StrictText(max_length=200),
        max_length=MOST_TYPES,
        default=list,
        help_text="Of an estimator that passes: the types of the model, looked at and allowed to load.",
    )


class ModelFilters(StrictFilterSet):
    segment = filters.ChoiceFilter(choices=_choices(SEGMENTS))
    state = filters.ChoiceFilter(choices=_choices(STATES))
    kind = filters.ChoiceFilter(choices=_choices(KINDS))


class HistoryFilters(StrictFilterSet):
    """`at`: only what was in force at that moment, at most one row of each segment and role."""

    segment = filters.ChoiceFilter(choices=_choices(SEGMENTS))
    role = filters.ChoiceFilter(choices=_choices(ROLES))
    at = MomentFilter(method="in_force")

    def in_force(self, rows: QuerySet[ModelAssignment], name: str, moment: datetime) -> QuerySet[ModelAssignment]:
        return rows & ModelAssignment.objects.in_force(moment)


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Models: a draft is validated by somebody else, then champion or challenger, then retired."""

    serializer_class = ModelRowSerializer
    filterset_class = ModelFilters
    queryset = ModelVersion.objects.none()
    roles = {
        "list": READS_MODELS,
        "retrieve": READS_MODELS,
        "history": READS_MODELS,
        "create": ANALYSTS,
        "validate": ANALYSTS,
        "promote": ANALYSTS,
        "challenge": ANALYSTS,
        "retire": WITHDRAWERS,
        "rollback": WITHDRAWERS,
    }

    @property
    def max_body_bytes(self) -> int:
        return {"create": MOST_UPLOADED, "validate": MOST_FIGURES}.get(self.action, settings.MAX_BODY_BYTES)

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return ModelVersion.objects.defer("manifest")

    def paginate_queryset(self, queryset: QuerySet[Any]) -> list[Any] | None:
        if self.action == "history":
            self.paginator.ordering = ("-started_at", "-id")
        return super().paginate_queryset(queryset)

    @extend_schema(responses=ModelSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._reply(self.get_object())

    @extend_schema(request=RegisterSerializer, responses={201: ModelSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a file as a draft. Nothing in it is loaded; somebody else has to validate it."""
        given = _given(RegisterSerializer, request)
        model = register_model(content=given["file"], manifest=given["manifest"], actor=request.user)
        return self._reply(model, status.HTTP_201_CREATED)

    @extend_schema(responses=AssignmentSerializer(many=True))
    @action(detail=False, methods=["get"], filterset_class=HistoryFilters)
    def history(self, request: Request) -> Response:
        """What was in service from when on, newest first; with `at`, which models were in force at that moment."""
        rows = self.filter_queryset(ModelAssignment.objects.select_related("model"))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(AssignmentSerializer(page, many=True).data)

    @extend_schema(request=ValidateSerializer, responses=ModelSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def validate(self, request: Request, pk: str) -> Response:
        """Record what a validator found; the maker of a model is refused."""
        model = self.get_object()
        record_validation(model=model, **_given(ValidateSerializer, request), actor=request.user)
        return self._reply(model)

    @extend_schema(request=ReasonSerializer, responses=ModelSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def promote(self, request: Request, pk: str) -> Response:
        """Make it the champion; the one until now retires."""
        return self._changed(promotion.promote_model, request)

    @extend_schema(request=ReasonSerializer, responses=ModelSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def challenge(self, request: Request, pk: str) -> Response:
        """Let it score beside the champion; it decides nothing."""
        return self._changed(promotion.challenge, request)

    @extend_schema(request=ReasonSerializer, responses=ModelSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def retire(self, request: Request, pk: str) -> Response:
        """Take it out of service; without a champion the expert card scores, and says so."""
        return self._changed(promotion.retire_model, request)

    @extend_schema(request=RollbackSerializer, responses=AssignmentSerializer)
    @action(detail=False, methods=["post"])
    @idempotent
    def rollback(self, request: Request) -> Response:
        """The champion before this one serves again, in every process from the next scoring on."""
        assignment = promotion.rollback_champion(**_given(RollbackSerializer, request), actor=request.user)
        return Response(AssignmentSerializer(assignment).data)

    def _changed(self, change: Callable[..., Any], request: Request) -> Response:
        model = self.get_object()
        change(model=model, **_given(ReasonSerializer, request), actor=request.user)
        return self._reply(model)

    def _reply(self, model: ModelVersion, code: int = status.HTTP_200_OK) -> Response:
        newest_first = Prefetch("validations", ModelValidation.objects.order_by("-created_at"))
        history = Prefetch("assignments", ModelAssignment.objects.select_related("model").order_by("-id"))
        whole = ModelVersion.objects.prefetch_related(newest_first, history).get(id=model.id)
        return Response(ModelSerializer(whole).data, status=code)


def _given(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data
