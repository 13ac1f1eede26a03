"""People, service accounts and branches: by administrators only, audited, nothing changed on refusal."""

from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.accounts.models import Branch, User
from apps.accounts.services import issue_token
from apps.accounts.tests.factories import PASSWORD, client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.tests.replies import problem

pytestmark = pytest.mark.django_db
USERS = "/api/users/"
BRANCHES = "/api/branches/"
OFFICER = {"username": "aziza", "role": "officer", "branch": "main", "password": PASSWORD}


@pytest.fixture
def admin():
    make_branch()
    return client_for(make_user("administrator", username="admin"))


def test_an_administrator_creates_a_person_who_can_sign_in(admin):
    response = admin.post(USERS, OFFICER)
    assert response.status_code == 201
    assert {name: response.json()[name] for name in ("username", "role", "kind", "branch", "is_active")} == {
        "username": "aziza",
        "role": "officer",
        "kind": "person",
        "branch": "main",
        "is_active": True,
    }
    assert "password" not in response.json()
    assert APIClient().post("/api/auth/login/", {"username": "aziza", "password": PASSWORD}).status_code == 200


def test_creating_a_person_is_audited_without_the_name(admin):
    user_id = admin.post(USERS, OFFICER).json()["id"]
    event = AuditEvent.objects.get(action="user.create", subject_id=str(user_id))
    assert event.actor.username == "admin"
    assert event.details == {"role": "officer", "kind": "person"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"branch": None}, "branch"),
        ({"branch": "nowhere"}, "branch"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"password": 123456789012}, "password"),
        ({"username": "with space"}, "username"),
        ({"username": "a\x00b"}, "username"),
        ({"username": 5}, "username"),
        ({"is_superuser": True}, "is_superuser"),
        ({"is_active": False}, "is_active"),
        ({"id": 77}, "id"),
        ({"kind": "robot"}, "kind"),
    ],
)
def test_a_wrong_field_is_named_and_nobody_is_created(admin, change, field):
    before = User.objects.count()
    response = admin.post(USERS, OFFICER | change)
    assert response.status_code == 400
    assert field in [error["field"] for error in response.json()["errors"]]
    assert User.objects.count() == before


def test_a_taken_name_is_a_conflict(admin):
    admin.post(USERS, OFFICER)
    before = AuditEvent.objects.count()
    response = admin.post(USERS, OFFICER)
    assert (response.status_code, response.json()["type"]) == (409, "urn:credit-ml:problem:conflict")
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
def test_other_roles_do_not_see_or_make_accounts(role):
    client = client_for(make_user(role))
    before = User.objects.count()
    user = User.objects.get()
    requests = [
        client.get(USERS),
        client.get(f"{USERS}{user.pk}/"),
        client.post(USERS, OFFICER),
        client.patch(f"{USERS}{user.pk}/", {"role": "administrator"}),
        client.get(f"{USERS}{user.pk}/tokens/"),
        client.post(f"{USERS}{user.pk}/tokens/", {}),
        client.delete(f"{USERS}{user.pk}/tokens/0123456789abcde/"),
        client.post(BRANCHES, {"code": "x", "name": "X"}),
    ]
    assert [response.status_code for response in requests] == [403] * 8
    assert User.objects.count() == before
    assert User.objects.get().role == role


def test_a_role_is_changed_with_before_and_after_on_record(admin):
    user = make_user("officer", username="aziza")
    response = admin.patch(f"{USERS}{user.pk}/", {"role": "approver"})
    assert (response.status_code, response.json()["role"], response.json()["branch"]) == (200, "approver", "main")
    details = AuditEvent.objects.get(action="user.update").details
    assert (details["before"]["role"], details["after"]["role"]) == ("officer", "approver")


def test_a_disabled_account_is_shut_out_at_once(admin):
    user = make_user("auditor")
    client = client_for(user)
    assert admin.patch(f"{USERS}{user.pk}/", {"is_active": False}).status_code == 200
    assert client.get(BRANCHES).status_code == 401
    assert admin.post(f"{USERS}{user.pk}/tokens/", {}).status_code == 409


@pytest.mark.parametrize("body", [{"is_active": "false"}, {"is_active": 0}, {"username": "x"}, {"role": None}])
def test_a_wrong_change_is_refused_whole(admin, body):
    user = make_user("officer")
    response = admin.patch(f"{USERS}{user.pk}/", body | {"branch": "main"})
    assert response.status_code == 400
    user.refresh_from_db()
    assert (user.is_active, user.role) == (True, "officer")


