"""Consents of people to have a source asked. They belong to a person, not to a branch: whoever knows the PINFL finds
them, as the look-ups of the sources do, and an id is learnt in no other way than by that or by recording.
"""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role, User
from apps.accounts.permissions import OFFICERS, READERS
from apps.common.crypto import DataErased
from apps.common.days import lender_today
from apps.common.fields import DayField, ShortList, StrictChoice, StrictSerializer, StrictText
from apps.common.idempotency import idempotent
from apps.external_integrations import consents
from apps.external_integrations.keys import check_key
from apps.external_integrations.models import Consent, Purpose, Source

# Who proves that there was one. An analyst needs to know that it holds, not in which paper it stands.
SEES_REFERENCE = READERS - {Role.ANALYST}
STATES = ("valid", "expired", "withdrawn", "not_yet_valid")


class ConsentSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    source = serializers.ChoiceField(Source.choices)
    purpose = serializers.ChoiceField(Purpose.choices)
    state = serializers.ChoiceField(STATES)
    given_on = serializers.DateField()
    expires_on = serializers.DateField(help_text="The last day on which it holds, in the lender's time zone.")
    reference = serializers.CharField(
        allow_null=True, help_text="Null for those who need not see it, and once the person was erased."
    )
    recorded_by = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    withdrawn_by = serializers.IntegerField(allow_null=True)


class ConsentCreateSerializer(StrictSerializer):
    pinfl = StrictText(help_text="14 digits. The person need not have a profile yet.")
    sources = ShortList(child=StrictChoice([(code, code) for code in consents.ASKING]), max_length=len(consents.ASKING))
    purpose = StrictChoice(Purpose.choices)
    given_on = DayField()
    expires_on = DayField(help_text="At most 180 days after given_on for credit_assessment, 1825 for monitoring.")
    reference = StrictText(max_length=200, help_text="The paper, form or message that the consent stands in.")


class ConsentLookupSerializer(StrictSerializer):
    pinfl = StrictText(help_text="14 digits")


def present_consent(consent: Consent, user: User) -> dict[str, Any]:
    copied = ("id", "source", "purpose", "given_on", "expires_on", "created_at", "withdrawn_at")
    return {name: getattr(consent, name) for name in copied} | {
        "state": consent.state_on(lender_today()),
        "reference": _reference(consent) if user.role in SEES_REFERENCE else None,
        "recorded_by": consent.recorded_by_id,
        "withdrawn_by": consent.withdrawn_by_id,
    }


def _reference(consent: Consent) -> str | None:
    try:
        return consent.opened()["reference"]
    except DataErased:
        return None


class ConsentViewSet(GenericViewSet):
    """Whether a person allows Soliq or the credit bureau to be asked, for which purpose, and until when."""

    serializer_class = ConsentSerializer
    roles = {"create": OFFICERS, "lookup": READERS, "retrieve": READERS, "withdraw": OFFICERS}

    def get_queryset(self) -> QuerySet[Consent]:
        return Consent.objects.select_related("data_key")

    @extend_schema(responses=ConsentSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(present_consent(self.get_object(), request.user))

    @extend_schema(request=ConsentCreateSerializer, responses={201: ConsentSerializer(many=True)})
    @idempotent
    def create(self, request: Request) -> Response:
        """Record what the person signed: one consent a source."""
        given = ConsentCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = consents.record_consent(**given.validated_data, actor=request.user, now=timezone.now())
        return Response([present_consent(each, request.user) for each in made], status=status.HTTP_201_CREATED)

    @extend_schema(request=ConsentLookupSerializer, responses=ConsentSerializer(many=True))
    @action(detail=False, methods=["post"])
    def lookup(self, request: Request) -> Response:
        """All consents of the person with this PINFL, the newest first. It only asks, and takes no Idempotency-Key."""
        given = ConsentLookupSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key = check_key(Source.BUREAU, given.validated_data["pinfl"], today=lender_today(), field_name="pinfl")
        return Response([present_consent(each, request.user) for each in consents.consents_of(key.identifier)])

    @extend_schema(request=None, responses=ConsentSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, pk: str) -> Response:
        """The person allows it no longer. Nothing is asked from now on; what is stored stays, and grows old."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        consent = consents.withdraw_consent(consent=self.get_object(), actor=request.user, now=timezone.now())
        return Response(present_consent(consent, request.user))
