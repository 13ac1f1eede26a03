"""Profiles and the scoring vocabulary stand in rooms that may not import each other; here they are held together."""

from datetime import date

import pytest

from apps.accounts.tests.factories import make_branch
from apps.common.money import MOST_MONEY
from apps.companies.facts import company_facts
from apps.companies.industries import INDUSTRIES
from apps.companies.models import MOST_YEARS, STATEMENT_FIGURES
from apps.companies.tests.factories import make_company
from apps.individuals.api import BureauSerializer, IndividualSerializer
from apps.individuals.facts import BUREAU_FACTS, PROFILE_FACTS, individual_facts
from apps.individuals.profile import SCALE_BOUNDS, SCALES
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.ml import vocabulary
from apps.scoring_engine.ml.vocabulary import FACTS, check_facts


def test_the_lists_are_the_same():
    assert tuple(INDUSTRIES) == vocabulary.INDUSTRIES
    assert SCALES == vocabulary.SCALES
    assert SCALE_BOUNDS == vocabulary.SCALE_BOUNDS
    assert MOST_MONEY == vocabulary.MONEY_LIMIT


@pytest.mark.parametrize("name", [n for n in PROFILE_FACTS if FACTS["individual"][n].least is not None])
def test_a_field_of_a_person_has_the_bounds_of_its_fact(name):
    fact, field = FACTS["individual"][name], IndividualSerializer().fields[name]
    assert (field.min_value, field.max_value) == (fact.least, fact.most)


@pytest.mark.parametrize("name", [n for n in BUREAU_FACTS if FACTS["individual"][n].least is not None])
def test_a_field_of_a_bureau_has_the_bounds_of_its_fact(name):
    fact, field = FACTS["individual"][name], BureauSerializer().fields[name]
    assert (field.min_value, field.max_value) == (fact.least, fact.most)


@pytest.mark.parametrize(("name", "least"), STATEMENT_FIGURES.items())
def test_a_figure_of_a_statement_has_the_bounds_of_its_fact(name, least):
    fact = FACTS["company"][name]
    assert (least, MOST_MONEY) == (fact.least, fact.most)


def test_years_in_business_have_the_bounds_of_the_fact():
    assert FACTS["company"]["years_in_business"].most == MOST_YEARS


@pytest.mark.django_db
def test_the_facts_of_full_profiles_pass_the_check_of_the_vocabulary():
    branch = make_branch()
    person = individual_facts(make_individual(branch))
    company = company_facts(make_company(branch), today=date(2026, 5, 19))
    checked = check_facts("individual", {name: found.value for name, found in person.items()})
    assert checked["oldest_account_date"] == date(2012, 6, 1)
    assert checked.keys() == person.keys()
    assert check_facts("company", {name: found.value for name, found in company.items()}).keys() == company.keys()
