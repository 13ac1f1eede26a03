from datetime import date

import pytest

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput
from apps.common.models import DataKey, Job
from apps.companies.models import Company, FinancialStatement
from apps.companies.profile import EMPTY_PROFILE, find_warnings
from apps.companies.services import create_company, update_company
from apps.companies.tests.factories import company_profile_of, make_company, make_tax_id, statement_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 5, 20)


def refused(**overrides):
    branch = make_branch()
    with pytest.raises(InvalidInput) as error:
        make_company(branch, today=TODAY, **overrides)
    counts = [model.objects.count() for model in (Company, FinancialStatement, DataKey, AuditEvent)]
    assert counts == [0, 0, 0, 0]
    return {problem.field: problem.message for problem in error.value.errors}


def years_of(company):
    return list(company.statements.order_by("year").values_list("year", "revenue", "ebit"))


def test_a_created_company_opens_again_and_leaves_an_event():
    officer = make_user("officer")
    given = {"company_name": "Oʻzbek Paxta AJ", "tax_id": make_tax_id()}
    company = create_company(
        profile=given, statements=[statement_of(2024)], currency="UZS", branch=officer.branch, actor=officer
    )
    stored = Company.objects.get()
    assert stored.profile == EMPTY_PROFILE | given
    assert (stored.industry, stored.incorporated_date, stored.years_in_business_given) == (None, None, None)
    assert years_of(stored) == [(2024, 4_000_000_000, 450_000_000)]
    event = AuditEvent.objects.get(action="company.create")
    assert (event.actor, event.subject_id, event.details) == (officer, str(company.id), {"branch": "main"})


def test_the_date_wins_over_years_that_fit_it():
    for years in (11, 12.5, 13):
        company = make_company(make_branch(), incorporated_date=date(2014, 5, 20), years_in_business=years, today=TODAY)
        assert (company.incorporated_date, company.years_in_business_given) == (date(2014, 5, 20), None)


@pytest.mark.parametrize("years", [10.9, 13.1])
def test_years_that_contradict_the_date_are_refused(years):
    assert refused(incorporated_date=date(2014, 5, 20), years_in_business=years) == {
        "years_in_business": f"{years} years contradict the incorporated_date, from which 12 follow; "
        "correct one of the two or leave the years out."
    }


def test_days_and_years_to_come_are_refused():
    assert refused(incorporated_date=date(2026, 5, 21)) == {
        "incorporated_date": "The day lies in the future; allowed is today or earlier."
    }
    assert refused(statements=[statement_of(2025), statement_of(2027)]) == {
        "statements[1].year": "Allowed is a year from 1990 to 2026."
    }
    assert list(refused(statements=[statement_of(1989)])) == ["statements[0].year"]


def test_a_year_is_given_once():
    assert refused(statements=[statement_of(2024), statement_of(2023), statement_of(2024)]) == {
        "statements[2].year": "The year 2024 is given twice; give each year once."
    }


@pytest.mark.parametrize(
    ("field", "value"), [("tax_id", None), ("tax_id", "12345678"), ("company_name", None), ("score", 5)]
)
def test_what_is_wrong_in_the_profile_is_named(field, value):
    assert list(refused(**{field: value})) == [field]


def test_a_second_profile_of_a_company_is_refused_without_telling_whose_the_first_is():
    first = make_company(make_branch("north"))
    with pytest.raises(Conflict) as refusal:
        make_company(make_branch("south"), tax_id=first.profile["tax_id"])
    assert refusal.value.detail == (
        "A company with this tax_id exists already; find it with POST /api/companies/lookup/."
    )
    assert Company.objects.get() == first


def test_what_is_unusual_is_named():
    company = make_company(
        make_branch(),
        tax_id="123456789",
        parcel_ids=["10:01:02:03:04:0055", "UZ-ABC-100"],
        guarantor={"name": "G", "inn": "201589829", "phone": None},
        statements=[statement_of(2024, current_assets=2_500_000_001, current_liabilities=1_100_000_001)],
    )
    found = find_warnings(company.profile, company.statements.all())
    assert [warning.field for warning in found] == [
        "tax_id",
        "tax_id",
        "parcel_ids[1]",
        "guarantor.inn",
        "statements.current_assets",
        "statements.current_liabilities",
    ]
    assert found[4].message == "In 2024 the current_assets are more than the assets, of which they are a part."
    assert find_warnings(company_profile_of(), [FinancialStatement(**statement_of(2024))]) == []


