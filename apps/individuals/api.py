"""People by API: list, look up by PINFL, create, read, change. What a PINFL is shown of depends on the role."""

import re
from dataclasses import asdict
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
from apps.accounts.permissions import OFFICERS, READERS, SEES_IDENTIFIERS
from apps.common.contacts import (
    FieldWarningSerializer,
    GuarantorSerializer,
    NameField,
    ParcelsField,
    PhoneField,
    PinflField,
    refuse_future,
)
from apps.common.crypto import mask
from apps.common.days import lender_today
from apps.common.fields import (
    KNOWN_OR_NOT,
    UNKNOWN,
    DayField,
    MoneyField,
    StrictChoice,
    StrictFlag,
    StrictInteger,
    StrictNumber,
    StrictSerializer,
    StrictText,
    VersionField,
)
from apps.common.filters import FlagFilter, StrictFilterSet
from apps.common.idempotency import idempotent
from apps.common.masking import mask_fields
from apps.common.money import CURRENCY_CHOICES, MOST_MONEY
from apps.individuals import services
from apps.individuals.income import find_salary, find_yearly_income
from apps.individuals.models import Individual
from apps.individuals.profile import SCALES, Profile, find_warnings

MOST_INCOME_ROWS = 120
ERASED_AT = "when the personal data were erased; all that was known is null from then on"


class IncomeRowSerializer(StrictSerializer):
    month = StrictText(max_length=7, help_text="YYYY-MM")
    amount = MoneyField()
    basis = StrictChoice(["net", "gross"])
    source = StrictChoice(["official", "other"])

    def validate_month(self, month: str) -> str:
        if not re.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])", month):
            raise serializers.ValidationError("Allowed is a month as YYYY-MM, such as 2026-01.")
        if month > f"{lender_today():%Y-%m}":
            raise serializers.ValidationError("The month lies in the future; allowed is this month or earlier.")
        return month


class BureauSerializer(StrictSerializer):
    """What a credit bureau reported, and when."""

    source = StrictText(max_length=100)
    observed_at = DayField()
    inquiries_6m = StrictInteger(min_value=0, max_value=1000, **UNKNOWN)
    delinquencies_24m = StrictInteger(min_value=0, max_value=1000, **UNKNOWN)
    open_accounts = StrictInteger(min_value=0, max_value=1000, **UNKNOWN)
    revolving_utilisation = StrictNumber(min_value=0, max_value=10, help_text="1 = all limits in use", **UNKNOWN)
    oldest_account_date = DayField(**UNKNOWN)
    public_records = StrictInteger(min_value=0, max_value=1000, **UNKNOWN)

    def validate_observed_at(self, day: date) -> date:
        return refuse_future(day, lender_today())

    def validate(self, bureau: dict[str, Any]) -> dict[str, Any]:
        observed, oldest = bureau["observed_at"], bureau["oldest_account_date"]
        if oldest is not None and (oldest.year < 1900 or oldest > observed):
            raise serializers.ValidationError(
                {"oldest_account_date": "Allowed is a day from 1900-01-01 to observed_at."}
            )
        return bureau | {"observed_at": observed.isoformat(), "oldest_account_date": oldest and oldest.isoformat()}


class DerivedIncomeSerializer(serializers.Serializer):
    amount = serializers.IntegerField()
    obtained = serializers.CharField(help_text="given, income rows, or salary x 12")


class DerivedSerializer(serializers.Serializer):
    yearly_income = DerivedIncomeSerializer(allow_null=True, help_text="gross, a year")
    salary = DerivedIncomeSerializer(allow_null=True, help_text="net, a month")


class IndividualSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    branch = serializers.CharField(read_only=True, help_text="code of the branch")
    version = serializers.IntegerField(read_only=True)
    is_demo = serializers.BooleanField(read_only=True)
    currency = StrictChoice(CURRENCY_CHOICES, default=settings.DEFAULT_CURRENCY)
    full_name = NameField()
    pinfl = PinflField()
    birth_date = DayField()
    phone = PhoneField(**KNOWN_OR_NOT)
    email = serializers.EmailField(max_length=254, **KNOWN_OR_NOT)
    incomes = IncomeRowSerializer(many=True, required=False, max_length=MOST_INCOME_ROWS)
    salary = MoneyField(help_text="net, a month, as given", **KNOWN_OR_NOT)
    yearly_income = MoneyField(help_text="gross, a year, as given", **KNOWN_OR_NOT)
    existing_debt = MoneyField(**KNOWN_OR_NOT)
    monthly_debt_payments = MoneyField(**KNOWN_OR_NOT)
    collateral_value = MoneyField(**KNOWN_OR_NOT)
    property_net_worth = MoneyField(min_value=-MOST_MONEY, **KNOWN_OR_NOT)
    guarantor = GuarantorSerializer(**KNOWN_OR_NOT)
    credit_history_score = StrictNumber(min_value=0, max_value=1000, **KNOWN_OR_NOT)
    credit_history_scale = StrictChoice(SCALES, **KNOWN_OR_NOT)
    criminal_history = StrictFlag(**KNOWN_OR_NOT)
    employment_years = StrictNumber(min_value=0, max_value=80, **KNOWN_OR_NOT)
    bureau = BureauSerializer(**KNOWN_OR_NOT)
    parcel_ids = ParcelsField(required=False)
    derived = DerivedSerializer(read_only=True)
    warnings = FieldWarningSerializer(many=True, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    erased_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=ERASED_AT)

    def validate_birth_date(self, day: date) -> str:
        return refuse_future(day, lender_today()).isoformat()

    def validate_incomes(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen = set()
        for place, row in enumerate(rows):
            key = (row["month"], row["basis"], row["source"])
            if key in seen:
                raise serializers.ValidationError(f"Row {place + 1} repeats {', '.join(key)}; give each once.")
            seen.add(key)
        return rows


class IndividualChangeSerializer(IndividualSerializer):
    """The fields to replace, and the `version` that was read. PINFL and currency stay."""

    version = VersionField()
    currency = serializers.CharField(read_only=True)
    pinfl = serializers.CharField(read_only=True)
    full_name = NameField(required=False)
    birth_date = DayField(required=False)


class IndividualRowSerializer(serializers.Serializer):
    """One line of the list; the PINFL is masked. Name and PINFL of an erased person are null."""

    id = serializers.UUIDField()
    branch = serializers.CharField()
    full_name = serializers.CharField(allow_null=True)
    pinfl = serializers.CharField(help_text="masked", allow_null=True)
    currency = serializers.CharField()
    version = serializers.IntegerField()
    is_demo = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True, help_text=ERASED_AT)


