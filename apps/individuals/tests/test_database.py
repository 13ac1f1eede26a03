"""What the table itself keeps: no personal value in clear, and no row out of bounds."""

import pytest
from cryptography.exceptions import InvalidTag
from django.db import IntegrityError, transaction

from apps.accounts.tests.factories import make_branch
from apps.common.tests.stored import everything_stored
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db


def test_no_personal_value_stands_in_clear_anywhere():
    individual = make_individual(
        make_branch(),
        full_name="Canary Surname",
        email="canary.person@example.uz",
        existing_debt=7_654_321,
        guarantor={"name": "Canary Guarantor", "inn": "201589828", "phone": "+998931234567"},
        parcel_ids=["11:22:33:44:55:6677"],
    )
    stored = everything_stored()
    assert str(individual.branch.code).encode() in stored
    canaries = [
        "Canary",
        "canary",
        "7654321",
        "201589828",
        "998901234567",
        "998931234567",
        "11:22:33:44:55:6677",
        "1985-03-14",
    ]
    for canary in [*canaries, individual.profile["pinfl"]]:
        assert canary.encode() not in stored, canary


def test_a_sealed_profile_does_not_open_in_another_row():
    one, two = make_individual(make_branch()), make_individual(make_branch())
    Individual.objects.filter(pk=two.pk).update(sealed=one.sealed, data_key=one.data_key)
    moved = Individual.objects.get(pk=two.pk)
    with pytest.raises(InvalidTag):
        _ = moved.profile


@pytest.mark.parametrize("wrong", [{"currency": "XXX"}, {"version": 0}, {"currency": None}])
def test_the_database_refuses_what_is_out_of_bounds(wrong):
    individual = make_individual(make_branch())
    with pytest.raises(IntegrityError), transaction.atomic():
        Individual.objects.filter(pk=individual.pk).update(**wrong)


def test_the_database_keeps_one_profile_per_pinfl():
    one, two = make_individual(make_branch()), make_individual(make_branch())
    with pytest.raises(IntegrityError), transaction.atomic():
        Individual.objects.filter(pk=two.pk).update(pinfl_index=one.pinfl_index)
