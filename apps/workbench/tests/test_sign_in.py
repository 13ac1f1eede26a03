"""Signing in to the pages: who gets in, who does not and what they are told, and where one lands."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.accounts.services import create_user, update_user
from apps.accounts.tests.factories import PASSWORD, make_user
from apps.audit.models import AuditEvent
from apps.common.tests.stored import everything_stored
from tasks.tasks import forget_expired_sessions

pytestmark = pytest.mark.django_db
ADDRESS = "/sign-in/"
WRONG = "Wrong username or password, or the account is locked for a while."


@pytest.fixture(autouse=True)
def _no_throttle_of_the_test_before():
    cache.clear()


def sign_in(client: Client, username: str = "malika", password: str = PASSWORD, **more: str):
    return client.post(ADDRESS, {"username": username, "password": password, **more})


def test_the_right_password_leads_home_and_is_recorded():
    user, client = make_user("officer", username="malika"), Client()
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (303, "/")
    assert client.get("/").status_code == 200
    event = AuditEvent.objects.get(action="session.start")
    assert (event.actor, event.subject_id) == (user, str(user.pk))


def test_the_session_is_a_cookie_of_twelve_hours_that_scripts_cannot_read():
    make_user("officer", username="malika")
    cookie = sign_in(Client()).cookies["sessionid"]
    assert cookie["max-age"] == timedelta(hours=12).total_seconds()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_signing_out_ends_the_session_and_is_recorded():
    make_user("officer", username="malika")
    client = Client()
    sign_in(client)
    response = client.post("/sign-out/")
    assert (response.status_code, response["Location"]) == (303, ADDRESS)
    assert client.get("/").status_code == 302
    assert Session.objects.count() == 0
    assert AuditEvent.objects.filter(action="session.end").count() == 1
    assert client.post("/sign-out/").status_code == 303
    assert AuditEvent.objects.filter(action="session.end").count() == 1


def test_a_link_does_not_sign_out():
    make_user("officer", username="malika")
    client = Client()
    sign_in(client)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("malika", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("mal\0ika", PASSWORD),
        ("m" * 151, PASSWORD),
        ("malika", "x" * 201),
    ],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(username, password):
    make_user("officer", username="malika")
    response = sign_in(Client(), username, password)
    assert response.status_code == 401
    assert WRONG in response.content.decode()
    assert Session.objects.count() == 0
    assert not AuditEvent.objects.filter(action="session.start").exists()


def test_an_inactive_person_and_a_service_account_do_not_get_in():
    user = make_user("auditor", username="malika")
    update_user(user=user, role="auditor", branch=None, is_active=False, actor=None)
    create_user(username="core", role="analyst", branch=None, password=None, kind="service", actor=None)
    assert sign_in(Client()).status_code == 401
    assert {sign_in(Client(), "core", password).status_code for password in ("!", "core", PASSWORD)} == {401}


def test_nothing_that_was_typed_comes_back_or_is_kept():
    make_user("officer", username="malika")
    response = sign_in(Client(), "52802903900012", "typed-by-mistake")
    assert b"52802903900012" not in response.content
    assert b"typed-by-mistake" not in response.content
    assert not any(word in everything_stored() for word in (b"52802903900012", b"typed-by-mistake"))


def test_too_many_wrong_passwords_lock_the_account_and_say_until_when(settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    make_user("officer", username="malika")
    client = Client()
    statuses = [sign_in(client, password="wrong").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    response = sign_in(client)
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert response["Content-Type"].startswith("text/html")
    assert "Too many wrong passwords. Try again at " in response.content.decode()
    assert AccessAttempt.objects.get().failures_since_start >= 3
    assert client.get("/").status_code == 302


def test_too_many_tries_from_one_address_wait(settings):
    make_user("officer", username="malika")
    met = [sign_in(Client(), f"name-{number}", "wrong").status_code for number in range(31)]
    assert met == [401] * 30 + [429]


@pytest.mark.parametrize("asked", ["/queue/?status=pending", "/requests/11111111-1111-4111-8111-111111111111/"])
def test_one_lands_where_one_wanted_to_go(asked):
    make_user("officer", username="malika")
    response = sign_in(Client(), next=asked)
    assert response["Location"] == asked


@pytest.mark.parametrize(
    ("came_from", "page"),
    [
        ("/new/?segment=company", "/new/?segment=company"),
        ("/upload/receive/", "/"),
        ("//elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_a_form_that_is_sent_after_the_session_ended_is_to_be_filled_in_again(came_from, page):
    make_user("officer", username="malika")
    client, headers = Client(), {"Referer": f"http://testserver{came_from}"} if came_from else {}
    response = client.post("/new/submit/", {"pinfl": "31234567890123"}, headers=headers)
    assert response["Location"] == f"{ADDRESS}?{urlencode({'next': page, 'unsent': '1'})}"
    assert b"31234567890123" not in response.content
    assert b"so the form was not sent" in client.get(response["Location"]).content
    response = sign_in(client, next=page, unsent="1")
    assert response["Location"] == page
    assert b"so the form was not sent. Please fill it in again." in client.get(page).content
    assert b"so the form was not sent" not in client.get(page).content


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
@pytest.mark.parametrize("came_from", ["http://[", "http://\u2100.example/"])
def test_a_page_before_that_is_no_address_leads_home(header, came_from):
    headers = {header: came_from} | ({"HX-Request": "true"} if header == "HX-Current-URL" else {})
    response = Client(raise_request_exception=False).post("/new/submit/", headers=headers)
    address = f"{ADDRESS}?{urlencode({'next': '/', 'unsent': '1'})}"
    assert response.headers.get("HX-Redirect", response.headers.get("Location")) == address


@pytest.mark.parametrize(
    "asked",
    ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example", "javascript:alert(1)", "queue/", ""],
)
def test_nobody_is_led_to_another_host(asked):
    make_user("officer", username="malika")
    assert sign_in(Client(), next=asked)["Location"] == "/"
    for address in ("/language/", "/theme/"):
        assert Client().post(address, {"next": asked, "language": "uz"})["Location"] == "/"


def test_who_is_signed_in_already_is_not_asked_again():
    make_user("officer", username="malika")
    client = Client()
    sign_in(client)
    assert client.get(ADDRESS + "?next=/queue/")["Location"] == "/queue/"


def test_expired_sessions_are_forgotten_and_others_stay():
    make_user("officer", username="malika")
    early, late = Client(), Client()
    sign_in(early)
    sign_in(late)
    Session.objects.filter(session_key=early.session.session_key).update(expire_date=timezone.now() - timedelta(1))
    assert forget_expired_sessions() == {"sessions": 1}
    assert late.get("/").status_code == 200
    assert Session.objects.count() == 1


def test_a_session_opens_the_api_to_the_same_person():
    make_user("officer", username="malika")
    client = Client()
    sign_in(client)
    assert client.get("/api/products/").status_code == 200
