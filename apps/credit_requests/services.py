"""Writes on products and credit requests. Rescoring stands in rescoring.py."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict, FieldProblem, InvalidInput
from apps.common.sentences import Sentence
from apps.companies.models import Company
from apps.credit_requests import transitions
from apps.credit_requests.models import CreditRequest, Product
from apps.credit_requests.overriding import close_waiting
from apps.credit_requests.rescoring import attach_records, hold_applicant, lock_request, score_request
from apps.credit_requests.staff_links import check_may_speak
from apps.individuals.models import Individual

CHANGEABLE_FIELDS = ("product", "requested_amount", "term_months")


@transaction.atomic
def create_product(*, terms: dict[str, Any], actor: User | None) -> Product:
    """`terms`: the fields of a Product by name; code, name, kind, currency, rate, repayment and bounds are needed."""
    _check_bounds(terms)
    try:
        with transaction.atomic():
            product = Product.objects.create(**terms, created_by=actor)
    except IntegrityError:
        if not Product.objects.filter(code=terms["code"]).exists():
            raise
        raise Conflict(Sentence("A product with the code {code!r} exists already.", code=terms["code"])) from None
    record_event(actor=actor, action="product.create", subject=product, details={"code": product.code})
    return product


@transaction.atomic
def update_product(*, product: Product, version: int, changes: dict[str, Any], actor: User | None) -> Product:
    """`changes`: name and is_active. Terms bind those who borrowed on them, so new terms are a new product."""
    changed = Product.objects.filter(id=product.id, version=version).update(
        **changes, version=version + 1, updated_at=timezone.now()
    )
    if not changed:
        raise transitions.stale(version)
    product.refresh_from_db()
    details = {"version": product.version, "is_active": product.is_active, "changed": sorted(changes)}
    record_event(actor=actor, action="product.update", subject=product, details=details)
    return product


@transaction.atomic
def submit_credit_request(
    *,
    applicant: Individual | Company,
    product: Product,
    requested_amount: int,
    term_months: int,
    purpose: str,
    channel: str,
    actor: User | None,
    is_demo: bool = False,
    now: datetime | None = None,
) -> CreditRequest:
    """A new pending request, scored on what is stored. Records that are not there yet are queued, and rescore it."""
    now = now or timezone.now()
    move = transitions.check_move(action="create", source=transitions.NEW, actor=actor)
    hold_applicant(applicant)
    _check_active(product)
    check_terms(product, requested_amount, term_months)
    _check_currency(product, applicant)
    credit_request = CreditRequest.objects.create(
        status=move.target,
        branch=applicant.branch,
        individual=applicant if isinstance(applicant, Individual) else None,
        company=applicant if isinstance(applicant, Company) else None,
        product=product,
        requested_amount=requested_amount,
        term_months=term_months,
        purpose=purpose,
        channel=channel,
        currency=applicant.currency,
        is_demo=is_demo,
        created_by=actor,
        created_at=now,
    )
    attach_records(credit_request=credit_request, actor=actor, now=now)
    record_event(actor=actor, action="credit_request.create", subject=credit_request, details=_terms(credit_request))
    score_request(credit_request=credit_request, cause="create", actor=actor, now=now)
    return credit_request


@transaction.atomic
def change_credit_request(
    *, credit_request: CreditRequest, version: int, changes: dict[str, Any], actor: User | None
) -> CreditRequest:
    """`changes`: product, requested_amount, term_months, while pending. Scores anew as `change:<version>`."""
    credit_request = lock_request(credit_request.id)
    transitions.check_changeable(credit_request.status)
    transitions.check_version(stored=credit_request.version, given=version)
    if actor is not None:
        check_may_speak(credit_request, actor, service=True)
    before = _terms(credit_request)
    if "product" in changes and changes["product"] != credit_request.product:
        _check_active(changes["product"])
    for name in CHANGEABLE_FIELDS:
        setattr(credit_request, name, changes.get(name, getattr(credit_request, name)))
    check_terms(credit_request.product, credit_request.requested_amount, credit_request.term_months)
    _check_currency(credit_request.product, credit_request.applicant)
    credit_request.version += 1
    credit_request.save(update_fields=[*CHANGEABLE_FIELDS, "version", "updated_at"])
    details = {"version": credit_request.version, "before": before, "after": _terms(credit_request)}
    record_event(actor=actor, action="credit_request.change", subject=credit_request, details=details)
    cause = f"change:{credit_request.version}"
    score_request(credit_request=credit_request, cause=cause, actor=actor, now=timezone.now())
    return credit_request


@transaction.atomic
def withdraw_credit_request(*, credit_request: CreditRequest, version: int, actor: User | None) -> CreditRequest:
    """The applicant's side takes the request back; nothing about it changes or is scored afterwards."""
    credit_request = lock_request(credit_request.id)
    source = credit_request.status
    move = transitions.check_move(action="withdraw", source=source, actor=actor)
    transitions.check_version(stored=credit_request.version, given=version)
    credit_request.status, credit_request.version = move.target, version + 1
    credit_request.save(update_fields=["status", "version", "updated_at"])
    close_waiting(credit_request, timezone.now())
    details = {"version": credit_request.version, "from": source, "to": move.target}
    record_event(actor=actor, action="credit_request.withdraw", subject=credit_request, details=details)
    return credit_request


def _check_bounds(terms: dict[str, Any]) -> None:
    """least <= most, as the CHECK constraints of the table say too."""
    pairs = [("least_amount", "most_amount"), ("least_term_months", "most_term_months")]
    problems = [
        FieldProblem(
            least,
            Sentence(
                "{given} was given; allowed is at most {bound}, which is {most}.",
                given=terms[least],
                bound=most,
                most=terms[most],
            ),
        )
        for least, most in pairs
        if terms[least] > terms[most]
    ]
    if problems:
        raise InvalidInput(Sentence("The product's bounds contradict each other."), problems)


def _check_active(product: Product) -> None:
    if not product.is_active:
        raise InvalidInput.of(
            product=Sentence("The product {product} is no longer offered; choose an active one.", product=product.code)
        )


def check_terms(product: Product, requested_amount: int, term_months: int) -> None:
    asked = [
        ("requested_amount", requested_amount, product.least_amount, product.most_amount),
        ("term_months", term_months, product.least_term_months, product.most_term_months),
    ]
    problems = [
        FieldProblem(
            name,
            Sentence(
                "{value} was given; the product {product} allows {least} to {most}.",
                value=value,
                product=product.code,
                least=least,
                most=most,
            ),
        )
        for name, value, least, most in asked
        if not least <= value <= most
    ]
    if problems:
        raise InvalidInput(Sentence("The product does not allow this amount or term."), problems)


def _check_currency(product: Product, applicant: Individual | Company) -> None:
    if product.currency != applicant.currency:
        raise InvalidInput.of(
            product=Sentence(
                "Mixed currencies: the product {product} is in {currency}, the applicant's profile in "
                "{own_currency}. Choose a product in {own_currency}.",
                product=product.code,
                currency=product.currency,
                own_currency=applicant.currency,
            )
        )


def _terms(credit_request: CreditRequest) -> dict[str, Any]:
    return {
        "product": str(credit_request.product_id),
        "requested_amount": credit_request.requested_amount,
        "term_months": credit_request.term_months,
    }
