"""A company that applies for credit. Its name, numbers and contacts are sealed; its statements are figures in clear."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Branch
from apps.accounts.visibility import OfABranch
from apps.common.crypto import blind_index, unseal
from apps.common.models import DataKey
from apps.common.money import CURRENCIES, CURRENCY_CHOICES, MOST_MONEY
from apps.companies.industries import INDUSTRIES

MOST_YEARS = 300
FIRST_YEAR, LAST_YEAR = 1990, 2100
# Figure of a statement -> its least; the most is MOST_MONEY. The last four may be unknown.
STATEMENT_FIGURES = {
    "revenue": 0,
    "net_income": -MOST_MONEY,
    "assets": 1,
    "liabilities": 0,
    "current_assets": 0,
    "current_liabilities": 0,
    "retained_earnings": -MOST_MONEY,
    "ebit": -MOST_MONEY,
}


def tax_id_index(tax_id: str) -> str:
    return blind_index("company", tax_id)


class CompanyQuerySet(OfABranch):
    def with_tax_id(self, tax_id: str) -> "CompanyQuerySet":
        return self.filter(tax_id_index=tax_id_index(tax_id))

    def for_reading(self) -> "CompanyQuerySet":
        """With what a profile needs to be opened and shown, in two queries."""
        return self.select_related("branch", "data_key").prefetch_related("statements")


class Company(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="companies")
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    tax_id_index = models.CharField(max_length=64, unique=True, editable=False)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    industry = models.CharField(max_length=1, choices=list(INDUSTRIES.items()), null=True)
    incorporated_date = models.DateField(null=True)
    # Kept only while the date is not known, so that the two never contradict each other.
    years_in_business_given = models.FloatField(null=True)
    sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the facts of the profile are as of; moves with `version`.
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(condition=Q(currency__in=CURRENCIES), name="company_currency"),
            models.CheckConstraint(condition=Q(version__gte=1), name="company_version"),
            models.CheckConstraint(
                condition=Q(industry__isnull=True) | Q(industry__in=list(INDUSTRIES)), name="company_industry"
            ),
            models.CheckConstraint(
                condition=Q(years_in_business_given__isnull=True)
                | Q(years_in_business_given__gte=0, years_in_business_given__lte=MOST_YEARS),
                name="company_years_in_business",
            ),
            models.CheckConstraint(
                condition=Q(incorporated_date__isnull=True) | Q(years_in_business_given__isnull=True),
                name="company_date_wins_over_years",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="company_newest"),
            models.Index(fields=["branch", "-created_at", "-id"], name="company_newest_of_branch"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def seal_context(self) -> str:
        return f"company:{self.id}"

    @property
    def profile(self) -> dict[str, Any]:
        """The fields of `profile.EMPTY_PROFILE`, opened. Raises DataErased once the company's key is destroyed."""
        return unseal(self.data_key, self.sealed, self.seal_context)


def _figure_constraint(name: str, least: int) -> models.CheckConstraint:
    # A null passes: SQL takes a CHECK that is unknown for kept.
    bounds = Q(**{f"{name}__gte": least, f"{name}__lte": MOST_MONEY})
    return models.CheckConstraint(condition=bounds, name=f"statement_{name}")


class FinancialStatement(models.Model):
    """The figures of one financial year, in whole units of the company's currency."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="statements")
    year = models.PositiveSmallIntegerField()
    revenue = models.BigIntegerField()
    net_income = models.BigIntegerField()
    assets = models.BigIntegerField()
    liabilities = models.BigIntegerField()
    current_assets = models.BigIntegerField(null=True)
    current_liabilities = models.BigIntegerField(null=True)
    retained_earnings = models.BigIntegerField(null=True)
    ebit = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(fields=["company", "year"], name="statement_one_a_year"),
            models.CheckConstraint(condition=Q(year__gte=FIRST_YEAR, year__lte=LAST_YEAR), name="statement_year"),
            *(_figure_constraint(name, least) for name, least in STATEMENT_FIGURES.items()),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} {self.year}"
