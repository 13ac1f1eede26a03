"""What the lender offers, and who asks for it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import Branch
from apps.accounts.visibility import OfABranch
from apps.common.money import CURRENCIES, CURRENCY_CHOICES, MOST_MONEY
from apps.companies.models import Company
from apps.credit_requests.transitions import STATUSES, UNDECIDED
from apps.external_integrations.models import ExternalRecord
from apps.individuals.models import Individual
from apps.scoring_engine.ml.vocabulary import PURPOSES
from apps.scoring_engine.models import PredictionLog

MOST_TERM = 600  # months
MOST_RATE = 100_000  # basis points a year: 1000 %
MOST_FEE_RATE = 10_000  # basis points of the amount: all of it


def _within(field: str, least: int, most: int) -> Q:
    return Q(**{f"{field}__gte": least, f"{field}__lte": most})


class Product(models.Model):
    """Terms never change: what binds is fixed by a trigger, new terms are a new product. Only name and activity may."""

    class Kind(models.TextChoices):
        MICROLOAN = "microloan"
        MORTGAGE = "mortgage"
        CONSUMER = "consumer"
        BUSINESS = "business"
        OTHER = "other"

    class Repayment(models.TextChoices):
        ANNUITY = "annuity"  # equal instalments
        DIFFERENTIATED = "differentiated"  # equal principal, falling interest
        BULLET = "bullet"  # principal at the end

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    annual_rate_basis_points = models.PositiveIntegerField()
    fee_basis_points = models.PositiveIntegerField(default=0)
    fee_amount = models.BigIntegerField(default=0)
    repayment_type = models.CharField(max_length=20, choices=Repayment.choices)
    least_amount = models.BigIntegerField()
    most_amount = models.BigIntegerField()
    least_term_months = models.PositiveSmallIntegerField()
    most_term_months = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["microloan", "mortgage", "consumer", "business", "other"]), name="product_kind"
            ),
            models.CheckConstraint(
                condition=Q(repayment_type__in=["annuity", "differentiated", "bullet"]), name="product_repayment_type"
            ),
            models.CheckConstraint(condition=Q(currency__in=CURRENCIES), name="product_currency"),
            models.CheckConstraint(condition=_within("annual_rate_basis_points", 0, MOST_RATE), name="product_rate"),
            models.CheckConstraint(condition=_within("fee_basis_points", 0, MOST_FEE_RATE), name="product_fee_rate"),
            models.CheckConstraint(condition=_within("fee_amount", 0, MOST_MONEY), name="product_fee_amount"),
            models.CheckConstraint(
                condition=Q(least_amount__gte=1, least_amount__lte=F("most_amount"), most_amount__lte=MOST_MONEY),
                name="product_amounts",
            ),
            models.CheckConstraint(
                condition=Q(
                    least_term_months__gte=1,
                    least_term_months__lte=F("most_term_months"),
                    most_term_months__lte=MOST_TERM,
                ),
                name="product_terms",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="product_newest")]

    def __str__(self) -> str:
        return self.code


class CreditRequestQuerySet(OfABranch):
    def undecided(self) -> "CreditRequestQuerySet":
        return self.filter(status__in=UNDECIDED)

    def longest_unchecked_first(self) -> "CreditRequestQuerySet":
        return self.order_by(F("last_checked_at").asc(nulls_first=True), "id")

    def with_everything(self) -> "CreditRequestQuerySet":
        """All that a reply or a scoring needs of the row's neighbours, in one query."""
        return self.select_related(
            "branch", "product", "individual__data_key", "company__data_key", "prediction__data_key"
        )


class CreditRequest(models.Model):
    """One application of a person or a company. `prediction` is the newest scoring of it."""

    class Channel(models.TextChoices):
        BRANCH = "branch"
        ONLINE = "online"
        PARTNER = "partner"
        PHONE = "phone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=[(status, status) for status in STATUSES], default="pending")
    version = models.PositiveIntegerField(default=1)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="+")
    individual = models.ForeignKey(Individual, on_delete=models.PROTECT, null=True, related_name="credit_requests")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="credit_requests")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="credit_requests")
    requested_amount = models.BigIntegerField()
    term_months = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=30, choices=[(purpose, purpose) for purpose in PURPOSES])
    channel = models.CharField(max_length=10, choices=Channel.choices)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    # Null only between the two inserts of one transaction: the log row names the request, the request the log row.
    prediction = models.ForeignKey(PredictionLog, on_delete=models.PROTECT, null=True, related_name="+")
    last_checked_at = models.DateTimeField(null=True)
    # marks.py: of the newest prediction (kept equal by a trigger), and as of the last check. Null: not looked at yet.
    score = models.IntegerField(null=True)
    grade = models.CharField(max_length=1, null=True)
    is_fallback = models.BooleanField(null=True)
    is_demonstration = models.BooleanField(null=True)
    has_contradiction = models.BooleanField(null=True)
    is_thin_file = models.BooleanField(null=True)
    external_records = models.ManyToManyField(ExternalRecord, related_name="credit_requests")
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CreditRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(individual__isnull=False, company__isnull=True)
                | Q(individual__isnull=True, company__isnull=False),
                name="credit_request_one_applicant",
            ),
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="credit_request_status"),
            models.CheckConstraint(
                condition=Q(channel__in=["branch", "online", "partner", "phone"]), name="credit_request_channel"
            ),
            models.CheckConstraint(condition=Q(purpose__in=PURPOSES), name="credit_request_purpose"),
            models.CheckConstraint(condition=Q(currency__in=CURRENCIES), name="credit_request_currency"),
            models.CheckConstraint(
                condition=_within("requested_amount", 1, MOST_MONEY), name="credit_request_requested_amount"
            ),
            models.CheckConstraint(condition=_within("term_months", 1, MOST_TERM), name="credit_request_term_months"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="credit_request_newest"),
            models.Index(fields=["branch", "-created_at", "-id"], name="credit_request_of_branch"),
            models.Index(fields=["status", "last_checked_at", "id"], name="credit_request_unchecked"),
            models.Index(fields=["branch", "status", "created_at", "id"], name="credit_request_queue"),
            models.Index(fields=["requested_amount", "id"], name="credit_request_by_amount"),
            models.Index(fields=["score", "id"], name="credit_request_by_score"),
            # Few of many: whoever looks for them would else walk along all the others.
            models.Index(
                fields=["-created_at", "-id"], condition=Q(is_fallback=True), name="credit_request_by_fallback"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def applicant(self) -> Individual | Company:
        return self.individual or self.company

    @property
    def segment(self) -> str:
        return "individual" if self.individual_id else "company"
