import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.days import lender_today
from apps.common.tests.replies import problem
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual, make_pinfl, profile_of

pytestmark = pytest.mark.django_db
LIST, LOOKUP = "/api/individuals/", "/api/individuals/lookup/"


def address(individual):
    return f"{LIST}{individual.id}/"


def client(role="officer", branch=None):
    return client_for(make_user(role, branch))


def row_of(**overrides):
    return {"month": "2026-01", "amount": 5_000_000, "basis": "gross", "source": "official"} | overrides


class TestCreate:
    def test_an_officer_creates_in_the_own_branch_and_reads_it_all_back(self):
        north = make_branch("north")
        given = profile_of(phone="90 765 43 21", incomes=[row_of()])
        reply = client("officer", north).post(LIST, given)
        assert reply.status_code == 201
        document = reply.json()
        individual = Individual.objects.get()
        assert {name: document[name] for name in given} == given | {"phone": "+998907654321"}
        assert document["derived"] == {
            "yearly_income": {"amount": 120_000_000, "obtained": "given"},
            "salary": {"amount": 9_000_000, "obtained": "given"},
        }
        system = {name: document[name] for name in ("id", "branch", "version", "is_demo", "currency", "warnings")}
        assert system == {
            "id": str(individual.id),
            "branch": "north",
            "version": 1,
            "is_demo": False,
            "currency": "UZS",
            "warnings": [],
        }
        assert individual.profile == given | {"phone": "+998907654321"}
        assert AuditEvent.objects.filter(action="individual.create", actor=individual.created_by).count() == 1

    def test_name_pinfl_and_birth_date_are_enough(self):
        reply = client().post(LIST, {"full_name": "A", "pinfl": make_pinfl(), "birth_date": "1985-03-14"})
        assert reply.status_code == 201
        assert reply.json()["derived"] == {"yearly_income": None, "salary": None}
        assert (reply.json()["incomes"], reply.json()["bureau"], reply.json()["parcel_ids"]) == ([], None, [])

    def test_derived_income_says_how_it_was_obtained(self):
        rows = [row_of(), row_of(basis="net", amount=4_400_000)]
        reply = client().post(LIST, profile_of(salary=None, yearly_income=None, incomes=rows))
        assert reply.json()["derived"] == {
            "yearly_income": {"amount": 60_000_000, "obtained": "income rows"},
            "salary": {"amount": 4_400_000, "obtained": "income rows"},
        }
        assert (reply.json()["salary"], reply.json()["yearly_income"]) == (None, None)

    def test_the_unusual_is_accepted_with_a_warning_that_repeats_no_identifier(self):
        guarantor = {"name": "Aziza", "inn": "123456789", "phone": None}
        reply = client().post(LIST, profile_of(parcel_ids=["UZ-ABC-100"], guarantor=guarantor))
        warnings = [(item["field"], item["message"]) for item in reply.json()["warnings"]]
        assert [field for field, _ in warnings] == ["parcel_ids[0]", "guarantor.inn", "guarantor.inn"]
        assert not any("123456789" in message or "UZ-ABC" in message for _, message in warnings)

    def test_the_same_key_gives_the_same_person(self):
        officer, body = client(), profile_of()
        first = officer.post(LIST, body, headers={"Idempotency-Key": "key-1"})
        again = officer.post(LIST, body, headers={"Idempotency-Key": "key-1"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert Individual.objects.count() == 1
        other = officer.post(LIST, body | {"full_name": "Another"}, headers={"Idempotency-Key": "key-1"})
        assert other.status_code == 422

    def test_a_second_profile_of_a_person_conflicts_and_tells_nothing_of_the_first(self):
        first = make_individual(make_branch("north"), full_name="Secret Name")
        reply = client("officer", make_branch("south")).post(LIST, profile_of(pinfl=first.profile["pinfl"]))
        assert problem(reply, 409) == {}
        told = reply.content.decode()
        assert not any(secret in told for secret in ("Secret", "north", first.profile["pinfl"], str(first.id)))
        assert Individual.objects.count() == 1

    @pytest.mark.parametrize("role", ["approver", "analyst", "auditor", "administrator"])
    def test_other_roles_may_not(self, role):
        problem(client(role).post(LIST, profile_of()), 403)
        assert not Individual.objects.exists()

    def test_anonymous_may_not(self):
        problem(APIClient().post(LIST, profile_of()), 401)
        assert not Individual.objects.exists()

    @pytest.mark.parametrize("field", ["full_name", "pinfl", "birth_date"])
    def test_what_is_missing_is_named(self, field):
        body = profile_of()
        del body[field]
        assert list(problem(client().post(LIST, body), 400)) == [field]
        assert not Individual.objects.exists()

    @pytest.mark.parametrize(
        "field", ["id", "branch", "version", "is_demo", "derived", "warnings", "created_at", "updated_at"]
    )
    def test_what_only_the_system_sets_is_refused(self, field):
        message = problem(client().post(LIST, profile_of() | {field: 1}), 400)[field]
        assert message.startswith("This field is set by the system and cannot be written. Allowed: birth_date, ")
        assert not Individual.objects.exists()

    @pytest.mark.parametrize("field", ["score", "status", "declared_yearly_income", "tax_debt", "sealed"])
    def test_what_does_not_exist_is_refused(self, field):
        assert problem(client().post(LIST, profile_of() | {field: 1}), 400)[field].startswith("There is no such field.")
        assert not Individual.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("full_name", "", "full_name"),
            ("full_name", "12345", "full_name"),
            ("full_name", "x" * 201, "full_name"),
            ("full_name", ["a"], "full_name"),
            ("pinfl", 31210632040244, "pinfl"),
            ("pinfl", "31210632040245", "pinfl"),
            ("birth_date", "1985-02-30", "birth_date"),
            ("birth_date", "14.03.1985", "birth_date"),
            ("birth_date", "1899-12-31", "birth_date"),
            ("birth_date", "1985-03-15", "birth_date"),
            ("birth_date", None, "birth_date"),
            ("currency", "XXX", "currency"),
            ("currency", ["UZS"], "currency"),
            ("phone", "12", "phone"),
            ("email", "nobody", "email"),
            ("email", 5, "email"),
            ("salary", "abc", "salary"),
            ("salary", "5", "salary"),
            ("salary", 1.5, "salary"),
            ("salary", True, "salary"),
            ("salary", -1, "salary"),
            ("salary", 10**15 + 1, "salary"),
            ("yearly_income", {"amount": 5}, "yearly_income"),
            ("existing_debt", [5], "existing_debt"),
            ("property_net_worth", -(10**15) - 1, "property_net_worth"),
            ("criminal_history", "false", "criminal_history"),
            ("criminal_history", 0, "criminal_history"),
            ("employment_years", 81, "employment_years"),
            ("credit_history_score", 1001, "credit_history_score"),
            ("credit_history_score", 851, "credit_history_score"),
            ("credit_history_scale", None, "credit_history_scale"),
            ("credit_history_scale", "vantage", "credit_history_scale"),
            ("guarantor", "Aziza", "guarantor"),
            ("guarantor", {"name": "Aziza"}, "guarantor.inn"),
            ("guarantor", {"name": "A", "inn": "12345678"}, "guarantor.inn"),
            ("guarantor", {"name": "A", "inn": "123456789", "phone": "1"}, "guarantor.phone"),
            ("guarantor", {"name": "A", "inn": "123456789", "rating": 5}, "guarantor.rating"),
            ("incomes", {"month": "2026-01"}, "incomes"),
            ("incomes", [row_of(month="2026-13")], "incomes[0].month"),
            ("incomes", [row_of(month="2026-1")], "incomes[0].month"),
            ("incomes", [row_of(month="1899-12")], "incomes[0].month"),
            ("incomes", [row_of(), row_of(basis="netto")], "incomes[1].basis"),
            ("incomes", [row_of(source=None)], "incomes[0].source"),
            ("incomes", [row_of(amount=-1)], "incomes[0].amount"),
            ("incomes", [row_of(), row_of(amount=1)], "incomes"),
            ("bureau", {}, "bureau.source"),
            ("bureau", {"source": "B", "observed_at": "soon"}, "bureau.observed_at"),
            ("bureau", {"source": "B", "observed_at": "2026-01-15", "open_accounts": 1001}, "bureau.open_accounts"),
            (
                "bureau",
                {"source": "B", "observed_at": "2026-01-15", "revolving_utilisation": 11},
                "bureau.revolving_utilisation",
            ),
            (
                "bureau",
                {"source": "B", "observed_at": "2026-01-15", "oldest_account_date": "2026-01-16"},
                "bureau.oldest_account_date",
            ),
            ("bureau", {"source": "B", "observed_at": "2026-01-15", "score": 5}, "bureau.score"),
            ("parcel_ids", ["a b"], "parcel_ids[0]"),
            ("parcel_ids", ["a", "a"], "parcel_ids"),
            ("parcel_ids", "a", "parcel_ids"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_stored(self, field, value, named):
        fields = problem(client().post(LIST, profile_of() | {field: value}), 400)
        assert named in fields
        assert not Individual.objects.exists()
        assert not AuditEvent.objects.filter(action="individual.create").exists()

    def test_every_wrong_field_is_named_at_once(self):
        body = profile_of() | {"salary": "abc", "email": "x", "criminal_history": "false"}
        assert sorted(problem(client().post(LIST, body), 400)) == ["criminal_history", "email", "salary"]

    def test_income_rows_end_at_120_and_with_this_month(self):
        months = [f"{year}-{month:02}" for year in range(2010, 2021) for month in range(1, 13)]
        fields = problem(client().post(LIST, profile_of(incomes=[row_of(month=m) for m in months[:121]])), 400)
        assert list(fields) == ["incomes"]
        today = lender_today()
        following = f"{today.year + today.month // 12}-{today.month % 12 + 1:02}"
        fields = problem(client().post(LIST, profile_of(incomes=[row_of(month=following)])), 400)
        assert fields == {"incomes[0].month": "The month lies in the future; allowed is this month or earlier."}
        accepted = [row_of(month=month) for month in [*months[:119], f"{today:%Y-%m}"]]
        assert client().post(LIST, profile_of(incomes=accepted)).status_code == 201

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" + "0" * 400])
    def test_numbers_that_cannot_be_held_are_refused_by_name(self, number):
        body = json.dumps(profile_of()).replace("9000000", number)
        reply = client().post(LIST, body, content_type="application/json")
        assert list(problem(reply, 400)) == ["salary"]
        assert not Individual.objects.exists()


class TestRead:
    @pytest.mark.parametrize(("role", "full"), [("officer", 1), ("approver", 1), ("analyst", 0), ("auditor", 0)])
    def test_identifiers_are_in_full_only_for_those_who_work_with_the_person(self, role, full):
        individual = make_individual(make_branch())
        pinfl = individual.profile["pinfl"]
        document = client(role).get(address(individual)).json()
        assert document["pinfl"] == (pinfl if full else "•" * 12 + pinfl[-2:])
        assert document["guarantor"]["inn"] == ("201589828" if full else "•••••••28")
        assert document["parcel_ids"] == (["10:01:02:03:04:0055"] if full else ["•" * 17 + "55"])
        assert (document["full_name"], document["birth_date"]) == ("Dilshod Karimov", "1985-03-14")

    def test_administrators_and_anonymous_see_nobody(self):
        individual = make_individual(make_branch())
        for path in (LIST, address(individual)):
            problem(client("administrator").get(path), 403)
            problem(APIClient().get(path), 401)

    def test_the_person_of_another_branch_is_not_there(self):
        individual = make_individual(make_branch("north"))
        south = client("officer", make_branch("south"))
        assert south.get(LIST).json()["results"] == []
        problem(south.get(address(individual)), 404)
        problem(south.post(LOOKUP, {"pinfl": individual.profile["pinfl"]}), 404)

    @pytest.mark.parametrize("key", ["abc", str(uuid.UUID(int=0)), "1"])
    def test_an_id_that_is_nobodys_is_not_there(self, key):
        problem(client().get(f"{LIST}{key}/"), 404)

    def test_methods_that_do_not_exist_are_refused(self):
        individual = make_individual(make_branch())
        officer = client()
        assert officer.delete(address(individual)).status_code in (403, 405)
        assert officer.put(address(individual), profile_of()).status_code in (403, 405)
        assert Individual.objects.get().version == 1


class TestList:
    def test_a_line_shows_name_and_masked_pinfl_to_every_role(self):
        individual = make_individual(make_branch())
        (line,) = client().get(LIST).json()["results"]
        assert sorted(line) == sorted(
            ["id", "branch", "full_name", "pinfl", "currency", "version", "is_demo", "created_at", "updated_at",
             "erased_at"]
        )  # fmt: skip
        assert line["id"] == str(individual.id)
        assert line["pinfl"] == "•" * 12 + individual.profile["pinfl"][-2:]

    def test_filters(self):
        north, south = make_branch("north"), make_branch("south")
        real, demo = make_individual(north), make_individual(south, is_demo=True)
        analyst = client("analyst")

        def ids(query):
            return {line["id"] for line in analyst.get(f"{LIST}?{query}").json()["results"]}

        assert ids("") == {str(real.id), str(demo.id)}
        assert ids("branch=north") == {str(real.id)}
        assert ids("branch=west") == set()
        assert ids("is_demo=true") == {str(demo.id)}
        assert ids("is_demo=false&branch=south") == set()

    @pytest.mark.parametrize("query", ["pinfl=31210632040244", "is_demo=maybe", "branch=%00", "sealed=1"])
    def test_a_filter_that_is_not_one_is_refused_instead_of_showing_everybody(self, query):
        make_individual(make_branch())
        assert len(problem(client().get(f"{LIST}?{query}"), 400)) == 1

    def test_pages_follow_each_other_newest_first(self):
        made = [make_individual(make_branch()) for _ in range(3)]
        officer = client()
        first = officer.get(f"{LIST}?page_size=2").json()
        second = officer.get(first["next"]).json()
        seen = [line["id"] for page in (first, second) for line in page["results"]]
        assert seen == [str(individual.id) for individual in reversed(made)]
        assert second["next"] is None

    def test_the_number_of_queries_does_not_grow_with_the_list(self):
        officer = client()
        for _ in range(5):
            make_individual(make_branch())
        with CaptureQueriesContext(connection) as few:
            officer.get(f"{LIST}?page_size=1")
        with CaptureQueriesContext(connection) as many:
            assert len(officer.get(LIST).json()["results"]) == 5
        assert len(few) == len(many) == 2  # the token with its user, the page


class TestLookup:
    @pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
    def test_a_person_is_found_by_pinfl_in_the_body(self, role):
        individual = make_individual(make_branch())
        make_individual(make_branch())
        reply = client(role).post(LOOKUP, {"pinfl": individual.profile["pinfl"]})
        assert (reply.status_code, reply.json()["id"]) == (200, str(individual.id))

    def test_who_is_not_stored_is_not_found(self):
        problem(client().post(LOOKUP, {"pinfl": make_pinfl()}), 404)

    def test_wrong_role_and_anonymous(self):
        problem(client("administrator").post(LOOKUP, {"pinfl": make_pinfl()}), 403)
        problem(APIClient().post(LOOKUP, {"pinfl": make_pinfl()}), 401)

    @pytest.mark.parametrize("body", [{}, {"pinfl": "1"}, {"pinfl": None}, {"pinfl": ["1"]}, {"pinfl": 31210632040244}])
    def test_a_wrong_body_is_named(self, body):
        assert list(problem(client().post(LOOKUP, body), 400)) == ["pinfl"]
