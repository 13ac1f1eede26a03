"""Companies by API: list, look up by tax_id, create, read, change; and the published list of industries."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import User
from apps.accounts.permissions import EVERYONE, OFFICERS, READERS, SEES_IDENTIFIERS
from apps.common.contacts import (
    FieldWarningSerializer,
    GuarantorSerializer,
    InnField,
    NameField,
    ParcelsField,
    PhoneField,
    refuse_future,
)
from apps.common.crypto import mask
from apps.common.days import lender_today
from apps.common.fields import (
    KNOWN_OR_NOT,
    UNKNOWN,
    DayField,
    MoneyField,
    ShortList,
    StrictChoice,
    StrictInteger,
    StrictNumber,
    StrictSerializer,
    VersionField,
)
from apps.common.filters import FlagFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.masking import mask_fields
from apps.common.money import CURRENCY_CHOICES, MOST_MONEY
from apps.companies import services
from apps.companies.facts import latest_statement, years_in_business
from apps.companies.industries import INDUSTRIES
from apps.companies.models import FIRST_YEAR, LAST_YEAR, MOST_YEARS, STATEMENT_FIGURES, Company
from apps.companies.profile import EMPTY_PROFILE, Profile, find_warnings

MOST_STATEMENTS = 30
ERASED_AT = "when the data were erased; all that was known is null from then on"


class ContactSerializer(StrictSerializer):
    name = NameField()
    phone = PhoneField(**UNKNOWN)
    email = serializers.EmailField(max_length=254, **UNKNOWN)


class StatementSerializer(StrictSerializer):
    """The figures of one financial year, in whole units of the company's currency."""

    year = StrictInteger(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    revenue = MoneyField()
    net_income = MoneyField(min_value=-MOST_MONEY)
    assets = MoneyField(min_value=1)
    liabilities = MoneyField()
    current_assets = MoneyField(**UNKNOWN)
    current_liabilities = MoneyField(**UNKNOWN)
    retained_earnings = MoneyField(min_value=-MOST_MONEY, **UNKNOWN)
    ebit = MoneyField(min_value=-MOST_MONEY, **UNKNOWN)


class IndustrySerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class CompanySerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    branch = serializers.CharField(read_only=True, help_text="code of the branch")
    version = serializers.IntegerField(read_only=True)
    is_demo = serializers.BooleanField(read_only=True)
    currency = StrictChoice(CURRENCY_CHOICES, default=settings.DEFAULT_CURRENCY)
    company_name = NameField()
    tax_id = InnField()
    industry = StrictChoice(list(INDUSTRIES.items()), **KNOWN_OR_NOT)
    incorporated_date = DayField(**KNOWN_OR_NOT)
    years_in_business = StrictNumber(
        min_value=0,
        max_value=MOST_YEARS,
        help_text="follows from incorporated_date unless only it is given",
        **KNOWN_OR_NOT,
    )
    contact = ContactSerializer(**KNOWN_OR_NOT)
    existing_debt = MoneyField(**KNOWN_OR_NOT)
    monthly_debt_payments = MoneyField(**KNOWN_OR_NOT)
    collateral_value = MoneyField(**KNOWN_OR_NOT)
    guarantor = GuarantorSerializer(**KNOWN_OR_NOT)
    parcel_ids = ParcelsField(required=False)
    statements = StatementSerializer(many=True, required=False, max_length=MOST_STATEMENTS)
    warnings = FieldWarningSerializer(many=True, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    erased_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=ERASED_AT)

    def validate_incorporated_date(self, day: date | None) -> date | None:
        return day and refuse_future(day, lender_today())


class CompanyChangeSerializer(CompanySerializer):
    """The fields to replace, and the `version` that was read. tax_id and currency stay.

    `statements` adds or replaces years; `remove_statement_years` takes years away.
    """

    version = VersionField()
    currency = serializers.CharField(read_only=True)
    tax_id = serializers.CharField(read_only=True)
    company_name = NameField(required=False)
    remove_statement_years = ShortList(
        child=StrictInteger(min_value=FIRST_YEAR, max_value=LAST_YEAR), required=False, max_length=MOST_STATEMENTS
    )


class CompanyRowSerializer(serializers.Serializer):
    """One line of the list; the tax_id is masked. Name and tax_id of an erased company are null."""

    id = serializers.UUIDField()
    branch = serializers.CharField()
    company_name = serializers.CharField(allow_null=True)
    tax_id = serializers.CharField(help_text="masked", allow_null=True)
    industry = serializers.CharField(allow_null=True)
    latest_statement_year = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    version = serializers.IntegerField()
    is_demo = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True, help_text=ERASED_AT)


