"""People to test with: made by the services, signed in with a real token."""

from datetime import timedelta

from rest_framework.test import APIClient

from apps.accounts.models import SEES_ALL_BRANCHES, Branch, User
from apps.accounts.services import create_user, issue_token

PASSWORD = "correct horse battery staple"


def make_branch(code: str = "main") -> Branch:
    return Branch.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def make_user(role: str, branch: Branch | None = None, username: str | None = None) -> User:
    if branch is None and role not in SEES_ALL_BRANCHES:
        branch = make_branch()
    name = username or f"{role}-{User.objects.count()}"
    return create_user(username=name, role=role, branch=branch, password=PASSWORD, actor=None)


def client_for(user: User) -> APIClient:
    client = APIClient()
    _, token = issue_token(user=user, expires_in=timedelta(hours=1), actor=user)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client