def test_a_change_adds_replaces_and_removes_years():
    officer = make_user("officer")
    company = make_company(officer.branch)
    replaced = {key: value for key, value in statement_of(2024, revenue=7).items() if key != "ebit"}
    changes = {"statements": [replaced | {"ebit": None}, statement_of(2022)], "remove_statement_years": [2023, 1999]}
    changed = update_company(company=company, version=1, changes=changes, actor=officer)
    assert years_of(changed) == [(2022, 4_000_000_000, 450_000_000), (2024, 7, None)]
    assert changed.version == 2
    event = AuditEvent.objects.get(action="company.update")
    assert event.details == {"fields": ["statements"], "version": 2}
    job = Job.objects.get()
    assert (job.name, job.arguments) == ("rescore_applicant_requests", {"company_id": str(company.id), "version": 2})


def test_a_change_names_the_fields_that_became_other_than_they_were():
    company = make_company(make_branch())
    changes = {
        "industry": "C",
        "company_name": company.profile["company_name"],
        "contact": None,
        "incorporated_date": date(2015, 1, 1),
    }
    changed = update_company(company=company, version=1, changes=changes, actor=None)
    assert changed.profile == company.profile | {"contact": None}
    assert (changed.industry, changed.incorporated_date) == ("C", date(2015, 1, 1))
    event = AuditEvent.objects.get(action="company.update")
    assert event.details["fields"] == ["contact", "incorporated_date", "industry"]


def test_a_date_that_becomes_known_replaces_an_estimate_and_may_be_taken_back():
    company = make_company(make_branch(), incorporated_date=None, years_in_business=2)
    known = update_company(
        company=company, version=1, changes={"incorporated_date": date(2001, 1, 1)}, actor=None, today=TODAY
    )
    assert (known.incorporated_date, known.years_in_business_given) == (date(2001, 1, 1), None)
    changes = {"incorporated_date": None, "years_in_business": 24}
    unknown = update_company(company=known, version=2, changes=changes, actor=None, today=TODAY)
    assert (unknown.incorporated_date, unknown.years_in_business_given) == (None, 24.0)


def test_a_change_that_changes_nothing_leaves_no_trace():
    company = make_company(make_branch())
    changes = {"industry": "G", "existing_debt": 300_000_000, "statements": [], "remove_statement_years": [1999]}
    assert update_company(company=company, version=1, changes=changes, actor=None).version == 1
    assert not AuditEvent.objects.filter(action="company.update").exists()
    assert not Job.objects.exists()


def test_a_stale_change_is_refused_however_it_became_stale_and_keeps_the_years():
    company = make_company(make_branch())
    update_company(company=company, version=1, changes={"industry": "C"}, actor=None)
    for version in (1, 3):  # this copy still says 1, the row says 2
        with pytest.raises(Conflict, match=f"since version {version} was read"):
            update_company(
                company=company, version=version, changes={"statements": [statement_of(2024, revenue=1)]}, actor=None
            )
    assert years_of(company)[-1] == (2024, 4_000_000_000, 450_000_000)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tax_id": "201589828"}, "tax_id"),
        ({"currency": "USD"}, "currency"),
        ({"company_name": None}, "company_name"),
        ({"years_in_business": 40}, "years_in_business"),
        ({"statements": [statement_of(2024)], "remove_statement_years": [2024]}, "remove_statement_years"),
    ],
)
def test_a_change_is_held_against_the_whole_profile(changes, field):
    company = make_company(make_branch())
    with pytest.raises(InvalidInput) as error:
        update_company(company=company, version=1, changes=changes, actor=None, today=TODAY)
    assert [problem.field for problem in error.value.errors] == [field]
    stored = Company.objects.get()
    assert (stored.version, stored.profile) == (1, company.profile)


def test_who_sees_which_company():
    north, south = make_branch("north"), make_branch("south")
    company = make_company(north)
    seen = {
        role: Company.objects.visible_to(make_user(role, branch)).count()
        for role, branch in [("officer", north), ("approver", south), ("analyst", None), ("auditor", None)]
    }
    assert seen == {"officer": 1, "approver": 0, "analyst": 1, "auditor": 1}
    assert not Company.objects.visible_to(make_user("administrator")).exists()
    assert Company.objects.with_tax_id(company.profile["tax_id"]).get() == company
