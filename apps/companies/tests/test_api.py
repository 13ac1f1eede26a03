import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.days import full_years, lender_today
from apps.common.models import Job
from apps.common.tests.replies import problem
from apps.companies.models import Company, FinancialStatement
from apps.companies.tests.factories import company_profile_of, make_company, make_tax_id, statement_of

pytestmark = pytest.mark.django_db
LIST, LOOKUP, INDUSTRIES = "/api/companies/", "/api/companies/lookup/", "/api/companies/industries/"


def address(company):
    return f"{LIST}{company.id}/"


def client(role="officer", branch=None):
    return client_for(make_user(role, branch))


def body_of(**overrides):
    own = {"industry": "G", "incorporated_date": "2014-05-20", "statements": [statement_of(2024), statement_of(2023)]}
    return company_profile_of() | own | overrides


class TestCreate:
    def test_an_officer_creates_in_the_own_branch_and_reads_it_all_back(self):
        given = body_of()
        reply = client("officer", make_branch("north")).post(LIST, given)
        assert reply.status_code == 201
        document = reply.json()
        company = Company.objects.get()
        assert {name: document[name] for name in given} == given
        from_date = full_years(company.incorporated_date, lender_today())
        system = {name: document[name] for name in ("id", "branch", "version", "is_demo", "currency", "warnings")}
        assert system == {
            "id": str(company.id),
            "branch": "north",
            "version": 1,
            "is_demo": False,
            "currency": "UZS",
            "warnings": [],
        }
        assert document["years_in_business"] == from_date
        assert AuditEvent.objects.filter(action="company.create", actor=company.created_by).count() == 1

    def test_name_and_tax_id_are_enough(self):
        reply = client().post(LIST, {"company_name": "A", "tax_id": make_tax_id()})
        assert reply.status_code == 201
        unknown = ("industry", "incorporated_date", "years_in_business", "contact", "guarantor", "existing_debt")
        assert {reply.json()[name] for name in unknown} == {None}
        assert (reply.json()["statements"], reply.json()["parcel_ids"]) == ([], [])

    def test_years_alone_are_kept_and_the_date_wins_over_them(self):
        alone = client().post(LIST, body_of(incorporated_date=None, years_in_business=3.5))
        assert (alone.json()["incorporated_date"], alone.json()["years_in_business"]) == (None, 3.5)
        day = lender_today() - timedelta(days=400)
        both = client().post(LIST, body_of(incorporated_date=day.isoformat(), years_in_business=2))
        assert (both.json()["incorporated_date"], both.json()["years_in_business"]) == (day.isoformat(), 1)

    def test_any_9_digits_are_a_tax_id_and_the_unusual_is_warned_of(self):
        statements = [statement_of(2024, current_assets=2_500_000_001)]
        reply = client().post(LIST, body_of(tax_id="123456789", statements=statements))
        assert reply.status_code == 201
        assert [w["field"] for w in reply.json()["warnings"]] == ["tax_id", "tax_id", "statements.current_assets"]

    def test_the_same_key_gives_the_same_company(self):
        officer, body = client(), body_of()
        first = officer.post(LIST, body, headers={"Idempotency-Key": "key-1"})
        again = officer.post(LIST, body, headers={"Idempotency-Key": "key-1"})
        assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
        assert Company.objects.count() == 1

    def test_a_second_profile_of_a_company_conflicts_and_tells_nothing_of_the_first(self):
        first = make_company(make_branch("north"), company_name="Secret Trade")
        reply = client("officer", make_branch("south")).post(LIST, body_of(tax_id=first.profile["tax_id"]))
        assert problem(reply, 409) == {}
        told = reply.content.decode()
        assert not any(secret in told for secret in ("Secret", "north", first.profile["tax_id"], str(first.id)))
        assert (Company.objects.count(), FinancialStatement.objects.count()) == (1, 2)

    @pytest.mark.parametrize("role", ["approver", "analyst", "auditor", "administrator"])
    def test_other_roles_may_not(self, role):
        problem(client(role).post(LIST, body_of()), 403)
        assert not Company.objects.exists()

    def test_anonymous_may_not(self):
        problem(APIClient().post(LIST, body_of()), 401)
        assert not Company.objects.exists()

    @pytest.mark.parametrize("field", ["company_name", "tax_id"])
    def test_what_is_missing_is_named(self, field):
        body = body_of()
        del body[field]
        assert list(problem(client().post(LIST, body), 400)) == [field]
        assert not Company.objects.exists()

    @pytest.mark.parametrize("field", ["year", "revenue", "net_income", "assets", "liabilities"])
    def test_what_a_statement_lacks_is_named(self, field):
        statement = statement_of(2024)
        del statement[field]
        fields = problem(client().post(LIST, body_of(statements=[statement_of(2023), statement])), 400)
        assert list(fields) == [f"statements[1].{field}"]
        assert not Company.objects.exists()

    @pytest.mark.parametrize("field", ["id", "branch", "version", "is_demo", "warnings", "created_at", "updated_at"])
    def test_what_only_the_system_sets_is_refused(self, field):
        message = problem(client().post(LIST, body_of() | {field: 1}), 400)[field]
        assert message.startswith("This field is set by the system and cannot be written. Allowed: collateral_value, ")
        assert not Company.objects.exists()

    @pytest.mark.parametrize("field", ["score", "status", "declared_revenue", "tax_debt", "years_in_business_given"])
    def test_what_does_not_exist_is_refused(self, field):
        assert problem(client().post(LIST, body_of() | {field: 1}), 400)[field].startswith("There is no such field.")
        assert not Company.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("company_name", "", "company_name"),
            ("company_name", "123", "company_name"),
            ("company_name", "x" * 201, "company_name"),
            ("tax_id", 201589828, "tax_id"),
            ("tax_id", "20158982", "tax_id"),
            ("tax_id", "31210632040244", "tax_id"),
            ("industry", "V", "industry"),
            ("industry", "g", "industry"),
            ("industry", "", "industry"),
            ("industry", 5, "industry"),
            ("incorporated_date", "2014-02-30", "incorporated_date"),
            ("incorporated_date", "2999-01-01", "incorporated_date"),
            ("incorporated_date", "1899-12-31", "incorporated_date"),
            ("years_in_business", 300.5, "years_in_business"),
            ("years_in_business", -1, "years_in_business"),
            ("years_in_business", "5", "years_in_business"),
            ("years_in_business", 90, "years_in_business"),
            ("currency", "XXX", "currency"),
            ("contact", "Nodira", "contact"),
            ("contact", {"phone": "90 123 45 67"}, "contact.name"),
            ("contact", {"name": "N", "phone": "1"}, "contact.phone"),
            ("contact", {"name": "N", "email": "x"}, "contact.email"),
            ("contact", {"name": "N", "role": "x"}, "contact.role"),
            ("guarantor", {"name": "G"}, "guarantor.inn"),
            ("existing_debt", "abc", "existing_debt"),
            ("existing_debt", True, "existing_debt"),
            ("collateral_value", -1, "collateral_value"),
            ("parcel_ids", ["a b"], "parcel_ids[0]"),
            ("statements", {"year": 2024}, "statements"),
            ("statements", [5], "statements[0]"),
            ("statements", [statement_of(2024), statement_of(2024)], "statements[1].year"),
            ("statements", [statement_of(2100)], "statements[0].year"),
            ("statements", [statement_of(1989)], "statements[0].year"),
            ("statements", [statement_of(2024) | {"year": "2024"}], "statements[0].year"),
            ("statements", [statement_of(2024, revenue=-1)], "statements[0].revenue"),
            ("statements", [statement_of(2024, revenue=1.5)], "statements[0].revenue"),
            ("statements", [statement_of(2024, assets=0)], "statements[0].assets"),
            ("statements", [statement_of(2024, liabilities=None)], "statements[0].liabilities"),
            ("statements", [statement_of(2024, net_income=-(10**15) - 1)], "statements[0].net_income"),
            ("statements", [statement_of(2024, ebit=10**15 + 1)], "statements[0].ebit"),
            ("statements", [statement_of(2024, market_value=5)], "statements[0].market_value"),
            ("statements", [statement_of(year) for year in range(1990, 2021)], "statements"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_stored(self, field, value, named):
        assert named in problem(client().post(LIST, body_of() | {field: value}), 400)
        assert (Company.objects.count(), FinancialStatement.objects.count()) == (0, 0)
        assert not AuditEvent.objects.filter(action="company.create").exists()


class TestRead:
    @pytest.mark.parametrize(("role", "full"), [("officer", 1), ("approver", 1), ("analyst", 0), ("auditor", 0)])
    def test_identifiers_are_in_full_only_for_those_who_work_with_the_company(self, role, full):
        company = make_company(make_branch())
        tax_id = company.profile["tax_id"]
        document = client(role).get(address(company)).json()
        assert document["tax_id"] == (tax_id if full else "•" * 7 + tax_id[-2:])
        assert document["parcel_ids"] == (["10:01:02:03:04:0077"] if full else ["•" * 17 + "77"])
        assert document["company_name"] == "Zarafshon Savdo MCHJ"
        assert [statement["year"] for statement in document["statements"]] == [2024, 2023]

    def test_administrators_and_anonymous_see_none(self):
        company = make_company(make_branch())
        for path in (LIST, address(company)):
            problem(client("administrator").get(path), 403)
            problem(APIClient().get(path), 401)

    def test_the_company_of_another_branch_is_not_there(self):
        company = make_company(make_branch("north"))
        south = client("officer", make_branch("south"))
        assert south.get(LIST).json()["results"] == []
        problem(south.get(address(company)), 404)
        problem(south.post(LOOKUP, {"tax_id": company.profile["tax_id"]}), 404)

    @pytest.mark.parametrize("key", ["abc", str(uuid.UUID(int=0))])
    def test_an_id_that_is_nobodys_is_not_there(self, key):
        problem(client().get(f"{LIST}{key}/"), 404)


class TestList:
    def test_a_line_shows_name_masked_tax_id_and_latest_year(self):
        company = make_company(make_branch())
        make_company(make_branch(), statements=[])
        new, old = client("auditor").get(LIST).json()["results"]
        assert (old["id"], old["company_name"], old["latest_statement_year"]) == (
            str(company.id),
            "Zarafshon Savdo MCHJ",
            2024,
        )
        assert old["tax_id"] == "•" * 7 + company.profile["tax_id"][-2:]
        assert new["latest_statement_year"] is None

    def test_filters(self):
        real, demo = make_company(make_branch("north")), make_company(make_branch("south"), is_demo=True, industry="C")
        analyst = client("analyst")

        def ids(query):
            return {line["id"] for line in analyst.get(f"{LIST}?{query}").json()["results"]}

        assert ids("") == {str(real.id), str(demo.id)}
        assert ids("branch=north") == {str(real.id)}
        assert ids("industry=C") == ids("is_demo=true") == {str(demo.id)}

    @pytest.mark.parametrize("query", ["tax_id=201589828", "is_demo=1", "industry=V", "branch=%00"])
    def test_a_filter_that_is_not_one_is_refused_instead_of_showing_all(self, query):
        assert len(problem(client().get(f"{LIST}?{query}"), 400)) == 1

    def test_the_number_of_queries_does_not_grow_with_the_list(self):
        officer = client()
        for _ in range(4):
            make_company(make_branch())
        with CaptureQueriesContext(connection) as few:
            officer.get(f"{LIST}?page_size=1")
        with CaptureQueriesContext(connection) as many:
            assert len(officer.get(LIST).json()["results"]) == 4
        assert len(few) == len(many) == 3  # the token with its user, the page, its statements


class TestLookup:
    def test_a_company_is_found_by_tax_id_in_the_body(self):
        company = make_company(make_branch())
        make_company(make_branch())
        reply = client("approver").post(LOOKUP, {"tax_id": company.profile["tax_id"]})
        assert (reply.status_code, reply.json()["id"]) == (200, str(company.id))

    def test_what_is_not_stored_is_not_found(self):
        problem(client().post(LOOKUP, {"tax_id": make_tax_id()}), 404)

    def test_wrong_role_and_anonymous(self):
        problem(client("administrator").post(LOOKUP, {"tax_id": make_tax_id()}), 403)
        problem(APIClient().post(LOOKUP, {"tax_id": make_tax_id()}), 401)

    @pytest.mark.parametrize("body", [{}, {"tax_id": "1"}, {"tax_id": None}, {"tax_id": 201589828}])
    def test_a_wrong_body_is_named(self, body):
        assert list(problem(client().post(LOOKUP, body), 400)) == ["tax_id"]


class TestIndustries:
    def test_every_role_reads_the_published_list(self):
        reply = client("administrator").get(INDUSTRIES)
        assert reply.status_code == 200
        assert [item["code"] for item in reply.json()] == list("ABCDEFGHIJKLMNOPQRSTU")
        assert reply.json()[2] == {"code": "C", "name": "Manufacturing"}

    def test_anonymous_does_not(self):
        problem(APIClient().get(INDUSTRIES), 401)


class TestChange:
    def test_the_fields_given_are_replaced_and_the_rest_stays(self):
        company = make_company(make_branch())
        body = {"version": 1, "industry": "C", "statements": [statement_of(2025)], "remove_statement_years": [2023]}
        document = client().patch(address(company), body).json()
        assert (document["version"], document["industry"]) == (2, "C")
        assert [statement["year"] for statement in document["statements"]] == [2025, 2024]
        assert Company.objects.get().profile == company.profile
        event = AuditEvent.objects.get(action="company.update")
        assert event.details == {"fields": ["industry", "statements"], "version": 2}
        assert Job.objects.filter(name="rescore_applicant_requests").count() == 1

    def test_a_stale_version_conflicts(self):
        company = make_company(make_branch())
        officer = client()
        assert officer.patch(address(company), {"version": 1, "industry": "C"}).status_code == 200
        body = {"version": 1, "industry": "D", "statements": [statement_of(2020)]}
        problem(officer.patch(address(company), body), 409)
        assert Company.objects.get().industry == "C"
        assert FinancialStatement.objects.count() == 2

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({"industry": "C"}, "version"),
            ({"version": True}, "version"),
            ({"version": 1, "tax_id": "201589828"}, "tax_id"),
            ({"version": 1, "currency": "USD"}, "currency"),
            ({"version": 1, "is_demo": True}, "is_demo"),
            ({"version": 1, "branch": "south"}, "branch"),
            ({"version": 1, "score": 800}, "score"),
            ({"version": 1, "company_name": None}, "company_name"),
            ({"version": 1, "industry": "V"}, "industry"),
            ({"version": 1, "years_in_business": 90}, "years_in_business"),
            ({"version": 1, "contact": {"phone": None}}, "contact.name"),
            ({"version": 1, "industry": "C", "statements": [{"year": 2025}]}, "statements[0].revenue"),
            ({"version": 1, "industry": "C", "statements": [statement_of(2100)]}, "statements[0].year"),
            ({"version": 1, "remove_statement_years": ["2023"]}, "remove_statement_years[0]"),
            (
                {"version": 1, "statements": [statement_of(2023)], "remove_statement_years": [2023]},
                "remove_statement_years",
            ),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_changes(self, body, named):
        company = make_company(make_branch())
        assert named in problem(client().patch(address(company), body), 400)
        stored = Company.objects.get()
        assert (stored.version, stored.industry, stored.profile) == (1, "G", company.profile)
        assert FinancialStatement.objects.count() == 2
        assert not AuditEvent.objects.filter(action="company.update").exists()
        assert not Job.objects.exists()

    def test_wrong_role_anonymous_and_other_branch(self):
        company = make_company(make_branch())
        body = {"version": 1, "industry": "C"}
        for role in ("approver", "analyst", "auditor", "administrator"):
            problem(client(role).patch(address(company), body), 403)
        problem(APIClient().patch(address(company), body), 401)
        problem(client("officer", make_branch("south")).patch(address(company), body), 404)
        assert Company.objects.get().industry == "G"
