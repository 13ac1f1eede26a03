"""Accounts and branches by the names that people type on a command line."""

from collections.abc import Set

from apps.accounts.models import Branch, User
from apps.common.errors import NotFound, NotPermitted


def user_named(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no account with the username {username!r}.")
    return user


def acting_as(username: str, roles: Set[str]) -> User:
    """The account, if it may do what these roles may."""
    user = user_named(username)
    if not user.is_active or user.role not in roles:
        state = user.role if user.is_active else "no longer active"
        raise NotPermitted(f"{username} is {state}; this is for the roles {', '.join(sorted(roles))}.")
    return user


def branch_with_code(code: str) -> Branch:
    branch = Branch.objects.filter(code=code).first()
    if branch is None:
        known = ", ".join(Branch.objects.order_by("code").values_list("code", flat=True)) or "none"
        raise NotFound(f"There is no branch with the code {code!r}. Known branches: {known}.")
    return branch
