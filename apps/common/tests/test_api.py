"""Errors as problem+json: one field path per error, a stable type, the same for every kind of refusal."""

import pytest
from django.test import Client
from rest_framework import exceptions

from apps.common.api import flatten, problem_handler
from apps.common.errors import Conflict, FieldProblem, InvalidInput
from apps.common.renderers import JSONRenderer


def test_a_nested_validation_error_has_one_entry_per_field():
    detail = exceptions.ValidationError(
        {
            "pinfl": ["A PINFL has exactly 14 digits."],
            "incomes": [{}, {"amount": ["too much", "no unit"]}],
            "parcel_ids": {3: ["no parcel id"]},
            "guarantor": {"non_field_errors": ["name or inn is needed"]},
            "non_field_errors": ["these do not go together"],
        }
    ).detail
    assert list(flatten(detail)) == [
        FieldProblem("pinfl", "A PINFL has exactly 14 digits."),
        FieldProblem("incomes[1].amount", "too much"),
        FieldProblem("incomes[1].amount", "no unit"),
        FieldProblem("parcel_ids[3]", "no parcel id"),
        FieldProblem("guarantor", "name or inn is needed"),
        FieldProblem("(body)", "these do not go together"),
    ]


def test_a_refusal_of_very_much_stays_short():
    many = {f"field_{number}": ["There is no such field."] for number in range(100_000)}
    reply = problem_handler(exceptions.ValidationError(many), {})
    assert len(reply.data["errors"]) == 50
    assert len(reply.data["detail"]) <= 2_000
    assert len(JSONRenderer().render(reply.data)) < 10_000


def test_long_names_and_messages_are_cut():
    reply = problem_handler(InvalidInput("d" * 1_000_000, [FieldProblem("f" * 1_000_000, "m" * 1_000_000)]), {})
    (error,) = reply.data["errors"]
    assert (len(reply.data["detail"]), len(error["field"]), len(error["message"])) == (2_000, 200, 2_000)


def test_a_number_that_json_lacks_never_leaves_the_house():
    with pytest.raises(ValueError, match="Out of range float"):
        JSONRenderer().render({"score": float("nan")})


def test_a_domain_error_reads_as_a_sentence():
    assert str(Conflict("The record has changed.")) == "The record has changed."
    refusal = InvalidInput.of(currency="XXX is not in the list.")
    assert (refusal.detail, refusal.errors) == (
        "currency: XXX is not in the list.",
        [FieldProblem("currency", "XXX is not in the list.")],
    )


@pytest.mark.django_db
def test_an_address_that_does_not_exist_is_a_problem_too():
    response = Client().get("/api/nothing-here/")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["type"] == "urn:credit-ml:problem:not-found"


@pytest.mark.django_db
def test_a_fault_of_ours_is_a_problem_with_an_id_and_without_details(monkeypatch, caplog):
    def fail(request) -> None:
        raise RuntimeError("Каримов 31210632040244")

    monkeypatch.setattr("config.health._models", lambda: fail(None))
    client = Client(raise_request_exception=False)
    response = client.get("/readyz", headers={"X-Request-ID": "trace-me-0001"})
    assert (response.status_code, response["X-Request-ID"]) == (500, "trace-me-0001")
    assert response.json()["type"] == "urn:credit-ml:problem:internal-error"
    assert "Каримов" not in response.content.decode()


def test_a_redis_that_does_not_answer_is_a_503_that_says_so(client, settings):
    settings.CACHES = {"default": {"BACKEND": "apps.common.caches.SharedCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    body = {"username": "nobody", "password": "nothing"}
    response = client.post("/api/auth/login/", body, content_type="application/json")
    told = response.json()
    assert (response.status_code, told["type"]) == (503, "urn:credit-ml:problem:cache-unreachable")
    assert told["detail"].startswith("Redis, which the processes of this installation share, does not answer.")
