"""/api/products/: administrators write, readers read, terms never change."""

import pytest
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.credit_requests.models import Product
from apps.credit_requests.tests.factories import make_product, terms_of

pytestmark = pytest.mark.django_db
LIST = "/api/products/"


def address(product):
    return f"{LIST}{product.id}/"


@pytest.fixture
def administrator():
    return client_for(make_user("administrator"))


def fields_of(response, status=400):
    assert response.status_code == status, response.json()
    assert response["Content-Type"] == "application/problem+json"
    return [problem["field"] for problem in response.json()["errors"]]


def test_an_administrator_creates_a_product(administrator):
    terms = terms_of(code="car-2026")
    response = administrator.post(LIST, terms)
    assert response.status_code == 201
    body = response.json()
    assert terms | {"is_active": True, "version": 1} == {name: body[name] for name in [*terms, "is_active", "version"]}
    product = Product.objects.get()
    assert str(product.id) == body["id"]
    event = AuditEvent.objects.get(action="product.create")
    assert (event.subject_id, event.details) == (str(product.id), {"code": "car-2026"})


@pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
def test_others_read_but_do_not_write(role):
    product = make_product()
    client = client_for(make_user(role))
    assert [row["id"] for row in client.get(LIST).json()["results"]] == [str(product.id)]
    assert client.get(address(product)).json()["code"] == product.code
    assert client.post(LIST, terms_of()).status_code == 403
    assert client.patch(address(product), {"version": 1, "is_active": False}).status_code == 403
    product.refresh_from_db()
    assert (Product.objects.count(), product.is_active, product.version) == (1, True, 1)


def test_anonymous_is_sent_to_sign_in():
    product = make_product()
    assert APIClient().get(LIST).status_code == 401
    assert APIClient().get(address(product)).status_code == 401
    assert APIClient().post(LIST, terms_of()).status_code == 401
    assert APIClient().patch(address(product), {"version": 1, "is_active": False}).status_code == 401
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"code": "with space"}, "code"),
        ({"code": ""}, "code"),
        ({"code": 5}, "code"),
        ({"name": "x" * 201}, "name"),
        ({"kind": "gift"}, "kind"),
        ({"currency": "uzs"}, "currency"),
        ({"annual_rate_basis_points": 26.0}, "annual_rate_basis_points"),
        ({"annual_rate_basis_points": "2600"}, "annual_rate_basis_points"),
        ({"annual_rate_basis_points": -1}, "annual_rate_basis_points"),
        ({"fee_basis_points": 10_001}, "fee_basis_points"),
        ({"fee_amount": True}, "fee_amount"),
        ({"repayment_type": "never"}, "repayment_type"),
        ({"least_amount": 0}, "least_amount"),
        ({"most_amount": 10**15 + 1}, "most_amount"),
        ({"most_amount": 10**400}, "(body)"),
        ({"least_amount": 2_000_000_000}, "least_amount"),
        ({"least_term_months": 0}, "least_term_months"),
        ({"most_term_months": 601}, "most_term_months"),
        ({"least_term_months": 61}, "least_term_months"),
        ({"is_active": "false"}, "is_active"),
        ({"version": 7}, "version"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_invalid_terms_are_refused_by_name(administrator, overrides, field):
    response = administrator.post(LIST, terms_of(**overrides))
    assert fields_of(response) == [field if field != "(body)" else "most_amount"]
    assert Product.objects.count() == 0
    assert not AuditEvent.objects.filter(action="product.create").exists()


@pytest.mark.parametrize("name", ["code", "name", "kind", "currency", "annual_rate_basis_points", "repayment_type"])
def test_what_binds_must_be_given(administrator, name):
    terms = terms_of()
    del terms[name]
    assert fields_of(administrator.post(LIST, terms)) == [name]


def test_a_code_is_taken_once(administrator):
    make_product(code="car-2026")
    response = administrator.post(LIST, terms_of(code="car-2026"))
    assert response.status_code == 409
    assert Product.objects.count() == 1


def test_the_same_key_creates_one_product(administrator):
    terms = terms_of()
    replies = [administrator.post(LIST, terms, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json() == replies[1].json()
    other = administrator.post(LIST, terms_of(), headers={"Idempotency-Key": "one"})
    assert other.status_code == 422
    assert Product.objects.count() == 1


def test_name_and_activity_change(administrator):
    product = make_product()
    response = administrator.patch(address(product), {"version": 1, "is_active": False, "name": "Old credit"})
    assert response.status_code == 200
    assert {name: response.json()[name] for name in ("is_active", "name", "version")} == {
        "is_active": False,
        "name": "Old credit",
        "version": 2,
    }
    details = AuditEvent.objects.get(action="product.update").details
    assert details == {"version": 2, "is_active": False, "changed": ["is_active", "name"]}


def test_a_stale_version_changes_nothing(administrator):
    product = make_product()
    administrator.patch(address(product), {"version": 1, "name": "Second"})
    response = administrator.patch(address(product), {"version": 1, "name": "Third"})
    assert response.status_code == 409
    product.refresh_from_db()
    assert (product.name, product.version) == ("Second", 2)


@pytest.mark.parametrize("name", ["annual_rate_basis_points", "most_amount", "currency", "code"])
def test_terms_are_not_changed(administrator, name):
    product = make_product()
    response = administrator.patch(address(product), {"version": 1, name: 1})
    assert fields_of(response) == [name]
    assert "Create a new product" in response.json()["detail"]
    product.refresh_from_db()
    assert product.version == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"is_active": False}, "version"),
        ({"version": "1", "is_active": False}, "version"),
        ({"version": 1, "is_active": "no"}, "is_active"),
        ({"version": 1, "colour": "red"}, "colour"),
    ],
)
def test_an_invalid_change_is_refused_by_name(administrator, body, field):
    product = make_product()
    assert fields_of(administrator.patch(address(product), body)) == [field]
    product.refresh_from_db()
    assert (product.version, product.is_active) == (1, True)


def test_filters(administrator):
    make_product(code="a", kind="mortgage")
    make_product(code="b", currency="USD")
    make_product(code="c", is_active=False)
    codes = {
        query: [row["code"] for row in administrator.get(f"{LIST}?{query}").json()["results"]]
        for query in ("kind=mortgage", "currency=USD", "is_active=false", "is_active=true")
    }
    assert codes == {
        "kind=mortgage": ["a"],
        "currency=USD": ["b"],
        "is_active=false": ["c"],
        "is_active=true": ["b", "a"],
    }
    assert administrator.get(f"{LIST}?kind=gift").status_code == 400
    assert administrator.get(f"{LIST}?colour=red").status_code == 400


def test_an_unknown_product_is_not_found(administrator):
    for name in ("00000000-0000-4000-8000-000000000000", "abc"):
        assert administrator.get(f"{LIST}{name}/").status_code == 404
