"""Products, and credit requests with their newest prediction."""

from typing import Any
from uuid import UUID

from django.core.validators import validate_slug
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role, User
from apps.accounts.permissions import READERS
from apps.common.errors import FieldProblem, InvalidInput, NotFound
from apps.common.fields import IdField, MoneyField, StrictFlag, StrictInteger, StrictSerializer, StrictText
from apps.common.filters import FlagFilter, LanguageFilter, MomentFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.languages import language_of
from apps.common.money import CURRENCY_CHOICES
from apps.companies.models import Company
from apps.credit_requests import rescoring, services
from apps.credit_requests.decision_serializers import DecisionSerializer
from apps.credit_requests.flags import FLAGS, flags_of, records_held, with_records
from apps.credit_requests.models import MOST_FEE_RATE, MOST_RATE, MOST_TERM, CreditRequest, Decision, Product
from apps.credit_requests.transitions import STATUSES
from apps.individuals.models import Individual
from apps.scoring_engine.api import LANGUAGE, ScoringSerializer
from apps.scoring_engine.ml.vocabulary import PURPOSES
from apps.scoring_engine.models import GRADE_LETTERS, MODES
from apps.scoring_engine.services import render

MOST_VERSION = 2_000_000_000
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
OFFICERS = frozenset({Role.OFFICER})


class VersionSerializer(StrictSerializer):
    """`version`: the one that was read; a stale one is refused with 409."""

    version = StrictInteger(min_value=1, max_value=MOST_VERSION)


class ProductSerializer(StrictSerializer):
    """Rates and fees in basis points (2400 = 24 %), money in whole units of `currency`, terms in months."""

    id = serializers.UUIDField(read_only=True)
    code = StrictText(max_length=40, validators=[validate_slug])
    name = StrictText(max_length=200)
    kind = serializers.ChoiceField(Product.Kind.choices)
    currency = serializers.ChoiceField(CURRENCY_CHOICES)
    annual_rate_basis_points = StrictInteger(min_value=0, max_value=MOST_RATE)
    fee_basis_points = StrictInteger(min_value=0, max_value=MOST_FEE_RATE, default=0)
    fee_amount = MoneyField(default=0)
    repayment_type = serializers.ChoiceField(Product.Repayment.choices)
    least_amount = MoneyField(min_value=1)
    most_amount = MoneyField(min_value=1)
    least_term_months = StrictInteger(min_value=1, max_value=MOST_TERM)
    most_term_months = StrictInteger(min_value=1, max_value=MOST_TERM)
    is_active = StrictFlag(default=True)
    version = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class ProductChangeSerializer(VersionSerializer):
    name = StrictText(max_length=200, required=False)
    is_active = StrictFlag(required=False)


class ProductFilters(StrictFilterSet):
    kind = filters.ChoiceFilter(choices=Product.Kind.choices)
    currency = filters.ChoiceFilter(choices=CURRENCY_CHOICES)
    is_active = FlagFilter()


