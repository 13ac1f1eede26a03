"""Look-ups in the tax and the land register. What is stored is served; what is not is asked for once and kept."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import READERS
from apps.common.crypto import mask
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.common.fields import StrictSerializer, StrictText
from apps.common.identifiers import IdentifierError, check_inn, check_pinfl, identifier_sentence
from apps.external_integrations import services
from apps.external_integrations.keys import Key, check_key
from apps.external_integrations.models import ExternalRecord, Origin, Source
from apps.external_integrations.reading import fresh_days, is_stale, read_version


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}]})
class FactField(serializers.Field):
    """A number, or the text of a day or of a scale."""

    def to_representation(self, value: float | str) -> float | str:
        return value


class ExternalRecordSerializer(serializers.Serializer):
    """`observed_at` is the source's time, `fetched_at` the last time that it answered; ages count from the former."""

    id = serializers.UUIDField()
    source = serializers.ChoiceField(Source.choices)
    identifier = serializers.CharField(help_text="Masked.")
    origin = serializers.ChoiceField(Origin.choices)
    is_mock = serializers.BooleanField()
    observed_at = serializers.DateTimeField()
    fetched_at = serializers.DateTimeField()
    age_days = serializers.IntegerField()
    is_stale = serializers.BooleanField()
    currency = serializers.CharField(help_text="Of the facts that are sums.")
    facts = serializers.DictField(child=FactField(), help_text="Of the scoring vocabulary, by name.")
    warnings = serializers.ListField(child=serializers.CharField())


class SoliqLookupSerializer(StrictSerializer):
    """One of the two."""

    pinfl = StrictText(required=False, help_text="14 digits, of a person")
    inn = StrictText(required=False, help_text="9 digits, of a company or a trader")


class BureauLookupSerializer(StrictSerializer):
    pinfl = StrictText(help_text="14 digits, of a person")


def present(record: ExternalRecord, key: Key, now: datetime) -> dict[str, Any]:
    version = record.current
    reading = read_version(version)
    stale = is_stale(record, now=now)
    return {
        "id": record.id,
        "source": record.source,
        "identifier": mask(key.identifier),
        "origin": version.origin,
        "is_mock": version.origin == Origin.MOCK,
        "observed_at": record.observed_at,
        "fetched_at": record.checked_at,
        "age_days": max((now - record.observed_at).days, 0),
        "is_stale": stale,
        "currency": reading.currency,
        "facts": reading.facts,
        "warnings": key.warnings() + _warnings(record, stale),
    }


def _warnings(record: ExternalRecord, stale: bool) -> list[str]:
    warnings = []
    if record.current.origin == Origin.MOCK:
        warnings.append(
            f"This record was invented by the mock client (origin mock); it does not come from {record.source}."
        )
    if stale:
        days = fresh_days(record.source)
        warnings.append(f"The source last answered more than {days} days ago; a refresh is queued if it may be asked.")
    return warnings


def look_up(request: Request, source: str, identifier: str, field_name: str) -> Response:
    key = check_key(source, identifier, today=lender_today(), field_name=field_name)
    record, fetched = services.find_or_fetch_record(source=source, identifier=key.identifier, actor=request.user)
    code = status.HTTP_201_CREATED if fetched else status.HTTP_200_OK
    return Response(present(record, key, timezone.now()), status=code)


REPLIES = {200: ExternalRecordSerializer, 201: ExternalRecordSerializer}


class SoliqView(APIView):
    """The tax record of 9 digits (INN) or 14 (PINFL). 200: it was stored; 201: it was fetched now.

    For a PINFL prefer `POST /api/external/soliq/lookup/`: addresses end up in the logs of proxies.
    """

    roles = {"get": READERS}

    @extend_schema(parameters=[OpenApiParameter("inn", str, "path")], responses=REPLIES)
    def get(self, request: Request, inn: str) -> Response:
        return look_up(request, Source.SOLIQ, inn, "inn")


class SoliqLookupView(APIView):
    """The tax record of a `pinfl` or an `inn` given in the body, where no log sees it.

    It only asks: a repeat gives the same record, so it takes no Idempotency-Key.
    """

    roles = {"post": READERS}

    @extend_schema(request=SoliqLookupSerializer, responses=REPLIES)
    def post(self, request: Request) -> Response:
        given = SoliqLookupSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        name, identifier = _one_of(given.validated_data)
        return look_up(request, Source.SOLIQ, identifier, name)


def _one_of(given: dict[str, str]) -> tuple[str, str]:
    if len(given) != 1:
        sentence = identifier_sentence("inn_or_pinfl")
        raise InvalidInput.of(pinfl=sentence, inn=sentence)
    name, identifier = next(iter(given.items()))
    try:
        if name == "inn":
            check_inn(identifier)
        else:
            check_pinfl(identifier, today=lender_today())
    except IdentifierError as error:
        raise InvalidInput.of(**{name: str(error)}) from None
    return name, identifier


class BureauLookupView(APIView):
    """What the credit bureau says of a person, by a `pinfl` in the body, where no log sees it.

    It only asks: a repeat gives the same record, so it takes no Idempotency-Key.
    """

    roles = {"post": READERS}

    @extend_schema(request=BureauLookupSerializer, responses=REPLIES)
    def post(self, request: Request) -> Response:
        given = BureauLookupSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return look_up(request, Source.BUREAU, given.validated_data["pinfl"], "pinfl")


class KadastrView(APIView):
    """The land record of a parcel. 200: it was stored; 201: it was fetched now."""

    roles = {"get": READERS}

    @extend_schema(parameters=[OpenApiParameter("parcel_id", str, "path")], responses=REPLIES)
    def get(self, request: Request, parcel_id: str) -> Response:
        return look_up(request, Source.KADASTR, parcel_id, "parcel_id")
