"""The lender's policies: read them, check a text, hand in a draft, publish another person's, and try one out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import ANALYSTS, READERS
from apps.common.fields import DayField, StrictChoice, StrictSerializer, StrictText
from apps.common.filters import LanguageFilter, MomentField, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.languages import language_of
from apps.policies import services
from apps.policies.models import STATES, PolicyVersion
from apps.policies.trying import try_policy
from apps.scoring_engine.api import LANGUAGE
from apps.scoring_engine.ml.vocabulary import SEGMENTS

READS_POLICIES = READERS | {Role.ADMINISTRATOR}
PUBLISHERS = frozenset({Role.ANALYST, Role.ADMINISTRATOR})


def _choices(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class PolicyRowSerializer(serializers.Serializer):
    """A policy, as lists show it."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    version = serializers.CharField()
    segment = serializers.CharField()
    valid_from = serializers.DateField(help_text="A day of the lender's calendar.")
    digest = serializers.CharField(help_text="SHA-256 of the text.")
    origin = serializers.CharField(help_text="shipped with the engine, or registered by the lender.")
    state = serializers.CharField(help_text="draft, published or discarded.")
    made_by = serializers.IntegerField(source="made_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    checked_by = serializers.IntegerField(source="checked_by_id", allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    comment = serializers.CharField(help_text="Of whoever published or discarded it.")


class FindingSerializer(serializers.Serializer):
    severity = serializers.CharField(help_text="error bars publishing, warning does not.")
    where = serializers.CharField()
    message = serializers.CharField()


class FailureSerializer(serializers.Serializer):
    title = serializers.CharField()
    message = serializers.CharField()


class CheckedSerializer(serializers.Serializer):
    """What can be said of a policy before it is published."""

    findings = FindingSerializer(many=True)
    failed_examples = FailureSerializer(many=True, source="failures")
    examples = serializers.SerializerMethodField()
    to_confirm = serializers.SerializerMethodField(help_text="Values that were reported and not read in the act.")

    def get_examples(self, checked: services.Checked) -> int:
        return len(checked.policy.examples)

    def get_to_confirm(self, checked: services.Checked) -> list[str]:
        return checked.policy.to_confirm


class PolicySerializer(PolicyRowSerializer):
    """A policy with its text, and what the checks say of it."""

    text = serializers.CharField()
    title = serializers.SerializerMethodField(help_text="In each language.")
    checked = serializers.SerializerMethodField()

    def get_title(self, policy: PolicyVersion) -> dict[str, str]:
        return dict(services.policy_of(policy).title)

    def get_checked(self, policy: PolicyVersion) -> CheckedSerializer:
        return CheckedSerializer(services.check_policy(policy.text)).data


class TextSerializer(StrictSerializer):
    text = StrictText(
        max_length=services.MOST_CHARACTERS,
        trim_whitespace=False,
        help_text="The policy file, TOML; docs/reference/policy-format.md.",
    )


class PolicyCommentSerializer(StrictSerializer):
    comment = StrictText(max_length=2_000, help_text="Why; the record keeps it.")


class InForceSerializer(StrictSerializer):
    segment = StrictChoice(_choices(SEGMENTS))
    at = serializers.CharField(required=False)


class TrySerializer(StrictSerializer):
    facts = serializers.JSONField(help_text="By name, as a policy of the segment may speak of them.")
    assessment = serializers.JSONField(required=False, allow_null=True, default=None)
    on_date = DayField(help_text="Which day's limits hold.")


class ReasonTextSerializer(serializers.Serializer):
    code = serializers.CharField()
    text = serializers.CharField()


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]})
class FactField(serializers.JSONField):
    pass


class StepSerializer(serializers.Serializer):
    code = serializers.CharField()
    kind = serializers.CharField()
    fired = serializers.BooleanField(allow_null=True, help_text="Null where a fact that decides it is not known.")
    outcome = serializers.CharField(help_text="What the rule asks for.")
    values = serializers.DictField(child=FactField())
    missing = serializers.ListField(child=serializers.CharField())


class PolicyTermsSerializer(serializers.Serializer):
    amount = serializers.IntegerField()
    term_months = serializers.IntegerField()
    annual_rate_basis_points = serializers.IntegerField()
    instalment = serializers.IntegerField(allow_null=True)
    capped_by = serializers.ListField(child=serializers.CharField())


