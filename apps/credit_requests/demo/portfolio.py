"""The demo portfolio, loaded once through the services, so that audit trail and log are real.

Each stage is looked for before it is loaded, and lands whole or not at all: a start that was broken off is taken up.
"""

from datetime import date, datetime
from random import Random
from typing import Any

from django.db import transaction

from apps.accounts.models import Branch
from apps.accounts.services import create_branch
from apps.common import background
from apps.common.days import lender_today
from apps.companies.models import Company
from apps.companies.services import create_company
from apps.credit_requests.demo.people import invent_company, invent_person
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.services import create_product, submit_credit_request
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


def load_portfolio(*, now: datetime) -> dict[str, int]:
    """Load what is not there yet. Returns how many demo people, companies and requests there are."""
    today = lender_today(now)
    _load_terms()
    if not Individual.objects.filter(is_demo=True).exists():
        _load_applicants(today)
    if not CreditRequest.objects.filter(is_demo=True).exists():
        _fetch_records()
        _load_requests(now)
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
def _load_applicants(today: date) -> None:
    rng = Random(SEED)
    branches = list(Branch.objects.filter(code__in=BRANCHES).order_by("code"))
    common = {"currency": "UZS", "actor": None, "is_demo": True, "today": today}
    for number in range(PEOPLE):
        profile = invent_person(rng, number, today=today)
        create_individual(profile=profile, branch=rng.choice(branches), **common)
    for number in range(COMPANIES):
        profile, others = invent_company(rng, number, today=today)
        create_company(profile=profile, branch=rng.choice(branches), **others, **common)


def _fetch_records() -> None:
    """What Soliq and Kadastr say of everybody, from the mocks, so that the first scores rest on records."""
    for source, identifier in _identifiers():
        find_or_fetch_record(source=source, identifier=identifier, actor=None)
    while background.work_due_jobs()["done"]:
        pass


def _identifiers() -> list[tuple[str, str]]:
    people = [person.profile for person in Individual.objects.filter(is_demo=True).for_reading()]
    companies = [company.profile for company in Company.objects.filter(is_demo=True).for_reading()]
    wanted = {("soliq", profile["pinfl"]) for profile in people}
    wanted |= {("soliq", profile["tax_id"]) for profile in companies}
    wanted |= {("kadastr", parcel) for profile in people + companies for parcel in profile["parcel_ids"]}
    return sorted(wanted)


@transaction.atomic
def _load_requests(now: datetime) -> None:
    """One request for everybody, and a second one for some people."""
    rng = Random(SEED + 1)
    products = {product.code: product for product in Product.objects.filter(code__in=PRODUCTS)}
    # Not by the blind index, which is another one in each installation.
    people = sorted(Individual.objects.filter(is_demo=True).for_reading(), key=lambda one: one.profile["pinfl"])
    companies = sorted(Company.objects.filter(is_demo=True).for_reading(), key=lambda one: one.profile["tax_id"])
    for person in people + people[:SECOND_REQUESTS]:
        _submit(rng, person, products[_product_of_a_person(rng)], CONSUMER_PURPOSES, now)
    for company in companies:
        _submit(rng, company, products["demo-business"], BUSINESS_PURPOSES, now)


def _product_of_a_person(rng: Random) -> str:
    return rng.choices(("demo-micro", "demo-consumer", "demo-mortgage"), weights=(4, 5, 1))[0]


def _submit(
    rng: Random, applicant: Individual | Company, product: Product, purposes: tuple[str, ...], now: datetime
) -> None:
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
