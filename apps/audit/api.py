"""The audit trail, to read."""

from django.db.models import QuerySet
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from apps.audit.models import AuditEvent
from apps.common.filters import StrictFilterSet

READERS = frozenset({"auditor", "administrator"})


class AuditEventSerializer(serializers.ModelSerializer):
    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "created_at",
            "actor",
            "action",
            "subject_type",
            "subject_id",
            "details",
            "request_id",
        ]


class AuditEventFilters(StrictFilterSet):
    class Meta:
        model = AuditEvent
        fields = ["action", "actor", "subject_type", "subject_id"]


class AuditEventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilters
    roles = {"list": READERS, "retrieve": READERS}

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return AuditEvent.objects.all()
