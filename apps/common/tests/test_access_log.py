"""The access log names routes and ids, never paths, so that no identifier stands in it."""

import json

import pytest
import structlog
from django.test import Client

from apps.accounts.tests.factories import client_for, make_user

pytestmark = pytest.mark.django_db


def lines(client, path, **headers):
    with structlog.testing.capture_logs() as logs:
        client.get(path, headers=headers)
    return [line for line in logs if line["event"] == "request"]


def test_a_line_names_route_status_and_user():
    user = make_user("auditor")
    (line,) = lines(client_for(user), "/api/branches/")
    assert (line["method"], line["route"], line["status"], line["user_id"]) == (
        "GET",
        "api/branches/$",
        200,
        str(user.pk),
    )


def test_a_path_with_an_identifier_is_not_logged():
    found = lines(Client(), "/api/nothing/31210632040244/?pinfl=31210632040244")
    assert found[0]["route"] == "(no route)"
    assert "31210632040244" not in json.dumps(found)


@pytest.mark.parametrize(
    "given", ["31210632040244", "pinfl-31210632040244", "201122919-a", "short", "with space", "x" * 65]
)
def test_a_request_id_that_could_be_an_identifier_is_replaced(given):
    response = Client().get("/healthz", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] != given
    assert len(response["X-Request-ID"]) == 36


@pytest.mark.parametrize("given", ["client-7f3a-0001", "00000000-0000-4000-8000-123456789012"])
def test_a_well_formed_request_id_is_kept(given):
    response = Client().get("/healthz", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] == given
