"""Every address that takes a body, given bodies that nobody should send: a named 4xx, never a 500, nothing stored."""

import json

import pytest
from django.apps import apps

from apps.accounts.tests.factories import client_for, make_user

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "/api/score/individual/": "officer",
    "/api/score/company/": "officer",
    "/api/individuals/": "officer",
    "/api/individuals/lookup/": "officer",
    "/api/companies/": "officer",
    "/api/credit-requests/": "officer",
    "/api/products/": "administrator",
    "/api/users/": "administrator",
    "/api/branches/": "administrator",
    "/api/webhooks/": "administrator",
    "/api/staff-links/": "officer",
    "/api/external/soliq/lookup/": "officer",
}
DEEP = 200_000
NAMES = ("pinfl", "inn", "full_name", "requested_amount", "product", "role", "code", "guarantor", "incomes")
BODIES = {
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"abc"',
    "null": b"null",
    "not UTF-8": b'{"a": "\xff"}',
    "NaN": b'{"requested_amount": NaN, "existing_debt": Infinity}',
    "1e400": b'{"requested_amount": 1e400}',
    "10**400": b'{"requested_amount": 1' + b"0" * 400 + b"}",
    "10**5000": b'{"requested_amount": 1' + b"0" * 5000 + b"}",
    "duplicate keys": b'{"requested_amount": 1, "requested_amount": 2}',
    "NUL": b'{"full_name": "a\\u0000b", "pinfl": "\\u0000", "username": "\\u0000", "code": "\\u0000"}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "lone surrogate": b'{"full_name": "\\ud800", "purpose": "\\ud800", "inn": "\\ud800"}',
    "deep list": b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep object": b'{"":' * DEEP + b"1" + b"}" * DEEP,
    "lists for everything": json.dumps({name: [1] for name in NAMES}).encode(),
    "objects for everything": json.dumps({name: {"a": 1} for name in NAMES}).encode(),
    "negative money": b'{"requested_amount": -1, "existing_debt": -5, "yearly_income": -1}',
    "text for a flag": b'{"criminal_history": "false", "has_guarantor": "false", "is_active": "false"}',
    "text for a number": b'{"requested_amount": "abc", "yearly_income": "abc", "term_months": "12"}',
}


def row_counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def assert_problem(response, status: set[int]) -> dict:
    assert response.status_code in status, response.content[:400]
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"].startswith("urn:credit-ml:problem:")
    assert body["detail"]
    return body


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hostile_body_is_refused_by_name_and_leaves_nothing(address, name):
    client = client_for(make_user(ADDRESSES[address]))
    before = row_counts()
    response = client.post(address, data=BODIES[name], content_type="application/json")
    assert_problem(response, {400})
    assert row_counts() == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_body_over_1_mib_is_too_large(address):
    client = client_for(make_user(ADDRESSES[address]))
    before = row_counts()
    body = b'{"full_name": "' + b"a" * (1 << 20) + b'"}'
    assert_problem(client.post(address, data=body, content_type="application/json"), {413})
    assert row_counts() == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_another_media_type_is_refused(address):
    client = client_for(make_user(ADDRESSES[address]))
    assert_problem(client.post(address, data="a=1", content_type="application/x-www-form-urlencoded"), {415})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"requested_amount": NaN}', "requested_amount"),
        (b'{"requested_amount": 1e400}', "requested_amount"),
        (b'{"existing_debt": 1, "existing_debt": 2}', "existing_debt"),
        (b'{"purpose": "a\\u0000"}', "purpose"),
    ],
)
def test_the_problem_names_the_field(body, field):
    client = client_for(make_user("officer"))
    response = client.post("/api/score/individual/", data=body, content_type="application/json")
    assert [error["field"] for error in assert_problem(response, {400})["errors"]] == [field]


@pytest.mark.parametrize(
    "path",
    [
        "/api/external/soliq/%00/",
        "/api/external/soliq/12345/",
        "/api/external/soliq/١٢٣٤٥٦٧٨٩/",
        "/api/external/kadastr/%00/",
        "/api/external/kadastr/" + "1" * 65 + "/",
        "/api/external/kadastr/a%20b/",
        "/api/credit-requests/?status=nonsense",
        "/api/credit-requests/?branch=%00",
        "/api/credit-requests/?cursor=nonsense",
        "/api/prediction-logs/?mode=nonsense",
        "/api/individuals/?cursor=%00",
        "/api/individuals/?page_size=0",
        "/api/individuals/?page_size=201",
        "/api/individuals/?page_size=abc",
        "/api/individuals/?page_size=%D9%A1",
    ],
)
def test_a_hostile_address_is_refused(path):
    client = client_for(make_user("officer"))
    before = row_counts()
    assert_problem(client.get(path), {400, 404})
    assert row_counts() == before
