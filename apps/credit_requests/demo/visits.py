"""When the applicants of the demo came: over the last weeks, a few more each week, in the hours of a branch.

The services then write it with that moment for their clock. What takes no clock says when it was really written: the
profiles, and the audit trail, which nobody makes tell otherwise.
"""

from datetime import date, datetime, timedelta
from random import Random

from django.db.models import QuerySet

from apps.common.days import lender_today, start_of
from apps.companies.models import Company
from apps.individuals.models import Individual

SEED = 20_110_104
SPAN = timedelta(weeks=12)
FIRST_DAY = date(2026, 1, 2)  # on which the shipped policies hold already
GROWTH = 0.85  # 1: as many each week
OPENS, OPEN_FOR = timedelta(hours=9), timedelta(hours=9)
LATEST = timedelta(minutes=20)  # nobody came later than so long ago
Applicant = Individual | Company
Visits = list[tuple[Applicant, datetime]]


def began(now: datetime) -> datetime:
    """Before the first applicant came."""
    return start_of(max(lender_today(now - SPAN), min(FIRST_DAY, lender_today(now))))


def people() -> QuerySet[Individual]:
    return Individual.objects.filter(is_demo=True).for_reading()


def companies() -> QuerySet[Company]:
    return Company.objects.filter(is_demo=True).for_reading()


def first_visits(now: datetime) -> Visits:
    """Everybody of the demo, in the order in which they came."""
    # Not by the blind index, which is another one in each installation.
    everybody = sorted(people(), key=lambda one: one.profile["pinfl"])
    everybody += sorted(companies(), key=lambda one: one.profile["tax_id"])
    Random(SEED).shuffle(everybody)
    return list(zip(everybody, moments(len(everybody), now), strict=True))


def second_visits(visits: Visits, number: int, now: datetime) -> Visits:
    """The first people come once more, within the days in which what the sources say of them is fresh."""
    rng = Random(SEED + 1)
    again = [(applicant, moment) for applicant, moment in visits if isinstance(applicant, Individual)][:number]
    return [(applicant, min(moment + timedelta(days=rng.uniform(1, 5)), now - LATEST)) for applicant, moment in again]


def moments(number: int, now: datetime) -> list[datetime]:
    """In order; none on a Sunday, and none after `now`."""
    start, found = began(now), []
    for place in range(number):
        passed = (now - start) * ((place + 0.5) / number) ** GROWTH
        found.append(min(_in_hours(start + passed), now - LATEST))
    return sorted(found)


def _in_hours(moment: datetime) -> datetime:
    """The same part of the day's working hours; of a Sunday, of the Saturday before."""
    day = lender_today(moment)
    into = (moment - start_of(day)) / timedelta(days=1)
    return start_of(day - timedelta(days=day.weekday() == 6)) + OPENS + OPEN_FOR * into
