"""One demo user per role and one service account, with random secrets kept in a file that only its owner can read."""

import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from knox.models import AuthToken
from knox.settings import CONSTANTS

from apps.accounts.models import SEES_ALL_BRANCHES, Branch, Role, User
from apps.accounts.services import create_user, issue_token, set_password

SERVICE = "demo-service"
TOKEN_LASTS = timedelta(days=365)


@dataclass
class SignIns:
    """Passwords by username, and the token of the service account."""

    passwords: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @classmethod
    def read(cls, path: Path) -> "SignIns":
        found = cls()
        if path.exists():
            rows = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
            found.passwords = {name: secret for name, secret in rows if name != SERVICE}
            found.token = dict(rows).get(SERVICE, "")
        return found

    def write(self, path: Path) -> None:
        lines = ["# Sign-ins of the demo: username and password; the last line is a token of a service account."]
        lines += [f"{name} {password}" for name, password in self.passwords.items()]
        lines += [f"{SERVICE} {self.token}"] if self.token else []
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")


def ensure_demo_users(*, path: Path, branch: Branch, now: datetime) -> SignIns:
    """The sign-ins of `path`, with whatever is missing made and added; an unchanged file changes nothing."""
    sign_ins = SignIns.read(path)
    for role in Role.values:
        _ensure_person(sign_ins, role, branch, path)
    if not AuthToken.objects.filter(token_key=sign_ins.token[: CONSTANTS.TOKEN_KEY_LENGTH], expiry__gt=now).exists():
        sign_ins.token = _service_token(branch)
        sign_ins.write(path)
    return sign_ins


def _ensure_person(sign_ins: SignIns, role: str, branch: Branch, path: Path) -> None:
    name = f"demo-{role}"
    user = User.objects.filter(username=name).first()
    is_known = name in sign_ins.passwords
    if user is not None and is_known:
        return
    password = sign_ins.passwords.setdefault(name, secrets.token_urlsafe(12))
    sign_ins.write(path)
    if user is None:
        home = None if role in SEES_ALL_BRANCHES else branch
        create_user(username=name, role=role, branch=home, password=password, actor=None)
    else:
        set_password(user=user, password=password, actor=None)


@transaction.atomic
def _service_token(branch: Branch) -> str:
    user = User.objects.filter(username=SERVICE).first() or create_user(
        username=SERVICE, role=Role.OFFICER, branch=branch, password=None, kind=User.Kind.SERVICE, actor=None
    )
    return issue_token(user=user, expires_in=TOKEN_LASTS, actor=None)[1]