class TaxIdLookupSerializer(StrictSerializer):
    tax_id = InnField()


class CompanyFilters(StrictFilterSet):
    branch = filters.CharFilter(field_name="branch__code")
    industry = filters.ChoiceFilter(choices=list(INDUSTRIES.items()))
    is_demo = FlagFilter()


def _system_fields(company: Company) -> dict[str, Any]:
    names = ("id", "currency", "industry", "version", "is_demo", "created_at", "updated_at")
    own = {"branch": company.branch.code, "erased_at": company.data_key.destroyed_at}
    return own | {name: getattr(company, name) for name in names}


def _masked(profile: Profile) -> Profile:
    guarantor, contact = profile["guarantor"], profile["contact"]
    return mask_fields(profile, "tax_id") | {
        "contact": contact and mask_fields(contact, "phone", "email"),
        "guarantor": guarantor and mask_fields(guarantor, "inn", "phone"),
        "parcel_ids": [mask(parcel) for parcel in profile["parcel_ids"]],
    }


def present_company(company: Company, user: User) -> dict[str, Any]:
    """The whole profile; identifiers in full only for the people of the branch who work with them.

    Of an erased company: when it was erased, and null for all that was known.
    """
    if company.data_key.destroyed_at is not None:
        return CompanySerializer(dict.fromkeys(CompanySerializer().fields) | _system_fields(company)).data
    profile, statements = company.profile, company.statements.all()
    figures = ("year", *STATEMENT_FIGURES)
    document = _system_fields(company) | (profile if user.role in SEES_IDENTIFIERS else _masked(profile))
    document |= {
        "incorporated_date": company.incorporated_date,
        "years_in_business": years_in_business(company, today=lender_today()),
        "statements": [{name: getattr(statement, name) for name in figures} for statement in statements],
        "warnings": find_warnings(profile, statements),
    }
    return CompanySerializer(document).data


def present_row(company: Company) -> dict[str, Any]:
    row: dict[str, Any] = {"company_name": None, "tax_id": None, "latest_statement_year": None}
    if company.data_key.destroyed_at is None:
        profile, latest = company.profile, latest_statement(company)
        row = {"company_name": profile["company_name"], "tax_id": mask(profile["tax_id"])}
        row["latest_statement_year"] = latest and latest.year
    return CompanyRowSerializer(_system_fields(company) | row).data


class CompanyViewSet(GenericViewSet):
    """Companies of the branches that the caller sees."""

    queryset = Company.objects.all()
    serializer_class = CompanySerializer
    filterset_class = CompanyFilters
    roles = {
        "list": READERS,
        "retrieve": READERS,
        "lookup": READERS,
        "industries": EVERYONE,
        "create": OFFICERS,
        "partial_update": OFFICERS,
    }

    def get_queryset(self) -> QuerySet[Company]:
        return Company.objects.visible_to(self.request.user).for_reading()

    @extend_schema(responses=CompanyRowSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present_row(company) for company in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(present_company(self.get_object(), request.user))

    @extend_schema(responses=IndustrySerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def industries(self, request: Request) -> Response:
        """The codes that `industry` may hold: sections of NACE Rev. 2 and OKED."""
        return Response([{"code": code, "name": name} for code, name in INDUSTRIES.items()])

    @extend_schema(request=TaxIdLookupSerializer, responses=CompanySerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def lookup(self, request: Request) -> Response:
        """Find a company by tax_id, which stays in the body and so out of every log."""
        given = TaxIdLookupSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        company = get_object_or_404(self.get_queryset().with_tax_id(given.validated_data["tax_id"]))
        return Response(present_company(company, request.user))

    @idempotent
    def create(self, request: Request) -> Response:
        """The company belongs to the branch of the officer."""
        given = CompanySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        options = dict(given.validated_data)
        profile = {name: options.pop(name) for name in EMPTY_PROFILE if name in options}
        options.setdefault("statements", [])
        company = services.create_company(profile=profile, **options, branch=request.user.branch, actor=request.user)
        return Response(present_company(company, request.user), status=status.HTTP_201_CREATED)

    @extend_schema(request=CompanyChangeSerializer, responses=CompanySerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the fields that are given; contact and guarantor as a whole, statements by year."""
        company = self.get_object()
        given = CompanyChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        company = services.update_company(
            company=company, version=changes.pop("version"), changes=changes, actor=request.user
        )
        return Response(present_company(company, request.user))
