"""What is known of a company, as facts of the scoring vocabulary, each with its source and time."""

from datetime import date

from apps.common.days import full_years, start_of
from apps.common.facts import Found
from apps.companies.models import STATEMENT_FIGURES, Company, FinancialStatement

PROFILE_FACTS = ("existing_debt", "monthly_debt_payments", "collateral_value")


def company_facts(company: Company, *, today: date) -> dict[str, Found]:
    """Only facts that are known. A profile without a guarantor says that there is none."""
    profile, at = company.profile, company.updated_at
    values = {name: profile[name] for name in PROFILE_FACTS}
    values |= {"has_guarantor": profile["guarantor"] is not None, "industry": company.industry}
    values["years_in_business"] = years_in_business(company, today=today)
    found = {name: Found(value, "profile", at) for name, value in values.items() if value is not None}
    latest = latest_statement(company)
    return found if latest is None else found | _statement_facts(latest, company)


def years_in_business(company: Company, *, today: date) -> int | float | None:
    """Whole years since the company was incorporated, so that a score moves once a year and not every day."""
    if company.incorporated_date is None:
        return company.years_in_business_given
    return full_years(company.incorporated_date, today)


def latest_statement(company: Company) -> FinancialStatement | None:
    return max(company.statements.all(), key=lambda statement: statement.year, default=None)


def _statement_facts(statement: FinancialStatement, company: Company) -> dict[str, Found]:
    """As of the end of the financial year, or of the last change when the year is still running."""
    at = min(start_of(date(statement.year, 12, 31)), company.updated_at)
    figures = {name: getattr(statement, name) for name in STATEMENT_FIGURES}
    return {name: Found(value, "profile", at) for name, value in figures.items() if value is not None}
