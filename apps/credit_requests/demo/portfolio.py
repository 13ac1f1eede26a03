"""The demo portfolio, loaded once through the services, so that audit trail and log are real.

Each stage is looked for before it is loaded, and lands whole or not at all: a start that was broken off is taken up.
"""

from datetime import date, datetime, timedelta
from functools import partial
from operator import itemgetter
from random import Random
from typing import Any

from django.db import transaction

from apps.accounts.models import Branch
from apps.accounts.services import create_branch
from apps.common import background
from apps.common.commands import Show, each_shown
from apps.common.days import lender_today
from apps.companies.models import Company
from apps.companies.services import create_company
from apps.credit_requests.demo.people import invent_company, invent_person
from apps.credit_requests.demo.visits import Applicant, Visits, began, first_visits, people, second_visits
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.services import create_product, submit_credit_request
from apps.external_integrations.consents import MOST_DAYS, record_consent
from apps.external_integrations.models import Consent, Purpose
from apps.external_integrations.services import find_or_fetch_record
from apps.individuals.models import Individual
from apps.individuals.services import create_individual

SEED = 20_110_101
PEOPLE, COMPANIES, SECOND_REQUESTS = 300, 60, 40
BRANCHES = {"tashkent": "Тошкент / Tashkent", "samarkand": "Самарқанд / Samarkand", "fergana": "Фарғона / Fergana"}
CONSUMER_PURPOSES = ("car", "home_improvement", "medical", "education", "wedding", "major_purchase", "renewable_energy")
BUSINESS_PURPOSES = ("working_capital", "equipment", "small_business", "real_estate")
# code: name, kind, rate in basis points a year, amounts in UZS, terms in months
PRODUCTS = {
    "demo-micro": ("Mikroqarz", "microloan", 4_800, 1_000_000, 50_000_000, 3, 36),
    "demo-consumer": ("Isteʼmol krediti", "consumer", 2_600, 5_000_000, 300_000_000, 6, 60),
    "demo-mortgage": ("Ipoteka", "mortgage", 1_900, 100_000_000, 2_000_000_000, 60, 240),
    "demo-business": ("Biznes kredit", "business", 2_400, 10_000_000, 50_000_000_000, 6, 84),
}


def load_portfolio(*, now: datetime, show: Show) -> dict[str, int]:
    """Load what is not there yet. Returns how many demo people, companies and requests there are."""
    _load_terms()
    if not Individual.objects.filter(is_demo=True).exists():
        _load_applicants(lender_today(began(now)), show)
    if not CreditRequest.objects.filter(is_demo=True).exists():
        if not Consent.objects.exists():
            _record_consents(now)
        visits = first_visits(now)
        _fetch_records(visits, show)
        _load_requests(sorted(visits + second_visits(visits, SECOND_REQUESTS, now), key=itemgetter(1)), show)
    return {
        "people": Individual.objects.filter(is_demo=True).count(),
        "companies": Company.objects.filter(is_demo=True).count(),
        "requests": CreditRequest.objects.filter(is_demo=True).count(),
    }


@transaction.atomic
def _load_terms() -> None:
    for code, name in BRANCHES.items():
        if not Branch.objects.filter(code=code).exists():
            create_branch(code=code, name=name, actor=None)
    for code, terms in PRODUCTS.items():
        if not Product.objects.filter(code=code).exists():
            create_product(terms=_terms(code, *terms), actor=None)


def _terms(
    code: str, name: str, kind: str, rate: int, least: int, most: int, shortest: int, longest: int
) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "kind": kind,
        "currency": "UZS",
        "annual_rate_basis_points": rate,
        "repayment_type": "annuity",
        "least_amount": least,
        "most_amount": most,
        "least_term_months": shortest,
        "most_term_months": longest,
    }


