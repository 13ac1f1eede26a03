"""Sign in and out; people, service accounts and branches, by administrators."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.validators import RegexValidator, validate_slug
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.accounts import services
from apps.accounts.authentication import TokenAuthentication
from apps.accounts.models import Branch, Role, User
from apps.accounts.permissions import EVERYONE
from apps.common.api import problem_response
from apps.common.errors import NotSignedIn
from apps.common.fields import StrictFlag, StrictInteger, StrictSerializer, StrictText
from apps.common.filters import FlagFilter, StrictFilterSet
from apps.common.idempotency import idempotent

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


class LoginSerializer(StrictSerializer):
    username = StrictText(max_length=150)
    password = StrictText(max_length=200, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


class LoginView(APIView):
    """Username and password for a token, sent afterwards as `Authorization: Token <token>`."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "login"

    @extend_schema(request=LoginSerializer, responses=TokenSerializer, auth=[])
    def post(self, request: Request) -> Response:
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            raise NotSignedIn("Wrong username or password, or the account is locked for a while.")
        row, text = services.issue_token(user=user, expires_in=services.sign_in_hours(), actor=user)
        return Response({"token": text, "expires_at": row.expiry})


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, object]) -> HttpResponse:
    """What an account gets that had too many wrong passwords from one address (AXES_LOCKOUT_CALLABLE)."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    detail = f"Too many wrong passwords. Try again in {minutes} minutes, or ask an administrator."
    reply = problem_response(HTTPStatus.TOO_MANY_REQUESTS, detail)
    reply["Retry-After"] = str(minutes * 60)
    return reply


class LogoutView(APIView):
    """Ends the token that the request carries."""

    authentication_classes = [TokenAuthentication]
    roles = {"post": EVERYONE}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        services.revoke_tokens(user=request.user, token_key=request.auth.token_key, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class BranchSerializer(StrictSerializer, serializers.ModelSerializer):
    code = StrictText(max_length=40, validators=[validate_slug])
    name = StrictText(max_length=200)

    class Meta:
        model = Branch
        fields = ["id", "code", "name", "created_at"]
        read_only_fields = ["id", "created_at"]


class BranchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    queryset = Branch.objects.all()
    serializer_class = BranchSerializer
    filterset_class = StrictFilterSet
    roles = {"list": EVERYONE, "retrieve": EVERYONE, "create": ADMINISTRATORS}

    @idempotent
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        branch = services.create_branch(**given.validated_data, actor=request.user)
        return Response(self.get_serializer(branch).data, status=status.HTTP_201_CREATED)


class UserSerializer(StrictSerializer, serializers.ModelSerializer):
    username = StrictText(max_length=150, validators=[RegexValidator(r"^[\w.@+-]+\Z")])
    branch = serializers.SlugRelatedField(
        slug_field="code", queryset=Branch.objects.all(), allow_null=True, required=False
    )
    password = StrictText(max_length=200, write_only=True, required=False, trim_whitespace=False)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "role",
            "kind",
            "branch",
            "is_active",
            "password",
            "date_joined",
            "last_login",
        ]
        read_only_fields = ["id", "is_active", "date_joined", "last_login"]


class UserChangeSerializer(StrictSerializer):
    role = serializers.ChoiceField(Role.choices)
    branch = serializers.SlugRelatedField(slug_field="code", queryset=Branch.objects.all(), allow_null=True)
    is_active = StrictFlag()


class TokenRowSerializer(serializers.ModelSerializer):
    class Meta:
        model = AuthToken
        fields = ["token_key", "created", "expiry"]


class ServiceTokenSerializer(StrictSerializer):
    days = StrictInteger(min_value=1, max_value=365, required=False)


class UserFilters(StrictFilterSet):
    role = filters.ChoiceFilter(choices=Role.choices)
    kind = filters.ChoiceFilter(choices=User.Kind.choices)
    is_active = FlagFilter()


class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """People and service accounts. A changed role, branch or activity ends the account's tokens."""

    serializer_class = UserSerializer
    filterset_class = UserFilters
    roles = dict.fromkeys(
        ["list", "retrieve", "create", "partial_update", "tokens", "issue_token", "revoke_token"],
        ADMINISTRATORS,
    )

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.select_related("branch").order_by("-date_joined", "-id")

    def paginate_queryset(self, queryset: QuerySet[Any]) -> list[Any] | None:
        self.paginator.ordering = ("-created", "-digest") if self.action == "tokens" else ("-date_joined", "-id")
        return super().paginate_queryset(queryset)

    @idempotent
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        user = services.create_user(
            username=data["username"],
            role=data["role"],
            branch=data.get("branch"),
            password=data.get("password"),
            kind=data.get("kind", User.Kind.PERSON),
            actor=request.user,
        )
        return Response(self.get_serializer(user).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=UserChangeSerializer, responses=UserSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        user = self.get_object()
        current = {"role": user.role, "branch": user.branch and user.branch.code, "is_active": user.is_active}
        given = UserChangeSerializer(data=current | request.data)
        given.is_valid(raise_exception=True)
        user = services.update_user(user=user, **given.validated_data, actor=request.user)
        return Response(self.get_serializer(user).data)

    @extend_schema(responses=TokenRowSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=StrictFilterSet)
    def tokens(self, request: Request, pk: str) -> Response:
        """Each sign-in makes one, so the list is in pages."""
        page = self.paginate_queryset(self.filter_queryset(AuthToken.objects.filter(user_id=self.get_object().pk)))
        return self.get_paginated_response(TokenRowSerializer(page, many=True).data)

    @extend_schema(request=ServiceTokenSerializer, responses={201: TokenSerializer})
    @tokens.mapping.post
    def issue_token(self, request: Request, pk: str) -> Response:
        given = ServiceTokenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        days = given.validated_data.get("days", settings.SERVICE_TOKEN_DAYS)
        row, text = services.issue_token(user=self.get_object(), expires_in=timedelta(days=days), actor=request.user)
        return Response({"token": text, "expires_at": row.expiry}, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["delete"], url_path=r"tokens/(?P<token_key>[0-9a-f]{1,25})")
    def revoke_token(self, request: Request, pk: str, token_key: str) -> Response:
        services.revoke_tokens(user=self.get_object(), token_key=token_key, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
