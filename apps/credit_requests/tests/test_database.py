"""What the database keeps by itself, whoever writes."""

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from apps.accounts.tests.factories import make_branch
from apps.companies.tests.factories import make_company
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.tests.factories import decided_guard_lifted, make_product, make_request, status_guard_lifted
from apps.credit_requests.transitions import MOVES, STATUSES

pytestmark = pytest.mark.django_db
TABLE = {(move.source, move.target) for move in MOVES}


def refused(match, rows, **columns):
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        rows.update(**columns)


@pytest.mark.parametrize("source", STATUSES)
@pytest.mark.parametrize("target", STATUSES)
def test_the_database_allows_exactly_the_moves_of_the_table(source, target):
    rows = CreditRequest.objects.filter(id=make_request().id)
    with status_guard_lifted():
        rows.update(status=source)
    with decided_guard_lifted():
        if source == target or (source, target) in TABLE:
            rows.update(status=target)
            assert rows.get().status == target
        else:
            refused("status move refused", rows, status=target)
            assert rows.get().status == source


@pytest.mark.parametrize("status", ["approved", "referred", "rejected"])
def test_no_request_is_decided_without_a_decision(status):
    rows = CreditRequest.objects.filter(id=make_request().id)
    refused("no decision leads to this status", rows, status=status)
    assert rows.get().status == "pending"


@pytest.mark.parametrize("status", STATUSES)
def test_a_new_request_has_a_status_that_the_table_lets_it_start_with(status):
    request = make_request()
    twin = CreditRequest.objects.get(id=request.id)
    twin.id, twin.status, twin.prediction = None, status, None
    if ("", status) in TABLE:
        twin.save(force_insert=True)
        assert CreditRequest.objects.count() == 2
    else:
        with pytest.raises(DatabaseError, match="status of a new request refused"), transaction.atomic():
            twin.save(force_insert=True)


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("requested_amount", 0, "credit_request_requested_amount"),
        ("requested_amount", -5, "credit_request_requested_amount"),
        ("requested_amount", 10**15 + 1, "credit_request_requested_amount"),
        ("term_months", 0, "credit_request_term_months"),
        ("term_months", 601, "credit_request_term_months"),
        ("channel", "pigeon", "credit_request_channel"),
        ("purpose", "yacht", "credit_request_purpose"),
        ("currency", "XXX", "credit_request_currency"),
        ("individual", None, "credit_request_one_applicant"),
    ],
)
def test_a_request_keeps_its_bounds(column, value, constraint):
    make_request()
    refused(constraint, CreditRequest.objects.all(), **{column: value})


def test_a_request_has_one_applicant_not_two():
    request = make_request()
    company = make_company(make_branch())
    refused("credit_request_one_applicant", CreditRequest.objects.filter(id=request.id), company=company)


def test_a_prediction_that_a_request_rests_on_cannot_go():
    request = make_request()
    with pytest.raises(DatabaseError), transaction.atomic():
        request.prediction.delete()


@pytest.mark.parametrize(
    ("overrides", "constraint"),
    [
        ({"kind": "gift"}, "product_kind"),
        ({"repayment_type": "never"}, "product_repayment_type"),
        ({"currency": "XXX"}, "product_currency"),
        ({"annual_rate_basis_points": 100_001}, "product_rate"),
        ({"fee_basis_points": 10_001}, "product_fee_rate"),
        ({"fee_amount": -1}, "product_fee_amount"),
        ({"fee_amount": 10**15 + 1}, "product_fee_amount"),
        ({"least_amount": 0}, "product_amounts"),
        ({"most_amount": 10**15 + 1}, "product_amounts"),
        ({"least_term_months": 0}, "product_terms"),
        ({"most_term_months": 601}, "product_terms"),
    ],
)
def test_a_product_keeps_its_bounds(overrides, constraint):
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        make_product(**overrides)
    assert Product.objects.count() == 0


@pytest.mark.parametrize(
    ("least", "most"), [("least_amount", "most_amount"), ("least_term_months", "most_term_months")]
)
def test_least_is_at_most_most(least, most):
    product = make_product()
    twin = Product.objects.get(id=product.id)
    twin.id, twin.code = None, "twin"
    setattr(twin, least, getattr(twin, most) + 1)
    with pytest.raises(DatabaseError, match=f"product_{least.split('_')[1]}"), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    "column",
    [
        "annual_rate_basis_points",
        "fee_basis_points",
        "fee_amount",
        "least_amount",
        "most_amount",
        "least_term_months",
        "most_term_months",
    ],
)
def test_the_terms_of_a_product_never_change(column):
    make_product()
    refused("terms of a product never change", Product.objects.all(), **{column: F(column) + 1})


@pytest.mark.parametrize(
    ("column", "value"), [("kind", "other"), ("currency", "USD"), ("repayment_type", "bullet"), ("code", "other")]
)
def test_kind_currency_repayment_and_code_of_a_product_never_change(column, value):
    make_product()
    refused("terms of a product never change", Product.objects.all(), **{column: value})


def test_name_and_activity_of_a_product_may_change():
    product = make_product()
    Product.objects.update(name="Another name", is_active=False)
    product.refresh_from_db()
    assert (product.name, product.is_active) == ("Another name", False)