class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What the lender offers. Terms never change: offer a new product and set the old one's `is_active` to false."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilters
    roles = {
        "list": READERS | ADMINISTRATORS,
        "retrieve": READERS | ADMINISTRATORS,
        "create": ADMINISTRATORS,
        "partial_update": ADMINISTRATORS,
    }

    @idempotent
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        product = services.create_product(terms=given.validated_data, actor=request.user)
        return Response(self.get_serializer(product).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ProductChangeSerializer, responses=ProductSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        product = self.get_object()
        _refuse_terms(request.data)
        given = ProductChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        version = changes.pop("version")
        product = services.update_product(product=product, version=version, changes=changes, actor=request.user)
        return Response(self.get_serializer(product).data)


def _refuse_terms(body: dict[str, Any]) -> None:
    terms = sorted(set(body) & {field.name for field in Product._meta.fields} - {"name", "is_active", "version"})
    if terms:
        why = "The terms of a product never change. Create a new product, and set is_active of this one to false."
        raise InvalidInput(why, [FieldProblem(name, why) for name in terms])


class CreditRequestSerializer(serializers.ModelSerializer):
    """The request, its newest prediction, and the decision that stands."""

    branch = serializers.CharField(source="branch.code")
    external_records = serializers.SerializerMethodField()
    stale_records = serializers.SerializerMethodField()
    rests_on_mock = serializers.SerializerMethodField()
    flags = serializers.SerializerMethodField()
    prediction = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()

    class Meta:
        model = CreditRequest
        fields = [
            "id",
            "status",
            "version",
            "branch",
            "individual",
            "company",
            "product",
            "requested_amount",
            "term_months",
            "purpose",
            "channel",
            "currency",
            "is_demo",
            "external_records",
            "stale_records",
            "rests_on_mock",
            "flags",
            "created_by",
            "created_at",
            "updated_at",
            "last_checked_at",
            "prediction",
            "decision",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_external_records(self, credit_request: CreditRequest) -> list[UUID]:
        return sorted(record.id for record in credit_request.external_records.all())

    @extend_schema_field(
        serializers.ListField(
            child=serializers.UUIDField(), help_text="Records in use whose source has not answered within its limit."
        )
    )
    def get_stale_records(self, credit_request: CreditRequest) -> list[UUID]:
        now = timezone.now()
        return [held.record.id for held in records_held(credit_request) if held.is_stale(now)]

    @extend_schema_field(serializers.BooleanField(help_text="Whether a record in use was invented by a mock client."))
    def get_rests_on_mock(self, credit_request: CreditRequest) -> bool:
        return any(held.is_mock for held in records_held(credit_request))

    @extend_schema_field(
        serializers.ListField(
            child=serializers.ChoiceField([(flag, flag) for flag in FLAGS]),
            help_text="What is unusual: those of the queue. contradiction and thin_file as of the last check.",
        )
    )
    def get_flags(self, credit_request: CreditRequest) -> list[str]:
        return flags_of(credit_request, records_held(credit_request), timezone.now())

    @extend_schema_field(ScoringSerializer())
    def get_prediction(self, credit_request: CreditRequest) -> dict[str, Any]:
        return render(credit_request.prediction, language_of(self.context["request"]))

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_decision(self, credit_request: CreditRequest) -> dict[str, Any] | None:
        newest = next(iter(credit_request.newest_decision), None)
        return newest and DecisionSerializer(newest, context=self.context).data


def requests_to_show(user: User) -> QuerySet[CreditRequest]:
    """Those that the user sees, with all that a reply needs."""
    newest = Prefetch("decisions", Decision.objects.newest().with_everything(), to_attr="newest_decision")
    rows = CreditRequest.objects.visible_to(user).with_everything()
    return rows.prefetch_related(with_records(), newest)


class CreditRequestCreateSerializer(StrictSerializer):
    """Exactly one of `individual` and `company`."""

    individual = IdField(required=False)
    company = IdField(required=False)
    product = IdField()
    requested_amount = MoneyField(min_value=1)
    term_months = StrictInteger(min_value=1, max_value=MOST_TERM)
    purpose = serializers.ChoiceField([(purpose, purpose) for purpose in PURPOSES])
    channel = serializers.ChoiceField(CreditRequest.Channel.choices)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("individual" in attrs) == ("company" in attrs):
            why = "Give exactly one applicant: individual or company."
            raise serializers.ValidationError({"individual": [why], "company": [why]})
        return attrs


class CreditRequestChangeSerializer(VersionSerializer):
    product = IdField(required=False)
    requested_amount = MoneyField(min_value=1, required=False)
    term_months = StrictInteger(min_value=1, max_value=MOST_TERM, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.keys() == {"version"}:
            raise serializers.ValidationError("Give what changes: product, requested_amount or term_months.")
        return attrs


class CreditRequestFilters(StrictFilterSet):
    """`created_from` and `created_to` are moments in ISO 8601; the first counts in, the second out."""

    status = filters.ChoiceFilter(choices=[(name, name) for name in STATUSES])
    applicant = filters.ChoiceFilter(
        choices=[("individual", "individual"), ("company", "company")], method="of_applicant_kind"
    )
    product = filters.UUIDFilter()
    language = LanguageFilter()
    individual = filters.UUIDFilter()
    company = filters.UUIDFilter()
    branch = filters.CharFilter(field_name="branch__code")
    channel = filters.ChoiceFilter(choices=CreditRequest.Channel.choices)
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_to = MomentFilter(field_name="created_at", lookup_expr="lt")
    grade = filters.ChoiceFilter(field_name="prediction__grade", choices=[(name, name) for name in GRADE_LETTERS])
    mode = filters.ChoiceFilter(field_name="prediction__mode", choices=[(name, name) for name in MODES])

    def of_applicant_kind(self, rows: QuerySet[CreditRequest], name: str, kind: str) -> QuerySet[CreditRequest]:
        return rows.filter(**{f"{kind}__isnull": False})


@extend_schema(parameters=[LANGUAGE])
class CreditRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Applications for credit. Creating one scores it on what is stored; amount, term, product change while pending."""

    serializer_class = CreditRequestSerializer
    filterset_class = CreditRequestFilters
    roles = {
        "list": READERS,
        "retrieve": READERS,
        "create": OFFICERS,
        "partial_update": OFFICERS,
        "withdraw": OFFICERS,
        "rescore": frozenset({Role.OFFICER, Role.ANALYST}),
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Here, and not when the reply is written: a language that there is not must leave nothing done.
        language_of(request)

    def get_queryset(self) -> QuerySet[CreditRequest]:
        if getattr(self, "swagger_fake_view", False):
            return CreditRequest.objects.none()
        return requests_to_show(self.request.user)

    def _reply(self, credit_request: CreditRequest, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(id=credit_request.id)).data, status=code)

    @extend_schema(request=CreditRequestCreateSerializer, responses={201: CreditRequestSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        given = CreditRequestCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        terms = dict(given.validated_data)
        credit_request = services.submit_credit_request(
            applicant=_pop_applicant(terms, request),
            product=_find_product(terms.pop("product")),
            **terms,
            actor=request.user,
        )
        return self._reply(credit_request, status.HTTP_201_CREATED)

    @extend_schema(request=CreditRequestChangeSerializer, responses=CreditRequestSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        credit_request = self.get_object()
        given = CreditRequestChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        version = changes.pop("version")
        if "product" in changes:
            changes["product"] = _find_product(changes["product"])
        services.change_credit_request(
            credit_request=credit_request, version=version, changes=changes, actor=request.user
        )
        return self._reply(credit_request)

    @extend_schema(request=VersionSerializer, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, pk: str) -> Response:
        credit_request = self.get_object()
        given = VersionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.withdraw_credit_request(
            credit_request=credit_request, version=given.validated_data["version"], actor=request.user
        )
        return self._reply(credit_request)

    @extend_schema(request=None, responses=CreditRequestSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def rescore(self, request: Request, pk: str) -> Response:
        """Score anew on what is stored now; unchanged inputs make no new prediction."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        credit_request = self.get_object()
        rescoring.rescore_credit_request(credit_request=credit_request, actor=request.user)
        return self._reply(credit_request)


def _pop_applicant(terms: dict[str, Any], request: Request) -> Individual | Company:
    """The person or company, if the caller may see it; another branch's is as absent as one that is not there."""
    field, model = ("individual", Individual) if "individual" in terms else ("company", Company)
    applicant = model.objects.visible_to(request.user).filter(id=terms.pop(field)).first()
    if applicant is None:
        why = "There is no such applicant, or it is not yours to see."
        raise NotFound(f"{field}: {why}", [FieldProblem(field, why)])
    return applicant


def _find_product(product_id: UUID) -> Product:
    product = Product.objects.filter(id=product_id).first()
    if product is None:
        raise InvalidInput.of(product="There is no such product; /api/products/ lists them.")
    return product
