"""Who is linked to which applicant: declared by themselves or by an administrator, ended by an administrator."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role, User
from apps.accounts.permissions import EVERYONE
from apps.common.errors import FieldProblem, InvalidInput, NotFound
from apps.common.fields import IdField, StrictChoice, StrictInteger, StrictSerializer
from apps.common.filters import FlagFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.companies.models import Company
from apps.credit_requests import staff_links
from apps.credit_requests.models import StaffLink
from apps.credit_requests.models.decisions import RELATIONS
from apps.individuals.models import Individual

MOST_USER = 2**31 - 1
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


class StaffLinkSerializer(serializers.ModelSerializer):
    class Meta:
        model = StaffLink
        fields = [
            "id",
            "user",
            "individual",
            "company",
            "relation",
            "made_by",
            "created_at",
            "ended_by",
            "ended_at",
        ]
        read_only_fields = fields


class StaffLinkCreateSerializer(StrictSerializer):
    """Exactly one of `individual` and `company`. Without `user` it is the caller's own link."""

    user = StrictInteger(min_value=1, max_value=MOST_USER, required=False)
    individual = IdField(required=False)
    company = IdField(required=False)
    relation = StrictChoice([(name, name) for name in RELATIONS])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("individual" in attrs) == ("company" in attrs):
            why = "Give exactly one applicant: individual or company."
            raise serializers.ValidationError({"individual": [why], "company": [why]})
        return attrs


class StaffLinkFilters(StrictFilterSet):
    user = filters.NumberFilter(min_value=1, max_value=MOST_USER)
    individual = filters.UUIDFilter()
    company = filters.UUIDFilter()
    is_ended = FlagFilter(method="ended")

    @extend_schema_field(OpenApiTypes.BOOL)
    def ended(self, rows: QuerySet[StaffLink], name: str, is_ended: bool) -> QuerySet[StaffLink]:
        return rows.filter(ended_at__isnull=not is_ended)


class StaffLinkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """A linked person decides nothing of the applicant's requests. Administrators and auditors see all links."""

    serializer_class = StaffLinkSerializer
    filterset_class = StaffLinkFilters
    roles = {
        "list": EVERYONE,
        "retrieve": EVERYONE,
        "create": staff_links.BRANCH_ROLES | ADMINISTRATORS,
        "end": ADMINISTRATORS,
    }

    def get_queryset(self) -> QuerySet[StaffLink]:
        if getattr(self, "swagger_fake_view", False):
            return StaffLink.objects.none()
        return StaffLink.objects.visible_to(self.request.user)

    @extend_schema(request=StaffLinkCreateSerializer, responses={201: StaffLinkSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        given = StaffLinkCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        link = staff_links.declare_staff_link(
            user=_find_user(given.validated_data, request),
            applicant=_find_applicant(given.validated_data, request),
            relation=given.validated_data["relation"],
            actor=request.user,
            now=timezone.now(),
        )
        return Response(self.get_serializer(link).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=StaffLinkSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request: Request, pk: str) -> Response:
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        link = staff_links.end_staff_link(link=self.get_object(), actor=request.user, now=timezone.now())
        return Response(self.get_serializer(link).data)


def _find_user(given: dict[str, Any], request: Request) -> User:
    user = User.objects.filter(id=given.get("user", request.user.id)).first()
    if user is None:
        raise InvalidInput.of(user="There is no such user; /api/users/ lists them.")
    return user


def _find_applicant(given: dict[str, Any], request: Request) -> Individual | Company:
    """One that the caller may see; an administrator, who sees no applicants, names any by its id."""
    field, model = ("individual", Individual) if "individual" in given else ("company", Company)
    everybody = request.user.role == Role.ADMINISTRATOR
    rows = model.objects.all() if everybody else model.objects.visible_to(request.user)
    applicant = rows.filter(id=given[field]).first()
    if applicant is None:
        why = "There is no such applicant, or it is not yours to see."
        raise NotFound(f"{field}: {why}", [FieldProblem(field, why)])
    return applicant
