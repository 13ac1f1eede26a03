from datetime import UTC, datetime

import pytest

from apps.accounts.tests.factories import make_branch
from apps.common.facts import Found
from apps.individuals.facts import individual_facts
from apps.individuals.profile import EMPTY_PROFILE
from apps.individuals.tests.factories import make_individual, profile_of

pytestmark = pytest.mark.django_db
OBSERVED = datetime(2026, 1, 14, 19, 0, tzinfo=UTC)


def test_a_full_profile_gives_each_fact_with_source_and_time():
    individual = make_individual(make_branch())
    at = individual.updated_at
    assert individual_facts(individual) == {
        "existing_debt": Found(20_000_000, "profile", at),
        "monthly_debt_payments": Found(1_500_000, "profile", at),
        "collateral_value": Found(60_000_000, "profile", at),
        "property_net_worth": Found(250_000_000, "profile", at),
        "credit_history_score": Found(690, "profile", at),
        "credit_history_scale": Found("fico_300_850", "profile", at),
        "criminal_history": Found(False, "profile", at),
        "employment_years": Found(6.5, "profile", at),
        "yearly_income": Found(120_000_000, "profile", at),
        "salary": Found(9_000_000, "profile", at),
        "has_guarantor": Found(True, "profile", at),
        "inquiries_6m": Found(1, "bureau", OBSERVED),
        "delinquencies_24m": Found(0, "bureau", OBSERVED),
        "open_accounts": Found(4, "bureau", OBSERVED),
        "public_records": Found(0, "bureau", OBSERVED),
        "revolving_utilisation": Found(0.35, "bureau", OBSERVED),
        "oldest_account_date": Found("2012-06-01", "bureau", OBSERVED),
    }


def test_an_empty_profile_says_only_that_nobody_guarantees():
    known = {"full_name", "pinfl", "birth_date"}
    individual = make_individual(make_branch(), **{n: v for n, v in EMPTY_PROFILE.items() if n not in known})
    assert individual_facts(individual) == {"has_guarantor": Found(False, "profile", individual.updated_at)}


def test_a_derived_income_says_what_it_follows_from():
    rows = [{"month": "2026-01", "amount": 10_000_000, "basis": "gross", "source": "official"}]
    derived = individual_facts(make_individual(make_branch(), yearly_income=None, incomes=rows))
    assert (derived["yearly_income"].value, derived["yearly_income"].source) == (120_000_000, "profile:income_rows")
    understated = individual_facts(make_individual(make_branch(), yearly_income=None))
    assert (understated["yearly_income"].value, understated["yearly_income"].source) == (108_000_000, "profile:salary")


def test_identity_is_never_a_fact():
    individual = make_individual(make_branch(), **profile_of())
    assert not {"pinfl", "birth_date", "full_name", "phone", "email"} & individual_facts(individual).keys()
