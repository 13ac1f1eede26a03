"""What the database keeps about people, whoever writes."""

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.services import create_user, revoke_tokens, update_user
from apps.accounts.tests.factories import PASSWORD, client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.errors import InvalidInput

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "fields",
    [{"role": "owner"}, {"role": "officer"}, {"role": "approver"}, {"role": "auditor", "kind": "robot"}],
)
def test_the_database_refuses_an_account_that_no_service_would_make(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="x", **fields)


@pytest.mark.parametrize(("role", "sees"), [("officer", False), ("approver", False), ("analyst", True)])
def test_who_sees_all_branches(role, sees):
    assert make_user(role).sees_all_branches is sees


def test_a_person_needs_a_password_and_a_refusal_leaves_nothing():
    with pytest.raises(InvalidInput, match="password"):
        create_user(username="x", role="auditor", branch=None, password=None, actor=None)
    assert (User.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_only_administrators_reach_the_admin_site():
    assert make_user("administrator").is_staff
    user = make_user("auditor")
    assert not user.is_staff
    update_user(user=user, role="administrator", branch=None, is_active=True, actor=None)
    user.refresh_from_db()
    assert user.is_staff
    update_user(user=user, role="officer", branch=make_branch(), is_active=True, actor=None)
    user.refresh_from_db()
    assert not user.is_staff


def test_all_tokens_of_an_account_end_together():
    user = make_user("auditor")
    clients = [client_for(user) for _ in range(2)]
    assert revoke_tokens(user=user, actor=None) == 2
    assert [client.get("/api/branches/").status_code for client in clients] == [401, 401]
    assert AuditEvent.objects.get(action="token.revoke").details == {"token": None, "ended": 2}


def test_the_admin_site_shows_and_never_writes(client):
    user = make_user("administrator")
    client.force_login(user)
    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 403
    assert client.post(f"/admin/accounts/user/{user.pk}/change/", {"role": "officer"}).status_code == 403
    assert client.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_person_without_the_role_does_not_enter_the_admin_site(client):
    make_user("officer", username="aziza")
    assert client.login(username="aziza", password=PASSWORD) or True
    assert client.get("/admin/accounts/user/").status_code == 302
