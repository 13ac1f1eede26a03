"""Score many applicants in one call."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import FieldProblem, NotFound
from apps.common.fields import StrictChoice, StrictFlag, StrictSerializer
from apps.common.idempotency import idempotent
from apps.common.languages import language_of
from apps.scoring_engine.api import LANGUAGE, SCORERS, ImpactSerializer, SummarySerializer, WarningSerializer
from apps.scoring_engine.bulk import MOST_APPLICANTS, Outcome, placed, score_applicants
from apps.scoring_engine.ml.vocabulary import SEGMENTS, shown
from apps.scoring_engine.presentation import render_opened, summarise

MOST_BYTES = 16 << 20


@extend_schema_field({"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": MOST_APPLICANTS})
class ApplicantsField(serializers.Field):
    """Each is what a body to score one may hold; they are read one by one by the service."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError(f"A list is needed; {shown(data)} was given.")
        if not 1 <= len(data) <= MOST_APPLICANTS:
            raise serializers.ValidationError(
                f"{len(data)} applicants were given; allowed are 1 to {MOST_APPLICANTS} in one call."
            )
        return data

    def to_representation(self, value: list[Any]) -> list[Any]:
        return value


class BulkBodySerializer(StrictSerializer):
    applicants = ApplicantsField(help_text=f"1 to {MOST_APPLICANTS} objects, each as the body to score one.")
    errors = StrictChoice(
        [("all", "all"), ("rows", "rows")],
        default="all",
        help_text="all: one refused applicant refuses the call. rows: the others are scored, and it has its errors.",
    )
    explanation = StrictFlag(default=False, help_text="Whether each scoring comes with its explanation.")


class ProblemSerializer(serializers.Serializer):
    field = serializers.CharField()
    message = serializers.CharField()


class BulkRowSerializer(SummarySerializer):
    """A scoring, or errors in its place."""

    place = serializers.IntegerField(help_text="Of the applicant in the body, from 0.")
    definition_of_bad = serializers.CharField(help_text="Only with explanation.")
    explanation = ImpactSerializer(many=True, help_text="Only with explanation.")
    warnings = WarningSerializer(many=True)
    errors = ProblemSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name == "place"
        return fields


class BulkSerializer(serializers.Serializer):
    scored = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkRowSerializer(many=True, help_text="In the order of the applicants.")


class ScoreBulkView(APIView):
    roles = {"post": SCORERS}
    max_body_bytes = MOST_BYTES

    @extend_schema(
        operation_id="score_bulk", parameters=[LANGUAGE], request=BulkBodySerializer, responses=BulkSerializer
    )
    @idempotent
    def post(self, request: Request, segment: str) -> Response:
        """Score up to 10,000 applicants and log them, in one transaction. The body may be 16 MiB."""
        language = language_of(request)
        if segment not in SEGMENTS:
            raise NotFound(f"There is no such segment; there are {' and '.join(SEGMENTS)}.")
        body = BulkBodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        outcomes = score_applicants(
            segment=segment,
            applicants=asked["applicants"],
            actor=request.user,
            now=timezone.now(),
            refuse_all=asked["errors"] == "all",
        )
        return Response(_reply(outcomes, language if asked["explanation"] else None))


def _reply(outcomes: Sequence[Outcome], language: str | None) -> dict[str, Any]:
    """Explained in `language`, if any. Plain, without serializers: they would take longer than scoring and logging."""
    results = [_result(place, outcome, language) for place, outcome in enumerate(outcomes)]
    refused = sum("errors" in result for result in results)
    return {"scored": len(results) - refused, "refused": refused, "results": results}


def _result(place: int, outcome: Outcome, language: str | None) -> dict[str, Any]:
    if isinstance(outcome, list):
        return {"place": place, "errors": [_problem(each) for each in placed(outcome, place)]}
    if language:
        return {"place": place} | render_opened(outcome.row, outcome.opened(), language)
    return {"place": place} | summarise(outcome.row) | {"warnings": outcome.warnings}


def _problem(problem: FieldProblem) -> dict[str, str]:
    return {"field": problem.field, "message": problem.message}
