"""Writes on people, service accounts, branches and tokens."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from knox.models import AuthToken

from apps.accounts.models import SEES_ALL_BRANCHES, Branch, Role, User
from apps.audit.services import record_event
from apps.common.errors import Conflict, InvalidInput

SERVICE_HAS_NONE = "A service account works with tokens and has no password; leave it out."


@transaction.atomic
def create_branch(*, code: str, name: str, actor: User | None) -> Branch:
    _check_code(code)
    try:
        with transaction.atomic():
            branch = Branch.objects.create(code=code, name=name)
    except IntegrityError:
        raise Conflict(f"A branch with the code {code!r} exists already.") from None
    record_event(actor=actor, action="branch.create", subject=branch)
    return branch


@transaction.atomic
def create_user(
    *,
    username: str,
    role: str,
    branch: Branch | None,
    password: str | None,
    kind: str = User.Kind.PERSON,
    actor: User | None,
) -> User:
    """A person signs in with a password; a service account has none and works with tokens only."""
    _check_role(role, branch)
    user = User(username=username, role=role, branch=branch, kind=kind, is_staff=role == Role.ADMINISTRATOR)
    if kind == User.Kind.PERSON:
        _check_password(password or "", user)
        user.set_password(password)
    elif password is not None:
        raise InvalidInput.of(password=SERVICE_HAS_NONE)
    else:
        user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict(f"The username {username!r} is taken.") from None
    record_event(actor=actor, action="user.create", subject=user, details={"role": role, "kind": kind})
    return user


@transaction.atomic
def update_user(*, user: User, role: str, branch: Branch | None, is_active: bool, actor: User | None) -> User:
    """Change role, branch or activity; each change ends the tokens that were given under the old ones."""
    _check_role(role, branch)
    before = {"role": user.role, "branch": user.branch_id, "is_active": user.is_active}
    user.role, user.branch, user.is_active = role, branch, is_active
    user.is_staff = role == Role.ADMINISTRATOR
    user.save(update_fields=["role", "branch", "is_active", "is_staff"])
    AuthToken.objects.filter(user=user).delete()
    after = {"role": user.role, "branch": user.branch_id, "is_active": user.is_active}
    record_event(actor=actor, action="user.update", subject=user, details={"before": before, "after": after})
    return user


@transaction.atomic
def set_password(*, user: User, password: str, actor: User | None) -> User:
    """A new password for a person; the tokens that were given under the old one end."""
    if user.kind != User.Kind.PERSON:
        raise Conflict(f"{user.username} is a service account: it works with tokens and has no password.")
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    AuthToken.objects.filter(user=user).delete()
    record_event(actor=actor, action="user.set_password", subject=user)
    return user


@transaction.atomic
def issue_token(*, user: User, expires_in: timedelta, actor: User | None) -> tuple[AuthToken, str]:
    """A bearer token; only its digest is stored, so the returned text is seen once."""
    if not user.is_active:
        raise Conflict("The account is not active; a token for it would open nothing.")
    AuthToken.objects.filter(user=user, expiry__lt=timezone.now()).delete()
    row, text = AuthToken.objects.create(user=user, expiry=expires_in)
    record_event(actor=actor, action="token.issue", subject=user, details={"token": row.token_key})
    return row, text


@transaction.atomic
def revoke_tokens(*, user: User, token_key: str | None = None, actor: User | None) -> int:
    """End one token (by the start of it that is shown in lists), or all of them. Returns how many ended."""
    tokens = AuthToken.objects.filter(user=user)
    if token_key is not None:
        tokens = tokens.filter(token_key=token_key)
    ended = tokens.count()
    tokens.delete()
    record_event(actor=actor, action="token.revoke", subject=user, details={"token": token_key, "ended": ended})
    return ended


def sign_in_hours() -> timedelta:
    return timedelta(hours=settings.TOKEN_HOURS)


def _check_code(code: str) -> None:
    try:
        Branch._meta.get_field("code").clean(code, None)
    except ValidationError as error:
        raise InvalidInput.of(code=" ".join(error.messages)) from None


def _check_role(role: str, branch: Branch | None) -> None:
    if role not in Role.values:
        raise InvalidInput.of(role=f"{role!r} is not a role; allowed are {', '.join(Role.values)}.")
    if branch is None and role not in SEES_ALL_BRANCHES:
        raise InvalidInput.of(branch=f"The role {role} works in one branch; name it.")


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput.of(password=" ".join(error.messages)) from None