@transaction.atomic
def _load_applicants(today: date, show: Show) -> None:
    rng = Random(SEED)
    branches = list(Branch.objects.filter(code__in=BRANCHES).order_by("code"))
    common = {"currency": "UZS", "actor": None, "is_demo": True, "today": today}
    for number in each_shown(range(PEOPLE), "inventing people", show):
        profile = invent_person(rng, number, today=today)
        create_individual(profile=profile, branch=rng.choice(branches), **common)
    for number in each_shown(range(COMPANIES), "inventing companies", show):
        profile, others = invent_company(rng, number, today=today)
        create_company(profile=profile, branch=rng.choice(branches), **others, **common)


@transaction.atomic
def _record_consents(now: datetime) -> None:
    """Everybody allowed the tax register to be asked, one in four the credit bureau too, before they came."""
    start = began(now)
    given_on = lender_today(start)
    days = {"given_on": given_on, "expires_on": given_on + timedelta(days=MOST_DAYS[Purpose.CREDIT_ASSESSMENT])}
    for place, pinfl in enumerate(sorted(person.profile["pinfl"] for person in people())):
        record_consent(
            pinfl=pinfl,
            sources=["soliq", "bureau"] if place % 4 == 0 else ["soliq"],
            purpose=Purpose.CREDIT_ASSESSMENT,
            reference=f"Demo form {place + 1}",
            actor=None,
            now=start,
            **days,
        )


def _fetch_records(visits: Visits, show: Show) -> None:
    """What the sources say of everybody when they come, from the mocks, so that the first scores rest on records."""
    allowed = set(Consent.objects.filter(source="bureau").values_list("data_key_id", flat=True))
    for applicant, moment in each_shown(visits, "asking the mocked registers", show):
        for source, identifier in _identifiers(applicant, applicant.data_key_id in allowed):
            find_or_fetch_record(source=source, identifier=identifier, actor=None, clock=partial(_before, moment))
    while background.work_due_jobs()["done"]:
        pass


def _before(moment: datetime) -> datetime:
    return moment - timedelta(minutes=5)


def _identifiers(applicant: Applicant, allows_bureau: bool) -> list[tuple[str, str]]:
    profile = applicant.profile
    wanted = {("soliq", profile["pinfl"] if isinstance(applicant, Individual) else profile["tax_id"])}
    wanted |= {("kadastr", parcel) for parcel in profile["parcel_ids"]}
    wanted |= {("bureau", profile["pinfl"])} if allows_bureau else set()
    return sorted(wanted)


@transaction.atomic
def _load_requests(visits: Visits, show: Show) -> None:
    """One request each time somebody came."""
    rng = Random(SEED + 1)
    products = {product.code: product for product in Product.objects.filter(code__in=PRODUCTS)}
    for applicant, moment in each_shown(visits, "scoring requests for credit", show):
        if isinstance(applicant, Individual):
            _submit(rng, applicant, products[_product_of_a_person(rng)], CONSUMER_PURPOSES, moment)
        else:
            _submit(rng, applicant, products["demo-business"], BUSINESS_PURPOSES, moment)


def _product_of_a_person(rng: Random) -> str:
    return rng.choices(("demo-micro", "demo-consumer", "demo-mortgage"), weights=(4, 5, 1))[0]


def _submit(rng: Random, applicant: Applicant, product: Product, purposes: tuple[str, ...], now: datetime) -> None:
    most = min(product.most_amount, product.least_amount * 20)
    amount = round(rng.triangular(product.least_amount, most, product.least_amount * 3), -5)
    submit_credit_request(
        applicant=applicant,
        product=product,
        requested_amount=max(int(amount), product.least_amount),
        term_months=rng.randrange(product.least_term_months, product.most_term_months + 1, 3),
        purpose="house" if product.kind == Product.Kind.MORTGAGE else rng.choice(purposes),
        channel=rng.choice(("branch", "branch", "online", "partner", "phone")),
        actor=None,
        is_demo=True,
        now=now,
    )
