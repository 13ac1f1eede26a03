"""The external records that a request rests on: facts with source and age, consents, and what contradicts what."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import READERS
from apps.common.crypto import DataErased, mask
from apps.common.days import is_storable, lender_today, start_of
from apps.common.errors import InvalidInput, NotFound
from apps.common.languages import language_of
from apps.credit_requests.contradiction_presentation import render_contradictions
from apps.credit_requests.contradictions import Subject, subject_of
from apps.credit_requests.decision_serializers import ContradictionSerializer
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.request_records import CONSENT_STATES, Known, read_records
from apps.external_integrations.api_versions import VersionFactSerializer
from apps.external_integrations.as_of import Held
from apps.external_integrations.derived import derived_facts, identifier_of, read_again
from apps.external_integrations.models import ExternalRecord, Origin, Source
from apps.scoring_engine.api import LANGUAGE

AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="A moment, or a day: what was known at its end.")
DECISION = OpenApiParameter("decision", OpenApiTypes.INT, description="By its number: what it rested on.")
PARAMETERS = frozenset({"at", "decision", "language", "format"})


class DerivedFactSerializer(VersionFactSerializer):
    source = serializers.ChoiceField(Source.choices)
    origin = serializers.ChoiceField(Origin.choices)
    observed_at = serializers.DateTimeField()
    fetched_at = serializers.DateTimeField()
    age_days = serializers.IntegerField()
    is_stale = serializers.BooleanField()


class HeldVersionSerializer(serializers.Serializer):
    """`observed_at`: the source's time; `fetched_at`: when the version came; `checked_at`: the source's last answer."""

    id = serializers.UUIDField()
    origin = serializers.ChoiceField(Origin.choices)
    is_mock = serializers.BooleanField()
    observed_at = serializers.DateTimeField()
    fetched_at = serializers.DateTimeField()
    checked_at = serializers.DateTimeField()
    age_days = serializers.IntegerField()
    is_stale = serializers.BooleanField()
    facts = DerivedFactSerializer(
        many=True, allow_null=True, help_text="Null once the data were erased, or where they cannot be read any more."
    )


class RequestRecordSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    source = serializers.ChoiceField(Source.choices)
    identifier = serializers.CharField(allow_null=True, help_text="Masked. Null once the data were erased.")
    version = HeldVersionSerializer(allow_null=True, help_text="Null while nothing was known.")
    refresh_queued = serializers.BooleanField(allow_null=True, help_text="Null of the past.")


class ConsentHeldSerializer(serializers.Serializer):
    source = serializers.ChoiceField(Source.choices)
    state = serializers.ChoiceField([(state, state) for state in CONSENT_STATES])
    expires_on = serializers.DateField(allow_null=True)


class RequestRecordsSerializer(serializers.Serializer):
    at = serializers.DateTimeField(help_text="Ages count to this moment.")
    decision = serializers.IntegerField(allow_null=True)
    rests_on_mock = serializers.BooleanField()
    records = RequestRecordSerializer(many=True)
    consents = ConsentHeldSerializer(many=True, help_text="Of a person; companies and parcels need none.")
    contradictions = ContradictionSerializer(
        many=True, allow_null=True, help_text="Null where it cannot be told any more what the applicant said then."
    )


class RequestRecordsView(APIView):
    """What was known of the request from outside: now, at a moment, or when it was decided. Readings are recorded."""

    roles = {"get": READERS}

    @extend_schema(
        operation_id="credit_request_records",
        parameters=[LANGUAGE, AT, DECISION],
        responses=RequestRecordsSerializer,
    )
    def get(self, request: Request, pk: str) -> Response:
        language, now = language_of(request), timezone.now()
        _check_parameters(request)
        found = CreditRequest.objects.visible_to(request.user).with_everything().filter(id=pk).first()
        if found is None:
            raise NotFound("There is no such credit request, or it is not yours to see.")
        at, decision = _moment(request, now), _decision(request, found)
        known = read_records(credit_request=found, actor=request.user, now=now, at=at, decision=decision)
        shown = present_known(found, known, language) | {"decision": decision and decision.number}
        return Response(RequestRecordsSerializer(shown).data)


def _check_parameters(request: Request) -> None:
    """A mistyped one must not answer of today."""
    if unknown := sorted(set(request.query_params) - PARAMETERS):
        raise InvalidInput.of(**dict.fromkeys(unknown[:5], f"Allowed are {', '.join(sorted(PARAMETERS))}."))
    if {"at", "decision"} <= set(request.query_params):
        raise InvalidInput.of(at="Give either a moment or a decision.", decision="Give either a moment or a decision.")


def _moment(request: Request, now: datetime) -> datetime | None:
    text = request.query_params.get("at")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = _end_of(date.fromisoformat(text), now) if len(text) == len("2026-03-03") else moment
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidInput.of(at="Give a day or a time in ISO 8601, like 2026-03-03 or 2026-03-03T11:00:00Z.") from None
    if not is_storable(moment) or moment > now:
        raise InvalidInput.of(at="Nothing is known of that time; allowed is a moment up to now.")
    return moment


def _end_of(day: date, now: datetime) -> datetime:
    """Of a day of the lender's; of today, now."""
    return now if day == lender_today(now) else start_of(day + timedelta(days=1)) - timedelta(microseconds=1)


def _decision(request: Request, found: CreditRequest) -> Decision | None:
    number = request.query_params.get("decision")
    if number is None:
        return None
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise InvalidInput.of(decision="Give the number of a decision, such as 1; /decisions/ lists them.")
    decision = found.decisions.select_related("data_key").filter(number=int(number)).first()
    if decision is None:
        raise NotFound("The request has no decision of this number.")
    return decision


def present_known(credit_request: CreditRequest, known: Known, language: str) -> dict[str, Any]:
    subject, currency = _subject(credit_request, known), credit_request.currency
    told = known.contradictions
    return {
        "at": known.at,
        "rests_on_mock": known.rests_on_mock,
        "records": [_record(record, held, known, subject) for record, held in known.records.items()],
        "consents": [asdict(consent) for consent in known.consents],
        "contradictions": None
        if told is None
        else render_contradictions(told, now=known.at, language=language, currency=currency),
    }


def _subject(credit_request: CreditRequest, known: Known) -> Subject | None:
    """None where it is not known by which name the applicant went then."""
    if credit_request.applicant.updated_at > known.at:
        return None
    try:
        return subject_of(credit_request)
    except DataErased:
        return None


def _record(record: ExternalRecord, held: Held | None, known: Known, subject: Subject | None) -> dict[str, Any]:
    return {
        "id": record.id,
        "source": record.source,
        "identifier": _identifier(record),
        "version": held and _version(held, known.at, subject),
        "refresh_queued": None if known.refreshes is None else record.id in known.refreshes,
    }


def _identifier(record: ExternalRecord) -> str | None:
    try:
        return mask(identifier_of(record))
    except DataErased:
        return None


def _version(held: Held, now: datetime, subject: Subject | None) -> dict[str, Any]:
    return {
        "id": held.version.id,
        "origin": held.version.origin,
        "is_mock": held.is_mock,
        "observed_at": held.observed_at,
        "fetched_at": held.version.fetched_at,
        "checked_at": held.checked_at,
        "age_days": held.age_days(now),
        "is_stale": held.is_stale(now),
        "facts": _facts(held, now, subject),
    }


def _facts(held: Held, now: datetime, subject: Subject | None) -> list[dict[str, Any]] | None:
    try:
        told = read_again(held.record, held.version)
    except DataErased:
        return None
    return None if told is None else [asdict(fact) for fact in derived_facts(held, told, now=now, subject=subject)]
