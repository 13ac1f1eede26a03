"""Erasure of a person or a company over the API: an administrator's, with a reason, and for good."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Role
from apps.common.fields import StrictChoice, StrictSerializer
from apps.companies.models import Company
from apps.credit_requests.erasure import REASONS, Erasure, erase_company, erase_person
from apps.individuals.models import Individual


class ErasureRequestSerializer(StrictSerializer):
    reason = StrictChoice(list(REASONS), help_text="; ".join(f"{code}: {text}" for code, text in REASONS.items()))


class ErasureSerializer(serializers.Serializer):
    """`data_keys` tells how many keys this call destroyed: 0 when it had been done before."""

    id = serializers.UUIDField(source="applicant_id")
    erased_at = serializers.DateTimeField()
    data_keys = serializers.SerializerMethodField()

    def get_data_keys(self, erasure: Erasure) -> int:
        return len(erasure.data_keys)


def _reason(request: Request) -> str:
    given = ErasureRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data["reason"]


class EraseIndividualView(APIView):
    """Destroy the key of a person's data. A repeat changes nothing, so it takes no Idempotency-Key.

    409 while a request of the person is undecided. An administrator sees no profile, and may erase in any branch.
    """

    roles = {"post": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(request=ErasureRequestSerializer, responses=ErasureSerializer)
    def post(self, request: Request, pk: Any) -> Response:
        individual = get_object_or_404(Individual, id=pk)
        erased = erase_person(individual=individual, reason=_reason(request), actor=request.user)
        return Response(ErasureSerializer(erased).data)


class EraseCompanyView(APIView):
    """Destroy the key of a company's data; statements, industry and date of incorporation go too."""

    roles = {"post": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(request=ErasureRequestSerializer, responses=ErasureSerializer)
    def post(self, request: Request, pk: Any) -> Response:
        company = get_object_or_404(Company, id=pk)
        erased = erase_company(company=company, reason=_reason(request), actor=request.user)
        return Response(ErasureSerializer(erased).data)
