"""Page and fragment from one template; what is refused, and how it is said in each language."""

import re

import pytest
from django.test import Client, RequestFactory

from apps.accounts.tests.factories import make_user
from apps.common import errors
from apps.workbench import refusals
from apps.workbench.screen import Screen
from apps.workbench.telling import FIELDS
from apps.workbench.tests.html import read
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WORDS = {"en": "There is no such page", "uz": "Bunday sahifa yoʻq", "ru": "Такой страницы нет"}


def asked(view, headers=None):
    request = RequestFactory().get("/", headers=headers or {})
    request.user = make_user("officer")
    request.resolver_match = None
    return view.as_view()(request)


def test_htmx_gets_the_content_and_a_browser_the_page():
    client = signed_in(make_user("officer"))
    page, fragment = client.get("/"), client.get("/", headers=HTMX)
    assert page.content.startswith(b"<!doctype html>")
    assert b"<html" not in fragment.content
    assert b"<h1>Home</h1>" in page.content
    assert b"<h1>Home</h1>" in fragment.content
    assert {"HX-Request", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}


@pytest.mark.parametrize("also", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}])
def test_a_boosted_link_and_the_way_back_get_the_whole_page(also):
    client = signed_in(make_user("officer"))
    assert b"<html" in client.get("/", headers=HTMX | also).content


@pytest.mark.parametrize("language", WORDS)
def test_an_address_that_is_not_there_is_said_in_the_readers_language(language):
    for client in (signed_in(make_user("officer"), language), Client(headers={"Accept-Language": language})):
        response = client.get("/nothing/here/")
        assert response.status_code == 404
        assert read(response.content).all("h1")[0].text == WORDS[language]
        assert read(response.content).all("html")[0].attributes["lang"] == language


@pytest.mark.parametrize(
    ("language", "roles"),
    [
        ("en", ["Loan officer", "Approver", "Risk analyst", "Auditor"]),
        ("ru", ["Кредитный специалист", "Утверждающий", "Риск-аналитик", "Аудитор"]),
        ("uz", ["Kredit xodimi", "Tasdiqlovchi", "Xatar tahlilchisi", "Auditor"]),
    ],
)
def test_a_wrong_role_is_told_which_roles_may(language, roles):
    response = signed_in(make_user("administrator"), language).get("/queue/")
    assert response.status_code == 403
    page = read(response.content)
    told = re.findall(r"<li>([^<]+)</li>", response.content.decode())
    assert told == roles
    assert len(page.all("h1")) == 1


def test_an_address_of_the_api_that_is_not_there_stays_a_problem_document():
    response = signed_in(make_user("officer"), "uz").get("/api/nothing/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == "No page stands at this address. /api/docs/ lists those that do."


@pytest.mark.parametrize("language", WORDS)
def test_a_fault_is_said_without_asking_the_database(language, client, django_assert_num_queries, monkeypatch):
    def fail(*args):
        raise RuntimeError("a fault")

    monkeypatch.setattr("apps.workbench.views.preferences._chosen", fail)
    client = Client(raise_request_exception=False, headers={"Accept-Language": language})
    with django_assert_num_queries(0):
        response = client.post("/theme/", {"theme": "dark"})
    assert response.status_code == 500
    page = read(response.content)
    assert page.all("html")[0].attributes["lang"] == language
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert response["X-Request-ID"] in response.content.decode()
    assert "a fault" not in response.content.decode()


def test_a_form_that_another_site_made_is_refused_in_words():
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "ru"})
    response = client.post("/sign-in/", {"username": "x", "password": "y"})
    assert response.status_code == 403
    assert read(response.content).all("h1")[0].text == "Форма устарела"


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")]


def test_every_refusal_of_the_domain_has_its_words():
    assert set(refusals.WORDS) == {kind.code for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_refusal_of_the_domain_is_a_page_with_its_status_or_a_message(kind):
    class Refusing(Screen):
        roles = frozenset({"officer"})

        def get(self, request):
            raise kind("The PINFL 52802903900012 is not to be seen.")

    page, message = asked(Refusing), asked(Refusing, HTMX)
    assert page.status_code == message.status_code == kind.status
    told = (message["HX-Retarget"], message["HX-Reswap"], message["HX-Reselect"])
    assert told == ("#messages", "innerHTML", "unset")
    assert b'role="alert"' in message.content
    assert b"<html" not in message.content
    for shown in (page.content.decode(), message.content.decode()):
        assert str(refusals.WORDS[kind.code][0]) in shown
        assert "is not to be seen" in shown
        assert "52802903900012" not in shown


def test_a_refusal_names_its_fields():
    class Refusing(Screen):
        roles = frozenset({"officer"})

        def get(self, request):
            raise errors.InvalidInput.of(term_months="Allowed is 3 to 60.")

    told = f"<strong>{FIELDS['term_months']}</strong>: Allowed is 3 to 60."
    assert told in asked(Refusing).content.decode()


def test_htmx_is_sent_to_sign_in_as_a_whole_and_comes_back_to_the_page_that_it_was_on():
    response = Client().get("/queue/", headers=HTMX | {"HX-Current-URL": "http://testserver/new/?a=1"})
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/sign-in/?next=%2Fnew%2F%3Fa%3D1"


def test_a_screen_that_names_no_roles_is_closed():
    assert asked(Screen).status_code == 403


@pytest.mark.parametrize(
    ("address", "cookie", "value"), [("/language/", "django_language", "uz"), ("/theme/", "theme", "dark")]
)
def test_a_preference_is_kept_and_rendered_by_the_server(address, cookie, value):
    client = signed_in(make_user("officer"))
    response = client.post(address, {cookie.removeprefix("django_"): value, "next": "/queue/"})
    assert (response.status_code, response["Location"]) == (303, "/queue/")
    assert response.cookies[cookie].value == value
    html = read(client.get("/").content).all("html")[0].attributes
    assert value in (html["lang"], html.get("data-theme"))


@pytest.mark.parametrize(("address", "name"), [("/language/", "language"), ("/theme/", "theme")])
def test_a_preference_that_there_is_not_changes_nothing(address, name):
    response = Client().post(address, {name: "../../etc"})
    assert response.status_code == 303
    assert not {"django_language", "theme"} & response.cookies.keys()
