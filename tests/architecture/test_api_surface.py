"""Every address: denied by default, its roles declared, and closed to those who have not signed in."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import Role
from apps.accounts.permissions import ByRole
from apps.accounts.tests.factories import client_for, make_user

OPEN = {"healthz", "readyz", "metrics", "login", "schema", "docs", "icon"}
EXAMPLES = {
    "pk": "11111111-1111-4111-8111-111111111111",
    "token_key": "0123456789abcde",
    "delivery": "22222222-2222-4222-8222-222222222222",
    "inn": "123456789",
    "parcel_id": "UZ-ABC-100",
    "segment": "individual",
}


def patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            # The workbench has a table of its own: apps/workbench/tests/access.toml.
            if not route.startswith("admin/") and entry.namespace != "workbench":
                yield from patterns(entry, route)
        else:
            yield route, entry


ALL = list(patterns())
CLOSED = [(route, entry) for route, entry in ALL if entry.name not in OPEN]


def example(route: str) -> str:
    """An address of the route: parameters filled in."""
    path = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)", lambda found: EXAMPLES[found[1]], route)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: EXAMPLES[found[1]], path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\Z", "")


def actions(entry: URLPattern) -> dict[str, str]:
    """HTTP method -> the name that `roles` of the view must have."""
    of_viewset = getattr(entry.callback, "actions", None)
    if of_viewset:
        return {method: name for method, name in of_viewset.items() if method != "head"}
    return {
        method: method for method in ("get", "post", "put", "patch", "delete") if hasattr(entry.callback.cls, method)
    }


def test_there_are_addresses_to_look_at():
    names = {entry.name for _, entry in CLOSED}
    assert {"external-soliq", "external-kadastr", "score-individual", "credit-request-list", "audit-list"} <= names
    assert len(CLOSED) >= 30


def test_only_the_six_known_addresses_are_open():
    assert {entry.name for _, entry in ALL} - {entry.name for _, entry in CLOSED} == OPEN
    assert all(route.startswith("api/") for route, _ in CLOSED)


@pytest.mark.parametrize(("route", "entry"), CLOSED, ids=[route for route, _ in CLOSED])
def test_each_action_names_its_roles(route, entry):
    view = entry.callback.cls
    assert view.permission_classes == [ByRole]
    declared = {name: view.roles.get(name) for name in actions(entry).values()}
    assert all(roles and set(roles) <= set(Role.values) for roles in declared.values()), declared


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "entry"), CLOSED, ids=[route for route, _ in CLOSED])
def test_nobody_comes_in_without_signing_in(route, entry):
    for method in actions(entry):
        response = Client().generic(method.upper(), example(route), b"{", content_type="application/json")
        assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json"), method
        assert response["WWW-Authenticate"] == "Token"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["officer", "administrator"])
def test_a_method_that_nobody_may_use_is_405_for_every_role(role):
    client = client_for(make_user(role))
    for route in {route for route, _ in CLOSED}:
        unknown = {"get", "post", "put", "patch", "delete", "trace"} - _methods(route)
        for method in unknown:
            response = client.generic(method.upper(), example(route), b"{}", content_type="application/json")
            assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json"), (
                route,
                method,
            )


def _methods(route: str) -> set[str]:
    """Two actions of one address are two entries, each of which answers to the methods of both."""
    return {method for other, entry in CLOSED if other == route for method in actions(entry)}


def test_administrators_see_no_applicants():
    applicants = (
        "apps.individuals.api",
        "apps.companies.api",
        "apps.credit_requests.api",
        "apps.credit_requests.api_decisions",
        "apps.credit_requests.api_records",
        "apps.external_integrations.api_versions",
        "apps.external_integrations.api",
    )
    for _, entry in CLOSED:
        view = entry.callback.cls
        if view.__module__ in applicants and view.__name__ != "ProductViewSet":
            open_to_them = {name for name in actions(entry).values() if Role.ADMINISTRATOR in view.roles[name]}
            assert open_to_them <= {"industries"}, view.__name__


def test_auditors_change_nothing():
    """They sign out, and look up by a body, because an identifier does not belong into an address."""
    allowed = {
        ("LogoutView", "post"),
        ("SoliqLookupView", "post"),
        ("BureauLookupView", "post"),
        ("ConsentViewSet", "lookup"),
        ("IndividualViewSet", "lookup"),
        ("CompanyViewSet", "lookup"),
    }
    for _, entry in CLOSED:
        view = entry.callback.cls
        for method, name in actions(entry).items():
            if Role.AUDITOR in view.roles[name] and method != "get":
                assert (view.__name__, name) in allowed
