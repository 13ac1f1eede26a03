import uuid
from datetime import date

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput
from apps.common.identifiers import build_pinfl
from apps.common.models import DataKey, Job
from apps.individuals.models import Individual
from apps.individuals.profile import EMPTY_PROFILE
from apps.individuals.services import create_individual, update_individual
from apps.individuals.tests.factories import make_individual, make_pinfl, profile_of

pytestmark = pytest.mark.django_db


def create(**overrides):
    return create_individual(profile=profile_of(**overrides), currency="UZS", branch=make_branch(), actor=None)


def refused(**overrides):
    with pytest.raises(InvalidInput) as error:
        create(**overrides)
    assert (Individual.objects.count(), DataKey.objects.count(), AuditEvent.objects.count()) == (0, 0, 0)
    return {problem.field: problem.message for problem in error.value.errors}


def test_a_created_person_opens_again_and_leaves_an_event():
    officer = make_user("officer")
    given = {"full_name": "Oʻktam Rashidov", "pinfl": make_pinfl(), "birth_date": "1985-03-14"}
    individual = create_individual(profile=given, currency="USD", branch=officer.branch, actor=officer)
    stored = Individual.objects.get()
    assert stored.profile == EMPTY_PROFILE | given
    assert (stored.currency, stored.version, stored.is_demo, stored.created_by) == ("USD", 1, False, officer)
    event = AuditEvent.objects.get(action="individual.create")
    assert (event.actor, event.subject_id, event.details) == (officer, str(individual.id), {"branch": "main"})


def test_the_birth_date_must_be_that_of_the_pinfl():
    pinfl = make_pinfl(date(1985, 3, 14))
    assert refused(pinfl=pinfl, birth_date="1985-03-15") == {
        "birth_date": "The day differs from the one that the PINFL holds; correct the one that is mistyped."
    }


@pytest.mark.parametrize("pinfl", [None, "", "123", "31210632040245"])
def test_a_wrong_pinfl_is_named(pinfl):
    assert list(refused(pinfl=pinfl)) == ["pinfl"]


def test_a_pinfl_of_tomorrow_is_refused_by_the_lenders_day():
    tomorrow = date(2026, 2, 1)
    profile = profile_of(
        pinfl=build_pinfl(birth_date=tomorrow, sex="male", area=0, serial=0), birth_date=tomorrow.isoformat()
    )
    options = {"profile": profile, "currency": "UZS", "branch": make_branch(), "actor": None}
    with pytest.raises(InvalidInput, match="lies in the future"):
        create_individual(**options, today=date(2026, 1, 31))
    assert create_individual(**options, today=tomorrow).version == 1


def test_a_credit_score_needs_its_scale_and_keeps_to_it():
    assert refused(credit_history_scale=None) == {
        "credit_history_scale": "A credit_history_score needs its scale. Allowed: fico_300_850, katm_0_500, other."
    }
    assert refused(credit_history_score=851) == {
        "credit_history_score": "On the scale fico_300_850 allowed is a number from 300 to 850."
    }
    assert list(refused(credit_history_score=501, credit_history_scale="katm_0_500")) == ["credit_history_score"]
    create(credit_history_score=1000, credit_history_scale="other")


def test_income_that_would_exceed_all_bounds_is_refused():
    assert refused(salary=10**14, yearly_income=None) == {
        "incomes": "The yearly_income that follows is 1200000000000000; the most that is kept is 1000000000000000."
    }


def test_an_unknown_field_is_not_stored():
    assert refused(score=900) == {"score": "There is no such field in the profile of a person."}


def test_a_second_profile_of_a_person_is_refused_without_telling_whose_the_first_is():
    first = make_individual(make_branch("north"), full_name="Secret Name")
    with pytest.raises(Conflict) as refusal:
        make_individual(make_branch("south"), pinfl=first.profile["pinfl"])
    assert refusal.value.detail == (
        "A profile with this PINFL exists already; find it with POST /api/individuals/lookup/."
    )
    assert Individual.objects.get() == first


def test_a_change_moves_version_and_time_records_names_only_and_queues_a_rescore():
    officer = make_user("officer")
    individual = make_individual(officer.branch)
    before = individual.profile
    earlier = timezone.now()
    changes = {"phone": "+998931112233", "existing_debt": 5, "salary": before["salary"]}
    changed = update_individual(individual=individual, version=1, changes=changes, actor=officer)
    assert changed.profile == before | changes
    assert changed.version == 2
    assert changed.updated_at >= earlier > changed.created_at
    event = AuditEvent.objects.get(action="individual.update")
    assert event.details == {"fields": ["existing_debt", "phone"], "version": 2}
    job = Job.objects.get()
    assert (job.name, job.arguments) == (
        "rescore_applicant_requests",
        {"individual_id": str(individual.id), "version": 2},
    )


def test_a_change_that_changes_nothing_leaves_no_trace():
    individual = make_individual(make_branch())
    same = update_individual(individual=individual, version=1, changes={"salary": 9_000_000}, actor=None)
    assert same.version == 1
    assert not AuditEvent.objects.filter(action="individual.update").exists()
    assert not Job.objects.exists()


def test_a_stale_change_is_refused_however_it_became_stale():
    individual = make_individual(make_branch())
    update_individual(individual=individual, version=1, changes={"salary": 1}, actor=None)
    for version in (1, 3):  # this copy still says 1, the row says 2
        with pytest.raises(Conflict, match=f"since version {version} was read"):
            update_individual(individual=individual, version=version, changes={"salary": 2}, actor=None)
    assert Individual.objects.get().profile["salary"] == 1
    assert AuditEvent.objects.filter(action="individual.update").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pinfl": "31210632040244"}, "pinfl"),
        ({"version": 7}, "version"),
        ({"birth_date": "1985-03-15"}, "birth_date"),
        ({"credit_history_scale": None}, "credit_history_scale"),
        ({"full_name": None}, "full_name"),
    ],
)
def test_a_change_is_held_against_the_whole_profile(changes, field):
    individual = make_individual(make_branch())
    with pytest.raises(InvalidInput) as error:
        update_individual(individual=individual, version=1, changes=changes, actor=None)
    assert [problem.field for problem in error.value.errors] == [field]
    assert Individual.objects.get().profile == individual.profile


def test_who_sees_whom():
    north, south = make_branch("north"), make_branch("south")
    person = make_individual(north)
    seen = {
        role: Individual.objects.visible_to(make_user(role, branch)).count()
        for role, branch in [("officer", north), ("approver", south), ("analyst", None), ("auditor", None)]
    }
    assert seen == {"officer": 1, "approver": 0, "analyst": 1, "auditor": 1}
    assert not Individual.objects.visible_to(make_user("administrator")).exists()
    assert Individual.objects.with_pinfl(person.profile["pinfl"]).get() == person
    assert not Individual.objects.with_pinfl(make_pinfl(serial=999_999)).exists()
    assert str(person) == str(uuid.UUID(str(person.id)))