@pytest.mark.parametrize("pk", ["999999", "abc", "9" * 30])
def test_an_account_that_is_not_there_is_404(admin, pk):
    assert admin.get(f"{USERS}{pk}/").status_code == 404


def test_a_service_account_works_with_a_token_that_can_be_ended(admin):
    created = admin.post(USERS, {"username": "core-banking", "role": "analyst", "kind": "service"})
    assert created.status_code == 201
    tokens = f"{USERS}{created.json()['id']}/tokens/"
    issued = admin.post(tokens, {"days": 30})
    assert issued.status_code == 201
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issued.json()['token']}")
    assert client.get(BRANCHES).status_code == 200
    (row,) = admin.get(tokens).json()["results"]
    assert issued.json()["token"].startswith(row["token_key"])
    assert admin.delete(f"{tokens}{row['token_key']}/").status_code == 204
    assert client.get(BRANCHES).status_code == 401
    assert admin.get(tokens).json()["results"] == []


def test_a_token_lasts_the_days_asked_for_or_the_setting(admin, settings):
    settings.SERVICE_TOKEN_DAYS = 45
    user = make_user("analyst")
    for body, days in (({"days": 30}, 30), ({}, 45)):
        AuthToken.objects.filter(user=user).delete()
        admin.post(f"{USERS}{user.pk}/tokens/", body)
        left = AuthToken.objects.get(user=user).expiry - timezone.now()
        assert timedelta(days=days) - timedelta(minutes=1) < left <= timedelta(days=days)


@pytest.mark.parametrize("days", [0, 366, "30", 1.5, True, None])
def test_days_are_a_whole_number_from_1_to_365(admin, days):
    user = make_user("analyst")
    response = admin.post(f"{USERS}{user.pk}/tokens/", {"days": days})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "days")
    assert not AuthToken.objects.filter(user=user).exists()


def test_accounts_are_listed_newest_first_with_a_cursor(admin):
    for number in range(3):
        make_user("auditor", username=f"a{number}")
    page = admin.get(f"{USERS}?page_size=2&role=auditor").json()
    assert [user["username"] for user in page["results"]] == ["a2", "a1"]
    rest = admin.get(page["next"]).json()
    assert [user["username"] for user in rest["results"]] == ["a0"]
    assert rest["next"] is None


def test_an_unknown_filter_value_is_refused(admin):
    response = admin.get(f"{USERS}?role=owner")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "role")


def test_branches_are_made_by_administrators_and_seen_by_all(admin):
    response = admin.post(BRANCHES, {"code": "samarkand", "name": "Самарканд"})
    assert (response.status_code, response.json()["name"]) == (201, "Самарканд")
    seen = client_for(make_user("officer")).get(BRANCHES).json()["results"]
    assert sorted(branch["code"] for branch in seen) == ["main", "samarkand"]
    assert AuditEvent.objects.filter(action="branch.create", actor__username="admin").count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [({"code": "main", "name": "Again"}, 409), ({"code": "a b", "name": "x"}, 400), ({"code": "x"}, 400)],
)
def test_a_wrong_branch_is_refused(admin, body, status):
    assert admin.post(BRANCHES, body).status_code == status
    assert Branch.objects.count() == 1


def test_a_service_account_with_a_password_is_refused(admin):
    service = OFFICER | {"kind": "service"}
    assert list(problem(admin.post(USERS, service), 400)) == ["password"]
    assert not User.objects.filter(username="aziza").exists()


def test_the_tokens_of_an_account_come_in_pages(admin):
    user = make_user("auditor")
    rows = [issue_token(user=user, expires_in=timedelta(hours=1), actor=None)[0] for _ in range(3)]
    first = admin.get(f"{USERS}{user.pk}/tokens/?page_size=2").json()
    second = admin.get(first["next"]).json()
    shown = [row["token_key"] for row in first["results"] + second["results"]]
    assert (shown, second["next"]) == ([row.token_key for row in reversed(rows)], None)


@pytest.mark.parametrize("address", [USERS, BRANCHES, "/api/audit/"])
def test_a_mistyped_filter_does_not_answer_with_everything(admin, address):
    assert list(problem(admin.get(address, {"rolle": "officer"}), 400)) == ["rolle"]
