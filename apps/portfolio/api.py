"""Whether what applies, and what is decided of it, stays what it was."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Role
from apps.common.fields import DayField, StrictChoice, StrictSerializer, StrictText
from apps.portfolio.figures import NO_REFERENCE, TOO_FEW
from apps.portfolio.models.monitoring import COUNTS
from apps.portfolio.reports import FIRST_WEEKS, IN_REFERENCE, NONE, TRAINING, monitoring
from apps.scoring_engine.ml.vocabulary import SEGMENTS

WATCHERS = frozenset({Role.APPROVER, Role.ANALYST, Role.AUDITOR})
LIGHTS = ("green", "amber", "red")
SHARES = {
    "approval_rate": "Of final decisions.",
    "automatic_share": "Of final decisions, those of the policy alone.",
    "low_side_share": "Of decisions by people, those that approve what the policy declines.",
    "high_side_share": "Of decisions by people, those that decline what the policy approves.",
    "fallback_share": "Of applications.",
    "demonstration_share": "Of applications.",
    "stale_share": "Of applications that can be read.",
    "mock_share": "Of applications that can be read.",
    "thin_file_share": "Of applications that can be read.",
    "source_down_share": "Of applications that can be read.",
}


def _share(help_text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


class FiguresSerializer(serializers.Serializer):
    """Null where a share would be of nothing."""

    decisions = serializers.IntegerField(help_text="Final ones, made in these weeks.")
    median_hours = serializers.IntegerField(allow_null=True, help_text="Whole hours to the first final decision.")
    p90_hours = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        counts = {name: serializers.IntegerField() for name in COUNTS}
        shares = {name: _share(help_text) for name, help_text in SHARES.items()}
        return counts | shares | super().get_fields()


class StabilitySerializer(serializers.Serializer):
    psi = serializers.FloatField(allow_null=True, help_text="Population stability index.")
    light = serializers.ChoiceField(
        ["green", "amber", "red"], allow_null=True, help_text="Below 0.1, below 0.25, above."
    )
    psi_by_chance = serializers.FloatField(allow_null=True, help_text="What two samples of one population show.")
    why = serializers.ChoiceField(["", TOO_FEW, NO_REFERENCE, IN_REFERENCE], help_text="Why there is no PSI.")


class WeekSerializer(FiguresSerializer, StabilitySerializer):
    """Its PSI is that of the four weeks that end with it."""

    week = serializers.DateField(help_text="Its Monday, in the lender's time zone.")
    is_counted = serializers.BooleanField(help_text="False: nobody has counted it yet, and its noughts say nothing.")
    is_complete = serializers.BooleanField(help_text="Counted after it had ended.")
    counted_at = serializers.DateTimeField(allow_null=True)


class MonitoredModelSerializer(serializers.Serializer):
    digest = serializers.CharField()
    version = serializers.CharField()
    champion = serializers.IntegerField(help_text="Applications that it answered.")
    challenger = serializers.IntegerField(help_text="Applications that it scored beside the champion.")


class ReferenceSerializer(serializers.Serializer):
    kind = serializers.ChoiceField([TRAINING, FIRST_WEEKS, NONE])
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)


class BandSerializer(serializers.Serializer):
    """Scores from `from` up to below `below`; null: open."""

    below = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True)
    reference_share = serializers.FloatField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField(allow_null=True)} | super().get_fields()


class ScoreSerializer(StabilitySerializer):
    applications = serializers.IntegerField()
    reference = ReferenceSerializer()
    bands = BandSerializer(many=True)


class MonitoredBinSerializer(serializers.Serializer):
    label = serializers.CharField()
    share = serializers.FloatField(allow_null=True)
    reference_share = serializers.FloatField(allow_null=True)


class CharacteristicSerializer(StabilitySerializer):
    name = serializers.CharField()
    applications = serializers.IntegerField()
    bins = MonitoredBinSerializer(many=True)


class MonitoringSerializer(serializers.Serializer):
    segment = serializers.CharField()
    branch = serializers.CharField(allow_null=True, help_text="Null: all branches together.")
    since = serializers.DateField()
    until = serializers.DateField(help_text="The first day after the last week.")
    models = MonitoredModelSerializer(many=True)
    chosen_model = serializers.CharField(allow_null=True)
    total = FiguresSerializer()
    weeks = WeekSerializer(many=True)
    judged_model = serializers.CharField(allow_null=True, help_text="The one whose score and bins are compared.")
    score = ScoreSerializer()
    characteristics_reference = ReferenceSerializer()
    characteristics = CharacteristicSerializer(many=True)


class MonitoringQuerySerializer(StrictSerializer):
    segment = StrictChoice(SEGMENTS, default="individual")
    since = DayField(default=None)
    until = DayField(default=None)
    branch = StrictText(max_length=40, default=None)
    model = StrictText(max_length=64, default=None)


class MonitoringView(APIView):
    roles = {"get": WATCHERS}

    @extend_schema(
        operation_id="monitoring",
        parameters=[
            OpenApiParameter("segment", enum=list(SEGMENTS), description="individual, unless it is given."),
            OpenApiParameter("since", OpenApiTypes.DATE, description="From the week of this day on."),
            OpenApiParameter("until", OpenApiTypes.DATE, description="Only weeks that begin before this day."),
            OpenApiParameter("branch", description="A code. Approvers see their own branch."),
            OpenApiParameter("model", description="The digest of a card that scored in these weeks."),
        ],
        responses=MonitoringSerializer,
    )
    def get(self, request: Request) -> Response:
        """Applications, decisions and stability by week: the last twelve weeks, unless others are asked for."""
        given = MonitoringQuerySerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        told = monitoring(user=request.user, now=timezone.now(), **given.validated_data)
        return Response(MonitoringSerializer(told).data)
