"""The history of one external record: every reply that said something new, newest first, masked."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import READERS
from apps.common.api import CursorPages
from apps.common.crypto import DataErased
from apps.common.errors import NotFound
from apps.external_integrations.as_of import Held
from apps.external_integrations.derived import derived_facts, read_again
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion, Origin
from apps.external_integrations.services import read_history


class VersionFactSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.JSONField(help_text="Names and identifiers are masked.")
    unit = serializers.CharField(help_text="Money by its currency.")


class RecordVersionSerializer(serializers.Serializer):
    """One reply. `observed_at` is the source's time, `fetched_at` the time at which it came."""

    id = serializers.UUIDField()
    origin = serializers.ChoiceField(Origin.choices)
    is_mock = serializers.BooleanField()
    is_current = serializers.BooleanField()
    observed_at = serializers.DateTimeField()
    fetched_at = serializers.DateTimeField()
    age_days = serializers.IntegerField(help_text="Since the source observed it.")
    facts = VersionFactSerializer(
        many=True, allow_null=True, help_text="Null once the data were erased, or where they cannot be read any more."
    )


class VersionPages(CursorPages):
    ordering = ("-fetched_at", "-id")


class RecordVersionsView(ListAPIView):
    """Officers and approvers: of records that a request of their branch rests on. Each reading is recorded."""

    roles = {"get": READERS}
    serializer_class = RecordVersionSerializer
    pagination_class = VersionPages
    filter_backends = ()

    @extend_schema(operation_id="external_record_versions")
    def get(self, request: Request, pk: str) -> Response:
        record = ExternalRecord.objects.visible_to(request.user).select_related("data_key").filter(id=pk).first()
        if record is None:
            raise NotFound("There is no such external record, or it is not yours to see.")
        versions = self.paginate_queryset(read_history(record=record, actor=request.user))
        shown = [present_version(record, version, timezone.now()) for version in versions]
        return self.get_paginated_response(RecordVersionSerializer(shown, many=True).data)


def present_version(record: ExternalRecord, version: ExternalRecordVersion, now: datetime) -> dict[str, Any]:
    held = Held(record, version, version.observed_at, version.fetched_at)
    copied = ("id", "origin", "observed_at", "fetched_at")
    return {name: getattr(version, name) for name in copied} | {
        "is_mock": held.is_mock,
        "is_current": version.id == record.current_id,
        "age_days": held.age_days(now),
        "facts": _facts(held, now),
    }


def _facts(held: Held, now: datetime) -> list[dict[str, Any]] | None:
    try:
        told = read_again(held.record, held.version)
    except DataErased:
        return None
    if told is None:
        return None
    facts = derived_facts(held, told, now=now, masked=True)
    return [{"name": fact.name, "value": fact.value, "unit": fact.unit} for fact in facts]
