"""People, branches and tokens from the command line: the same services, the same refusals."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken

from apps.accounts.models import Branch, User
from apps.accounts.tests.factories import PASSWORD, client_for, make_branch, make_user
from apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def run(monkeypatch, *arguments: str, typed: str = "") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_a_branch_and_a_person_are_made_and_audited(monkeypatch):
    assert run(monkeypatch, "create_branch", "samarkand", "Самарканд") == "Branch samarkand is there."
    told = run(monkeypatch, "create_user", "aziza", "--role=officer", "--branch=samarkand", typed=f"{PASSWORD}\n")
    assert told == "Person aziza is there, as officer."
    user = User.objects.get()
    assert (user.username, user.branch.code, user.check_password(PASSWORD)) == ("aziza", "samarkand", True)
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor")) == [
        ("branch.create", None),
        ("user.create", None),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create_branch", "main", "Again"], "A branch with the code 'main' exists already."),
        (["create_branch", "a b", "x"], "code: Enter a valid"),
        (["create_user", "x", "--role=officer"], "branch: The role officer works in one branch; name it."),
        (["create_user", "x", "--role=officer", "--branch=y"], "no branch with the code 'y'. Known branches: main."),
        (["create_user", "x", "--role=auditor"], "password: This password is too short"),
        (["issue_service_token", "nobody"], "There is no account with the username 'nobody'."),
        (["issue_service_token", "nobody", "--days=0"], "--days is 0; allowed is 1 to 365."),
        (["revoke_tokens", "nobody"], "There is no account with the username 'nobody'."),
        (["set_password", "nobody"], "There is no account with the username 'nobody'."),
    ],
)
def test_a_refusal_is_a_sentence_and_changes_nothing(monkeypatch, arguments, message):
    make_branch()
    with pytest.raises(CommandError, match=message):
        run(monkeypatch, *arguments, typed="short\n")
    assert (User.objects.count(), Branch.objects.count(), AuditEvent.objects.count()) == (0, 1, 0)


def test_a_service_account_gets_a_token_that_opens_and_can_be_ended(monkeypatch):
    run(monkeypatch, "create_user", "core", "--role=analyst", "--service")
    token = run(monkeypatch, "issue_service_token", "core", "--days=30")
    left = AuthToken.objects.get().expiry - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    client = client_for(make_user("auditor"))
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/branches/").status_code == 200
    assert run(monkeypatch, "revoke_tokens", "core") == "1 token of core ended."
    assert client.get("/api/branches/").status_code == 401


def test_one_token_of_several_is_ended(monkeypatch):
    user = make_user("auditor", username="malika")
    client_for(user)
    client_for(user)
    key = AuthToken.objects.first().token_key
    assert run(monkeypatch, "revoke_tokens", "malika", f"--token-key={key}") == "1 token of malika ended."
    assert AuthToken.objects.count() == 1


def test_a_new_password_ends_the_tokens(monkeypatch):
    user = make_user("auditor", username="malika")
    client = client_for(user)
    run(monkeypatch, "set_password", "malika", typed="another long passphrase\n")
    user.refresh_from_db()
    assert user.check_password("another long passphrase")
    assert client.get("/api/branches/").status_code == 401
    assert AuditEvent.objects.filter(action="user.set_password", subject_id=str(user.pk)).count() == 1


def test_a_service_account_gets_no_password(monkeypatch):
    run(monkeypatch, "create_user", "core", "--role=analyst", "--service")
    with pytest.raises(CommandError, match="works with tokens"):
        run(monkeypatch, "set_password", "core", typed="another long passphrase\n")