class PinflLookupSerializer(StrictSerializer):
    pinfl = PinflField()


class IndividualFilters(StrictFilterSet):
    branch = filters.CharFilter(field_name="branch__code")
    is_demo = FlagFilter()


def _system_fields(individual: Individual) -> dict[str, Any]:
    names = ("id", "currency", "version", "is_demo", "created_at", "updated_at")
    own = {"branch": individual.branch.code, "erased_at": individual.data_key.destroyed_at}
    return own | {name: getattr(individual, name) for name in names}


def _masked(profile: Profile) -> Profile:
    guarantor = profile["guarantor"]
    return mask_fields(profile, "pinfl", "phone", "email") | {
        "guarantor": guarantor and mask_fields(guarantor, "inn", "phone"),
        "parcel_ids": [mask(parcel) for parcel in profile["parcel_ids"]],
    }


def present_individual(individual: Individual, user: User) -> dict[str, Any]:
    """The whole profile; identifiers in full only for the people of the branch who work with them.

    Of an erased person: when it was erased, and null for all that was known.
    """
    if individual.data_key.destroyed_at is not None:
        return IndividualSerializer(dict.fromkeys(IndividualSerializer().fields) | _system_fields(individual)).data
    profile = individual.profile
    yearly_income, salary = find_yearly_income(profile), find_salary(profile)
    derived = {"yearly_income": yearly_income and asdict(yearly_income), "salary": salary and asdict(salary)}
    shown = profile if user.role in SEES_IDENTIFIERS else _masked(profile)
    document = _system_fields(individual) | shown | {"derived": derived, "warnings": find_warnings(profile)}
    return IndividualSerializer(document).data


def present_row(individual: Individual) -> dict[str, Any]:
    row: dict[str, Any] = {"full_name": None, "pinfl": None}
    if individual.data_key.destroyed_at is None:
        profile = individual.profile
        row = {"full_name": profile["full_name"], "pinfl": mask(profile["pinfl"])}
    return IndividualRowSerializer(_system_fields(individual) | row).data


class IndividualViewSet(GenericViewSet):
    """People of the branches that the caller sees."""

    queryset = Individual.objects.all()
    serializer_class = IndividualSerializer
    filterset_class = IndividualFilters
    roles = {
        "list": READERS,
        "retrieve": READERS,
        "lookup": READERS,
        "create": OFFICERS,
        "partial_update": OFFICERS,
    }

    def get_queryset(self) -> QuerySet[Individual]:
        return Individual.objects.visible_to(self.request.user).for_reading()

    @extend_schema(responses=IndividualRowSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([present_row(individual) for individual in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(present_individual(self.get_object(), request.user))

    @extend_schema(request=PinflLookupSerializer, responses=IndividualSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def lookup(self, request: Request) -> Response:
        """Find a person by PINFL, which stays in the body and so out of every log."""
        given = PinflLookupSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        individual = get_object_or_404(self.get_queryset().with_pinfl(given.validated_data["pinfl"]))
        return Response(present_individual(individual, request.user))

    @idempotent
    def create(self, request: Request) -> Response:
        """The person belongs to the branch of the officer."""
        given = IndividualSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        profile = dict(given.validated_data)
        individual = services.create_individual(
            currency=profile.pop("currency"), profile=profile, branch=request.user.branch, actor=request.user
        )
        return Response(present_individual(individual, request.user), status=status.HTTP_201_CREATED)

    @extend_schema(request=IndividualChangeSerializer, responses=IndividualSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the fields that are given; a group (incomes, guarantor, bureau) is replaced as a whole."""
        individual = self.get_object()
        given = IndividualChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        individual = services.update_individual(
            individual=individual, version=changes.pop("version"), changes=changes, actor=request.user
        )
        return Response(present_individual(individual, request.user))
