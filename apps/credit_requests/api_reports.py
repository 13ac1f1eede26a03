"""Reports for those who watch over decisions."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Role
from apps.common.fields import DayField, StrictSerializer
from apps.credit_requests.reports import override_report

WATCHERS = frozenset({Role.APPROVER, Role.ANALYST, Role.AUDITOR})


class AskedForSerializer(serializers.Serializer):
    waiting = serializers.IntegerField()
    confirmed = serializers.IntegerField()
    refused = serializers.IntegerField()
    expired = serializers.IntegerField()


class DirectionSerializer(serializers.Serializer):
    direction = serializers.CharField()
    decisions = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of the decisions by people.")
    asked_for = AskedForSerializer()


class OfficerSerializer(serializers.Serializer):
    officer = serializers.IntegerField()
    username = serializers.CharField()
    branch = serializers.CharField(allow_null=True)
    decisions = serializers.IntegerField()
    low_side = serializers.IntegerField()
    high_side = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of the officer's own decisions.")


class OverrideReasonSerializer(serializers.Serializer):
    direction = serializers.CharField()
    reason_code = serializers.CharField()
    decisions = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of the decisions by people.")


class OverrideReportSerializer(serializers.Serializer):
    since = serializers.DateField()
    until = serializers.DateField(allow_null=True)
    decided_by_people = serializers.IntegerField()
    by_direction = DirectionSerializer(many=True)
    by_officer = OfficerSerializer(many=True)
    by_reason = OverrideReasonSerializer(many=True)
    loans = serializers.JSONField(allow_null=True, help_text="Null until outcomes of loans are kept.")
    loans_note = serializers.CharField()


class SpanSerializer(StrictSerializer):
    since = DayField()
    until = DayField(default=None)


class OverrideReportView(APIView):
    roles = {"get": WATCHERS}

    @extend_schema(
        operation_id="override_report",
        parameters=[
            OpenApiParameter("since", OpenApiTypes.DATE, required=True, description="The first day."),
            OpenApiParameter("until", OpenApiTypes.DATE, description="Only before this day."),
        ],
        responses=OverrideReportSerializer,
    )
    def get(self, request: Request) -> Response:
        """How often people decide otherwise than the policy, by direction, officer, reason; approvers: own branch."""
        given = SpanSerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        report = override_report(user=request.user, **given.validated_data)
        return Response(OverrideReportSerializer(report).data)
