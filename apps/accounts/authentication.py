"""Who sends a token, and from which address."""

from ipaddress import ip_address

import knox.auth
from django.http import HttpRequest
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.throttling import BaseThrottle

from apps.accounts.models import User


class TokenAuthentication(knox.auth.TokenAuthentication):
    """Knox's own fails with a 500 on bytes that are no UTF-8."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        if not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class TokenScheme(KnoxTokenScheme):
    """For the API description, which knows of knox's own class only."""

    target_class = TokenAuthentication


def client_address(request: HttpRequest) -> str | None:
    """The address that wrong passwords are counted for: the one that throttles use, which NUM_PROXIES settles."""
    address = BaseThrottle().get_ident(request)
    try:
        return str(ip_address(address))
    except ValueError:
        return None  # a socket of this machine
