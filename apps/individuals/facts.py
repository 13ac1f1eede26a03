"""What is known of a person, as facts of the scoring vocabulary, each with its source and time."""

from datetime import date

from apps.common.days import start_of
from apps.common.facts import Found
from apps.individuals.income import GIVEN, INCOME_ROWS, SALARY_X_12, find_salary, find_yearly_income
from apps.individuals.models import Individual
from apps.individuals.profile import Profile

PROFILE_FACTS = (
    "existing_debt",
    "monthly_debt_payments",
    "collateral_value",
    "property_net_worth",
    "credit_history_score",
    "credit_history_scale",
    "criminal_history",
    "employment_years",
)
BUREAU_FACTS = (
    "inquiries_6m",
    "delinquencies_24m",
    "open_accounts",
    "public_records",
    "revolving_utilisation",
    "oldest_account_date",
)
SOURCES = {GIVEN: "profile", INCOME_ROWS: "profile:income_rows", SALARY_X_12: "profile:salary"}


def individual_facts(individual: Individual) -> dict[str, Found]:
    """Only facts that are known. A profile without a guarantor says that there is none."""
    profile, at = individual.profile, individual.updated_at
    found = {name: Found(profile[name], "profile", at) for name in PROFILE_FACTS if profile[name] is not None}
    for name, income in (("yearly_income", find_yearly_income(profile)), ("salary", find_salary(profile))):
        if income is not None:
            found[name] = Found(income.amount, SOURCES[income.obtained], at)
    found["has_guarantor"] = Found(profile["guarantor"] is not None, "profile", at)
    return found | _bureau_facts(profile)


def _bureau_facts(profile: Profile) -> dict[str, Found]:
    bureau = profile["bureau"]
    if bureau is None:
        return {}
    at = start_of(date.fromisoformat(bureau["observed_at"]))
    return {name: Found(bureau[name], "bureau", at) for name in BUREAU_FACTS if bureau.get(name) is not None}
