"""Who sends a token, and from which address."""

from ipaddress import ip_address
from itertools import islice

import knox.auth
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.throttling import BaseThrottle

from apps.accounts.models import Branch, User
from apps.common.compiled import CompiledRead, columns_of
from apps.common.crypto import blind_index


class TokenAuthentication(knox.auth.TokenAuthentication):
    """Finds token, person and branch in one query, by the token's digest. Knox's own asks two, for the tokens that
    begin alike and for the person's others, and fails with a 500 on bytes that are no UTF-8.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        found = _token(hash_token(token.decode("ascii"))) if token.isascii() else None
        if found is not None and found.expiry is not None and found.expiry < timezone.now():
            found.delete()
            found = None
        if found is None:
            raise AuthenticationFailed("Invalid token.")
        return self.validate_user(found)


_PARTS = tuple((model, columns_of(model)) for model in (AuthToken, User, Branch))
_TOKENS = CompiledRead(
    lambda digest: AuthToken.objects.filter(digest=digest),
    [
        f"{path}{name}"
        for path, (_, names) in zip(("", "user__", "user__branch__"), _PARTS, strict=True)
        for name in names
    ],
)


def _token(digest: str) -> AuthToken | None:
    rows = _TOKENS.rows(digest)
    if not rows:
        return None
    values = iter(rows[0])
    token, user, branch = (
        model.from_db(connection.alias, names, list(islice(values, len(names)))) for model, names in _PARTS
    )
    token.user, user.branch = user, branch if branch.pk is not None else None
    return token


class TokenScheme(KnoxTokenScheme):
    """For the API description, which knows of knox's own class only."""

    target_class = TokenAuthentication


def counted_username(request: HttpRequest, credentials: dict[str, str] | None = None) -> str | None:
    """The name that wrong passwords are counted for and kept with. That of no account becomes a digest: people type
    anything into that field, a PINFL or the password itself among it.
    """
    name = (credentials or getattr(request, "data", request.POST)).get("username")
    if name is None or ("\0" not in name and User.objects.filter(username=name).exists()):
        return name
    return f"unknown:{blind_index('username', name)[:40]}"


def client_address(request: HttpRequest) -> str | None:
    """The address that wrong passwords are counted for: the one that throttles use, which NUM_PROXIES settles."""
    address = BaseThrottle().get_ident(request)
    try:
        return str(ip_address(address))
    except ValueError:
        return None  # a socket of this machine
