"""Accounts and branches by the names that people type on a command line."""

from apps.accounts.models import Branch, User
from apps.common.errors import NotFound


def user_named(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no account with the username {username!r}.")
    return user


def branch_with_code(code: str) -> Branch:
    branch = Branch.objects.filter(code=code).first()
    if branch is None:
        known = ", ".join(Branch.objects.order_by("code").values_list("code", flat=True)) or "none"
        raise NotFound(f"There is no branch with the code {code!r}. Known branches: {known}.")
    return branch
