"""Decisions over the API: the policy speaks, people decide, a second person agrees, and everything is told again."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import OFFICERS, READERS
from apps.common.api import CursorPages
from apps.common.fields import (
    IdField,
    MoneyField,
    StrictChoice,
    StrictFlag,
    StrictInteger,
    StrictSerializer,
    StrictText,
)
from apps.common.filters import LanguageFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.languages import language_of
from apps.credit_requests import deciding, overriding
from apps.credit_requests.api import CreditRequestSerializer, VersionSerializer, requests_to_show
from apps.credit_requests.decision_presentation import render_evaluation
from apps.credit_requests.decision_serializers import (
    DecisionRecordSerializer,
    EvaluationSerializer,
    HistoryStepSerializer,
    OverrideSerializer,
    RegisterAnswerSerializer,
)
from apps.credit_requests.history import history_of
from apps.credit_requests.models import MOST_TERM, CreditRequest, Decision, Override
from apps.credit_requests.models.decisions import APPROVE, DECLINE, REGISTERS, STATES
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.transitions import DECIDERS
from apps.scoring_engine.api import LANGUAGE

MOST_COMMENT = 2_000
APPROVERS = frozenset({Role.APPROVER})


class SaidSerializer(StrictSerializer):
    comment = StrictText(max_length=MOST_COMMENT, help_text="Why; the record keeps it, sealed.")


class ReferSerializer(VersionSerializer, SaidSerializer):
    pass


class ReviewSerializer(VersionSerializer):
    reason = StrictText(max_length=MOST_COMMENT, help_text="Why people should look again.")


class OfferSerializer(StrictSerializer):
    """Less than what was asked for. The rate is what the policy says for these terms."""

    amount = MoneyField(min_value=1, required=False)
    term_months = StrictInteger(min_value=1, max_value=MOST_TERM, required=False)


class DeclineSerializer(VersionSerializer, SaidSerializer):
    """`prediction`: the one that was looked at; when another one is current, 409."""

    prediction = IdField()
    reason_code = StrictText(
        max_length=40, default="", help_text="One of the policy's list; needed where the policy says otherwise."
    )


class ApproveSerializer(DeclineSerializer):
    terms = OfferSerializer(required=False)


class AnswerSerializer(StrictSerializer):
    register = StrictChoice([(name, name) for name in REGISTERS])
    is_listed = StrictFlag()


def _read(kind: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


@extend_schema(parameters=[LANGUAGE])
class DecisionViewSet(GenericViewSet):
    """What may be decided of a request, and what was."""

    serializer_class = CreditRequestSerializer
    filter_backends = ()
    pagination_class = None
    roles = {
        "decide": OFFICERS,
        "refer": OFFICERS,
        "review": DECIDERS,
        "approve": DECIDERS,
        "decline": DECIDERS,
        "register_answers": DECIDERS,
        "decisions": READERS,
        "overrides": READERS,
        "policy": READERS,
        "history": READERS,
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        language_of(request)  # a language that there is not must leave nothing done

    def get_queryset(self) -> QuerySet[CreditRequest]:
        if getattr(self, "swagger_fake_view", False):
            return CreditRequest.objects.none()
        return requests_to_show(self.request.user)

    def _reply(self, credit_request: CreditRequest) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(id=credit_request.id)).data)

    @extend_schema(request=VersionSerializer, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def decide(self, request: Request, pk: str) -> Response:
        """Ask the policy in force. It approves, declines or refers; a request that changed is scored anew first."""
        credit_request = self.get_object()
        given = _read(VersionSerializer, request)
        deciding.decide_by_policy(credit_request=credit_request, **given, actor=request.user, now=timezone.now())
        return self._reply(credit_request)

    @extend_schema(request=ReferSerializer, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def refer(self, request: Request, pk: str) -> Response:
        """Leave a pending request to people, without asking the policy."""
        credit_request = self.get_object()
        given = _read(ReferSerializer, request)
        deciding.refer_request(credit_request=credit_request, **given, actor=request.user, now=timezone.now())
        return self._reply(credit_request)

    @extend_schema(request=ReviewSerializer, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def review(self, request: Request, pk: str) -> Response:
        """Send back to people what was approved or rejected."""
        credit_request = self.get_object()
        given = _read(ReviewSerializer, request)
        deciding.review_request(credit_request=credit_request, **given, actor=request.user, now=timezone.now())
        return self._reply(credit_request)

    @extend_schema(request=ApproveSerializer, responses={200: CreditRequestSerializer, 202: OverrideSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a referred request. 202: it waits for a second person, see /api/overrides/."""
        return self._judge(request, APPROVE, ApproveSerializer)

    @extend_schema(request=DeclineSerializer, responses={200: CreditRequestSerializer, 202: OverrideSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a referred request. 202: it waits for a second person, see /api/overrides/."""
        return self._judge(request, DECLINE, DeclineSerializer)

    def _judge(self, request: Request, outcome: str, kind: type[DeclineSerializer]) -> Response:
        credit_request = self.get_object()
        given = _read(kind, request)
        decided = overriding.decide_by_person(
            credit_request=credit_request,
            version=given["version"],
            prediction_id=given["prediction"],
            outcome=outcome,
            terms=given.get("terms"),
            reason_code=given["reason_code"],
            comment=given["comment"],
            actor=request.user,
            now=timezone.now(),
        )
        if isinstance(decided, Decision):
            return self._reply(credit_request)
        return Response(OverrideSerializer(decided).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=AnswerSerializer, responses={201: RegisterAnswerSerializer})
    @action(detail=True, methods=["post"], url_path="register-answers")
    @idempotent
    def register_answers(self, request: Request, pk: str) -> Response:
        """Note what a register without a client of its own was read to say."""
        credit_request = self.get_object()
        given = _read(AnswerSerializer, request)
        answer = record_register_answer(credit_request=credit_request, **given, actor=request.user, now=timezone.now())
        return Response(RegisterAnswerSerializer(answer).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=DecisionRecordSerializer(many=True))
    @action(detail=True)
    def decisions(self, request: Request, pk: str) -> Response:
        """All of them, first to last, each with what it rested on."""
        rows = self.get_object().decisions.with_everything().order_by("number")
        return Response(DecisionRecordSerializer(rows, many=True, context=self.get_serializer_context()).data)

    @extend_schema(responses=OverrideSerializer(many=True))
    @action(detail=True)
    def overrides(self, request: Request, pk: str) -> Response:
        """What people wanted decided against the policy, or under two pairs of eyes, first to last."""
        rows = self.get_object().overrides.select_related("data_key").order_by("requested_at", "id")
        return Response(OverrideSerializer(rows, many=True).data)

    @extend_schema(responses=EvaluationSerializer)
    @action(detail=True)
    def policy(self, request: Request, pk: str) -> Response:
        """What the policy in force says of the newest prediction; nothing is decided or stored."""
        credit_request, now = self.get_object(), timezone.now()
        evaluation = deciding.evaluate(credit_request, now)
        shown = render_evaluation(evaluation, credit_request.currency, language_of(request), now)
        return Response(EvaluationSerializer(shown | {"prediction": credit_request.prediction_id}).data)

    @extend_schema(responses=HistoryStepSerializer(many=True))
    @action(detail=True)
    def history(self, request: Request, pk: str) -> Response:
        """Every step, who took it, when and why, first to last."""
        steps = history_of(self.get_object(), language_of(request))
        return Response(HistoryStepSerializer(steps, many=True).data)


class OverridePages(CursorPages):
    ordering = ("-requested_at", "-id")


class OverrideFilters(StrictFilterSet):
    state = filters.ChoiceFilter(choices=[(name, name) for name in STATES])
    credit_request = filters.UUIDFilter()
    language = LanguageFilter()


@extend_schema(parameters=[LANGUAGE])
class OverrideViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """`?state=waiting` is the queue of what needs a second person; an approver of the branch closes it."""

    serializer_class = OverrideSerializer
    filterset_class = OverrideFilters
    pagination_class = OverridePages
    roles = {"list": READERS, "retrieve": READERS, "confirm": APPROVERS, "refuse": APPROVERS}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        language_of(request)

    def get_queryset(self) -> QuerySet[Override]:
        if getattr(self, "swagger_fake_view", False):
            return Override.objects.none()
        return Override.objects.visible_to(self.request.user).select_related("data_key")

    @extend_schema(request=SaidSerializer, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def confirm(self, request: Request, pk: str) -> Response:
        """Agree as the second person: the request is decided as it was asked for."""
        override = self.get_object()
        given = _read(SaidSerializer, request)
        overriding.confirm_override(override=override, **given, actor=request.user, now=timezone.now())
        shown = requests_to_show(request.user).get(id=override.credit_request_id)
        return Response(CreditRequestSerializer(shown, context=self.get_serializer_context()).data)

    @extend_schema(request=SaidSerializer, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def refuse(self, request: Request, pk: str) -> Response:
        """Disagree: the request stays referred."""
        override = self.get_object()
        given = _read(SaidSerializer, request)
        refused = overriding.refuse_override(override=override, **given, actor=request.user, now=timezone.now())
        return Response(self.get_serializer(refused).data)