class TriedSerializer(serializers.Serializer):
    """What the policy would say; nothing is stored."""

    outcome = serializers.CharField()
    policy_outcome = serializers.CharField(help_text="Before a bar of the assessment turned it into refer.")
    reasons = ReasonTextSerializer(many=True)
    applicant_reasons = ReasonTextSerializer(many=True, help_text="As the applicant would be told.")
    trace = StepSerializer(many=True)
    terms = PolicyTermsSerializer(allow_null=True)
    annual_probability_of_default = serializers.FloatField(allow_null=True)
    loss_given_default = serializers.FloatField(allow_null=True)
    expected_loss = serializers.IntegerField(allow_null=True)
    bars = serializers.ListField(child=serializers.CharField())


class PolicyFilters(StrictFilterSet):
    segment = filters.ChoiceFilter(choices=_choices(SEGMENTS))
    state = filters.ChoiceFilter(choices=_choices(STATES))
    code = filters.CharFilter()
    language = LanguageFilter()


class PolicyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Policies: a draft is published by somebody other than its maker, and never changes."""

    serializer_class = PolicyRowSerializer
    filterset_class = PolicyFilters
    queryset = PolicyVersion.objects.all()
    roles = {
        "list": READS_POLICIES,
        "retrieve": READS_POLICIES,
        "in_force": READS_POLICIES,
        "create": ANALYSTS,
        "check": ANALYSTS,
        "discard": ANALYSTS,
        "try_out": ANALYSTS,
        "publish": PUBLISHERS,
    }

    @extend_schema(responses=PolicySerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(PolicySerializer(self.get_object()).data)

    @extend_schema(request=TextSerializer, responses={201: PolicySerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Hand in a draft. A text with errors, or with an example that fails, is refused with all that is wrong."""
        policy = services.draft_policy(text=_given(TextSerializer, request)["text"], actor=request.user, now=_now())
        return Response(PolicySerializer(policy).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TextSerializer, responses=CheckedSerializer)
    @action(detail=False, methods=["post"])
    def check(self, request: Request) -> Response:
        """Look through a text, and run its examples; nothing is stored."""
        return Response(CheckedSerializer(services.check_policy(_given(TextSerializer, request)["text"])).data)

    @extend_schema(request=PolicyCommentSerializer, responses=PolicySerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def publish(self, request: Request, pk: str) -> Response:
        """It decides from its day on. Its maker is refused."""
        comment = _given(PolicyCommentSerializer, request)["comment"]
        policy = services.publish_policy(policy=self.get_object(), comment=comment, actor=request.user, now=_now())
        return Response(PolicySerializer(policy).data)

    @extend_schema(request=PolicyCommentSerializer, responses=PolicySerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def discard(self, request: Request, pk: str) -> Response:
        """A draft that will not be published."""
        comment = _given(PolicyCommentSerializer, request)["comment"]
        policy = services.discard_policy(policy=self.get_object(), comment=comment, actor=request.user)
        return Response(PolicySerializer(policy).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("segment", enum=list(SEGMENTS), required=True),
            OpenApiParameter("at", OpenApiTypes.DATETIME, description="A moment in ISO 8601; now if none is given."),
        ],
        responses=PolicySerializer,
    )
    @action(detail=False, methods=["get"], url_path="in-force", filterset_class=None)
    def in_force(self, request: Request) -> Response:
        """The policy that decided at that moment, or will, by what is published now."""
        given = InForceSerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        at = given.validated_data.get("at")
        moment = _now() if at is None else _moment(at)
        return Response(PolicySerializer(services.policy_in_force(given.validated_data["segment"], moment)).data)

    @extend_schema(parameters=[LANGUAGE], request=TrySerializer, responses=TriedSerializer)
    @action(detail=True, methods=["post"], url_path="try")
    def try_out(self, request: Request, pk: str) -> Response:
        """What the policy would say of invented facts; nothing is stored."""
        language = language_of(request)
        tried = try_policy(services.policy_of(self.get_object()), **_given(TrySerializer, request), language=language)
        return Response(TriedSerializer(tried).data)


def _now() -> datetime:
    return timezone.now()


def _moment(text: str) -> datetime:
    try:
        return MomentField().clean(text)
    except ValidationError as error:
        raise serializers.ValidationError({"at": error.messages}) from None


def _given(serializer: type[StrictSerializer], request: Request) -> Mapping[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data
