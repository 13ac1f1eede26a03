"""Sign in and out: tokens open, expire, end; wrong passwords are counted."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.test import RequestFactory, override_settings
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.settings import api_settings
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from apps.accounts.authentication import client_address
from apps.accounts.models import User
from apps.accounts.services import create_user, issue_token, update_user
from apps.accounts.tests.factories import PASSWORD, client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.tests.stored import everything_stored

pytestmark = pytest.mark.django_db
LOGIN = "/api/auth/login/"
LOGOUT = "/api/auth/logout/"
BRANCHES = "/api/branches/"


def login(username: str, password: str = PASSWORD):
    return APIClient().post(LOGIN, {"username": username, "password": password})


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_the_right_password_gets_a_token_that_opens():
    make_user("auditor", username="malika")
    response = login("malika")
    assert response.status_code == 200
    assert set(response.json()) == {"token", "expires_at"}
    assert with_token(response.json()["token"]).get(BRANCHES).status_code == 200


def test_a_token_lasts_as_long_as_the_setting_says(settings):
    settings.TOKEN_HOURS = 3
    make_user("auditor", username="malika")
    login("malika")
    left = AuthToken.objects.get().expiry - timezone.now()
    assert timedelta(hours=2, minutes=59) < left <= timedelta(hours=3)


@pytest.mark.parametrize(("username", "password"), [("malika", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_look_the_same(username, password):
    make_user("auditor", username="malika")
    response = login(username, password)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == "Wrong username or password, or the account is locked for a while."
    assert AuthToken.objects.count() == 0


def test_an_inactive_account_does_not_get_in():
    user = make_user("auditor", username="malika")
    update_user(user=user, role="auditor", branch=None, is_active=False, actor=None)
    assert login("malika").status_code == 401


def test_a_service_account_cannot_sign_in_with_a_password():
    create_user(username="core", role="analyst", branch=None, password=None, kind="service", actor=None)
    assert login("core", "").status_code == 400
    assert login("core", "!").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "malika"}, "password"),
        ({"password": "x"}, "username"),
        ({"username": ["malika"], "password": "x"}, "username"),
        ({"username": "malika", "password": 5}, "password"),
        ({"username": "malika", "password": "x", "otp": "1"}, "otp"),
        ({"username": "m" * 151, "password": "x"}, "username"),
    ],
)
def test_a_malformed_sign_in_names_the_field(body, field):
    response = APIClient().post(LOGIN, body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_signing_in_is_audited():
    user = make_user("auditor", username="malika")
    login("malika")
    event = AuditEvent.objects.get(action="token.issue")
    assert (event.actor, event.subject_id) == (user, str(user.pk))


def test_signing_out_ends_this_token_only():
    user = make_user("auditor", username="malika")
    first, second = (with_token(login("malika").json()["token"]) for _ in range(2))
    assert first.post(LOGOUT).status_code == 204
    assert first.get(BRANCHES).status_code == 401
    assert second.get(BRANCHES).status_code == 200
    assert AuditEvent.objects.get(action="token.revoke").actor == user


def test_signing_out_without_a_token_is_401():
    assert APIClient().post(LOGOUT).status_code == 401


def test_an_expired_token_does_not_open():
    user = make_user("auditor")
    row, text = issue_token(user=user, expires_in=timedelta(hours=1), actor=None)
    AuthToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    response = with_token(text).get(BRANCHES)
    assert response.status_code == 401
    assert response.json()["type"] == "urn:credit-ml:problem:not-signed-in"


def test_a_made_up_token_does_not_open():
    assert with_token("0" * 64).get(BRANCHES).status_code == 401


@pytest.mark.parametrize("header", ["Token \xff", "Token \xe9\xa0", "\xff", "Token", "Token a b"])
def test_an_unreadable_authorization_header_is_401(header):
    response = APIClient(raise_request_exception=False).get(BRANCHES, headers={"Authorization": header})
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")


def test_only_the_digest_of_a_token_is_stored():
    user = make_user("auditor")
    row, text = issue_token(user=user, expires_in=timedelta(hours=1), actor=None)
    row.refresh_from_db()
    assert text not in (row.digest, row.token_key)
    assert text.startswith(row.token_key)


def test_a_changed_role_ends_the_tokens_of_the_old_one():
    user = make_user("administrator")
    client = client_for(user)
    update_user(user=user, role="auditor", branch=None, is_active=True, actor=None)
    assert client.get(BRANCHES).status_code == 401


@pytest.mark.usefixtures("clean_cache")
def test_ten_wrong_passwords_lock_the_account_from_that_address(settings):
    settings.AXES_ENABLED = True
    make_user("auditor", username="malika")
    statuses = [login("malika", "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert statuses == [401] * 9 + [429]
    locked = login("malika")
    assert (locked.status_code, locked["Content-Type"], locked["Retry-After"]) == (
        429,
        "application/problem+json",
        "900",
    )
    assert AuthToken.objects.count() == 0


@pytest.mark.usefixtures("clean_cache")
def test_a_lock_is_on_one_name_only(settings):
    settings.AXES_ENABLED = True
    make_user("auditor", username="malika")
    make_user("auditor", username="nodira")
    for _ in range(settings.AXES_FAILURE_LIMIT + 1):
        login("malika", "wrong")
    assert login("nodira").status_code == 200


@pytest.mark.usefixtures("clean_cache")
def test_sign_ins_are_throttled_with_a_time_to_wait(monkeypatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"login": "2/min"})
    make_user("auditor", username="malika")
    assert [login("malika").status_code for _ in range(3)] == [200, 200, 429]
    refused = login("malika")
    assert 0 < int(refused["Retry-After"]) <= 61
    assert refused.json()["type"] == "urn:credit-ml:problem:too-many-requests"


@pytest.mark.usefixtures("clean_cache")
def test_an_invented_address_does_not_escape_the_throttle(monkeypatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"login": "2/min"})
    body = {"username": "malika", "password": "wrong"}
    addresses = [f"203.0.113.{number}" for number in range(3)]
    replies = [APIClient().post(LOGIN, body, headers={"X-Forwarded-For": address}) for address in addresses]
    assert [reply.status_code for reply in replies] == [401, 401, 429]


@pytest.mark.parametrize(
    ("proxies", "address"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.1"), (3, "203.0.113.1")]
)
def test_the_address_is_the_one_that_the_outermost_proxy_saw(proxies, address):
    request = RequestFactory().post(LOGIN, headers={"X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
    with override_settings(REST_FRAMEWORK={**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}):
        assert client_address(request) == address


def test_a_socket_has_no_address():
    assert client_address(RequestFactory(REMOTE_ADDR="").post(LOGIN)) is None


@pytest.fixture
def clean_cache():
    cache.clear()
    yield
    cache.clear()


def test_the_password_is_stored_as_a_hash():
    user = make_user("auditor")
    stored = User.objects.get(pk=user.pk).password
    assert PASSWORD not in stored
    assert user.check_password(PASSWORD)


def test_argon2_is_what_production_stores():
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"]):
        assert make_user("auditor").password.startswith("argon2$argon2id$")


def test_every_view_is_denied_unless_it_says_otherwise():
    assert [item.__name__ for item in api_settings.DEFAULT_PERMISSION_CLASSES] == ["ByRole"]


@pytest.mark.usefixtures("clean_cache")
def test_what_is_typed_instead_of_a_username_is_counted_and_not_kept(settings):
    settings.AXES_ENABLED = True
    make_user("officer", username="malika")
    statuses = [login("31210632040244", "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert statuses[-1] == 429
    assert login("malika", "wrong").status_code == 401
    names = sorted(AccessAttempt.objects.values_list("username", flat=True))
    assert (names[0], names[1][:8], len(names)) == ("malika", "unknown:", 2)
    assert b"31210632040244" not in everything_stored()
