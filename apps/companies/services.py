"""Writes on companies."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Branch, User
from apps.audit.services import record_event
from apps.common.background import enqueue
from apps.common.crypto import create_data_key, seal
from apps.common.days import lender_today
from apps.common.errors import Conflict, InvalidInput
from apps.common.name_words import keep_name_words
from apps.common.sentences import Sentence
from apps.companies.models import STATEMENT_FIGURES, Company, FinancialStatement, tax_id_index
from apps.companies.profile import EMPTY_PROFILE, UNCHANGING, check_profile, check_statements, settle_years

# Fields of the row itself that an update may name, beside those of the sealed profile.
IN_CLEAR = ("industry", "incorporated_date", "years_in_business")


@transaction.atomic
def create_company(
    *,
    profile: dict[str, Any],
    statements: list[dict[str, Any]],
    currency: str,
    branch: Branch,
    actor: User | None,
    industry: str | None = None,
    incorporated_date: date | None = None,
    years_in_business: float | None = None,
    is_demo: bool = False,
    today: date | None = None,
) -> Company:
    """`profile`: fields of EMPTY_PROFILE; `statements`: year and STATEMENT_FIGURES. Raises InvalidInput, Conflict."""
    today = today or lender_today()
    document = EMPTY_PROFILE | profile
    check_profile(document)
    check_statements(statements, today=today)
    index = tax_id_index(document["tax_id"])
    company = Company(
        branch=branch,
        data_key=create_data_key(owner_index=index),
        tax_id_index=index,
        currency=currency,
        industry=industry,
        incorporated_date=incorporated_date,
        years_in_business_given=settle_years(incorporated_date, years_in_business, today=today),
        is_demo=is_demo,
        created_by=actor,
    )
    company.sealed = seal(company.data_key, document, company.seal_context)
    _insert(company)
    keep_name_words(company.data_key, document["company_name"])
    _store_statements(company, statements)
    record_event(actor=actor, action="company.create", subject=company, details={"branch": branch.code})
    return company


def _insert(company: Company) -> None:
    try:
        with transaction.atomic():
            company.save(force_insert=True)
    except IntegrityError:
        if not Company.objects.filter(tax_id_index=company.tax_id_index).exists():
            raise
        raise Conflict(
            Sentence("A company with this tax_id exists already; find it with POST /api/companies/lookup/.")
        ) from None


def _store_statements(company: Company, statements: list[dict[str, Any]]) -> None:
    """Add each year, or replace it whole: a figure left out is not known."""
    FinancialStatement.objects.bulk_create(
        [FinancialStatement(company=company, **statement) for statement in statements],
        update_conflicts=True,
        unique_fields=["company", "year"],
        update_fields=list(STATEMENT_FIGURES),
    )


@transaction.atomic
def update_company(
    *, company: Company, version: int, changes: dict[str, Any], actor: User | None, today: date | None = None
) -> Company:
    """Replace the fields in `changes`; `version` is the one that the caller read. Pending requests are scored anew.

    `changes["statements"]` adds or replaces years; `changes["remove_statement_years"]` takes years away.
    """
    _check_names(changes)
    if company.version != version:
        raise Conflict(_stale(version))
    columns, changed = _changes(company, changes, today or lender_today())
    changed += _change_statements(company, changes, today or lender_today())
    if not changed:
        return company
    stored = Company.objects.filter(pk=company.pk, version=version).update(
        **columns, version=version + 1, updated_at=timezone.now()
    )
    if not stored:
        raise Conflict(_stale(version))
    if "company_name" in changed:
        keep_name_words(company.data_key, changes["company_name"])
    details = {"fields": sorted(changed), "version": version + 1}
    record_event(actor=actor, action="company.update", subject=company, details=details)
    enqueue("rescore_applicant_requests", company_id=str(company.id), version=version + 1)
    return Company.objects.for_reading().get(pk=company.pk)


def _changes(company: Company, changes: dict[str, Any], today: date) -> tuple[dict[str, Any], list[str]]:
    """The columns to store, and the names of the fields that become other than they were."""
    before = company.profile
    after = before | {name: value for name, value in changes.items() if name in EMPTY_PROFILE}
    check_profile(after)
    incorporated = changes.get("incorporated_date", company.incorporated_date)
    # An older estimate of the years gives way to the date; only years of this very change can contradict it.
    kept = company.years_in_business_given if incorporated is None else None
    columns = {
        "industry": changes.get("industry", company.industry),
        "incorporated_date": incorporated,
        "years_in_business_given": settle_years(incorporated, changes.get("years_in_business", kept), today=today),
    }
    changed = [name for name in after if after[name] != before[name]]
    changed += [name for name, value in columns.items() if value != getattr(company, name)]
    return columns | {"sealed": seal(company.data_key, after, company.seal_context)}, changed


def _change_statements(company: Company, changes: dict[str, Any], today: date) -> list[str]:
    statements, removed = changes.get("statements", []), changes.get("remove_statement_years", [])
    check_statements(statements, today=today)
    years = {statement["year"] for statement in statements}
    if both := sorted(years & set(removed)):
        raise InvalidInput.of(
            remove_statement_years=Sentence("The years {both} are both given and removed; decide on one.", both=both)
        )
    _store_statements(company, statements)
    gone, _ = company.statements.filter(year__in=removed).delete()
    return ["statements"] if statements or gone else []


def _check_names(changes: dict[str, Any]) -> None:
    if fixed := sorted(UNCHANGING & changes.keys()):
        raise InvalidInput.of(
            **dict.fromkeys(fixed, Sentence("This field is who the profile is of; it cannot be changed."))
        )
    known = {*EMPTY_PROFILE, *IN_CLEAR, "statements", "remove_statement_years"}
    if unknown := sorted(changes.keys() - known):
        raise InvalidInput.of(**dict.fromkeys(unknown, Sentence("There is no such field in the profile of a company.")))


def _stale(version: int) -> str:
    return Sentence(
        "The profile has changed since version {version} was read. Read it again and repeat the change.",
        version=version,
    )
