"""Score facts, and tell what would change the outcome."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.fields import StrictInteger
from apps.common.idempotency import idempotent
from apps.common.languages import language_of
from apps.scoring_engine.api import LANGUAGE, SCORERS, BesideFactsSerializer, ScoringSerializer
from apps.scoring_engine.inputs import body_schema
from apps.scoring_engine.ml.cards import LEAST_SCORE, MOST_SCORE
from apps.scoring_engine.presentation import render, render_changes
from apps.scoring_engine.services import score_caller_facts

CAUSE = "explain"


class BesideExplainedFactsSerializer(BesideFactsSerializer):
    target_score = StrictInteger(min_value=LEAST_SCORE, max_value=MOST_SCORE)


class ChangedFactSerializer(serializers.Serializer):
    fact = serializers.CharField()
    given = serializers.IntegerField()
    needed = serializers.IntegerField()


class ChangeSerializer(serializers.Serializer):
    facts = ChangedFactSerializer(many=True)
    text = serializers.CharField()
    relative_change = serializers.FloatField(help_text="Sum of |needed - given| / given over the facts.")
    score = serializers.IntegerField(help_text="With the change, by scoring again.")


class ExplainedSerializer(ScoringSerializer):
    target_score = serializers.IntegerField()
    changes = ChangeSerializer(many=True, allow_null=True, help_text="Smallest first; null for an estimator.")
    best_reachable_score = serializers.IntegerField(allow_null=True, help_text="By changes of these facts alone.")
    changes_note = serializers.CharField(allow_null=True, help_text="Why there are no changes, or not all.")


def _body_schema(segment: str) -> dict[str, Any]:
    schema = body_schema(segment)
    target = {"type": "integer", "minimum": LEAST_SCORE, "maximum": MOST_SCORE, "description": "The score to reach."}
    return schema | {"properties": schema["properties"] | {"target_score": target}, "required": ["target_score"]}


def _explain(request: Request, segment: str) -> Response:
    language = language_of(request)
    body = dict(request.data)
    given = {name: body.pop(name) for name in BesideExplainedFactsSerializer().fields if name in body}
    beside = BesideExplainedFactsSerializer(data=given)
    beside.is_valid(raise_exception=True)
    options = dict(beside.validated_data)
    target = options.pop("target_score")
    prediction = score_caller_facts(
        segment=segment, body_facts=body, **options, actor=request.user, now=timezone.now(), cause=CAUSE
    )
    changes = render_changes(prediction, target, language)
    reply = render(prediction, language) | {"target_score": target} | changes
    return Response(ExplainedSerializer(reply).data)


class ExplainIndividualView(APIView):
    roles = {"post": SCORERS}

    @extend_schema(
        operation_id="explain_individual",
        parameters=[LANGUAGE],
        request={"application/json": _body_schema("individual")},
        responses=ExplainedSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Score a person's facts, logged as any scoring, and find the smallest changes that reach a score."""
        return _explain(request, "individual")


class ExplainCompanyView(APIView):
    roles = {"post": SCORERS}

    @extend_schema(
        operation_id="explain_company",
        parameters=[LANGUAGE],
        request={"application/json": _body_schema("company")},
        responses=ExplainedSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Score a company's facts, logged as any scoring, and find the smallest changes that reach a score."""
        return _explain(request, "company")
