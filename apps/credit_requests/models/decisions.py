"""What was decided of a request, by whom and on what; and who may not touch whose request."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from apps.accounts.models import Role, User
from apps.accounts.permissions import READERS
from apps.common.crypto import unseal
from apps.common.models import DataKey
from apps.common.money import MOST_MONEY
from apps.companies.models import Company
from apps.credit_requests.models.requests import MOST_RATE, MOST_TERM, CreditRequest
from apps.individuals.models import Individual
from apps.policies.models import PolicyVersion
from apps.scoring_engine.models import PredictionLog

APPROVE, REFER, DECLINE = OUTCOMES = ("approve", "refer", "decline")
POLICY, PERSON, REFERRAL, REVIEW = KINDS = ("policy", "person", "referral", "review")
LOW_SIDE, HIGH_SIDE = DIRECTIONS = ("low_side", "high_side")
WAITING, CONFIRMED, REFUSED, EXPIRED = STATES = ("waiting", "confirmed", "refused", "expired")
SELF_BAN = "self_ban"
REGISTERS = (SELF_BAN,)
RELATIONS = ("self", "relative", "owner", "employer", "other")


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


_AGAINST_THE_POLICY = Q(kind=PERSON) & (
    Q(outcome=APPROVE, policy_outcome=DECLINE) | Q(outcome=DECLINE, policy_outcome=APPROVE)
)


def _person(**options: Any) -> models.ForeignKey:
    return models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", **options)


class StaffLinkQuerySet(models.QuerySet):
    def standing(self) -> Self:
        return self.filter(ended_at=None)

    def visible_to(self, user: User) -> Self:
        """All for those who keep the list and those who check it, their own for everybody else."""
        return self if user.role in (Role.ADMINISTRATOR, Role.AUDITOR) else self.filter(user=user)


class StaffLink(models.Model):
    """The user is this applicant, or stands too close to them: they may not decide of their requests."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="links")
    individual = models.ForeignKey(Individual, on_delete=models.PROTECT, null=True, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="+")
    relation = models.CharField(max_length=10, choices=_choices(RELATIONS))
    made_by = _person()
    created_at = models.DateTimeField()
    ended_by = _person(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = StaffLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(individual__isnull=False, company=None) | Q(individual=None, company__isnull=False),
                name="staff_link_to_one_applicant",
            ),
            models.CheckConstraint(condition=Q(relation__in=RELATIONS), name="staff_link_relation"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="staff_link_end",
            ),
            # Nobody frees themselves.
            models.CheckConstraint(
                condition=Q(ended_by=None) | ~Q(ended_by=F("user")), name="staff_link_not_ended_by_the_linked"
            ),
            models.UniqueConstraint(
                fields=["user", "individual"],
                condition=Q(ended_at=None, individual__isnull=False),
                name="staff_link_once_to_an_individual",
            ),
            models.UniqueConstraint(
                fields=["user", "company"],
                condition=Q(ended_at=None, company__isnull=False),
                name="staff_link_once_to_a_company",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.relation}"


class RegisterAnswer(models.Model):
    """What a person read in a register that has no client yet. `sealed` holds {is_listed}. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credit_request = models.ForeignKey(CreditRequest, on_delete=models.PROTECT, related_name="register_answers")
    register = models.CharField(max_length=20, choices=_choices(REGISTERS))
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    answered_by = _person()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(register__in=REGISTERS), name="register_answer_register"),
            models.UniqueConstraint(
                fields=["credit_request", "register", "created_at"], name="register_answer_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.register} of {self.credit_request_id}"

    def opened(self) -> dict[str, Any]:
        return unseal(self.data_key, self.sealed, f"register_answer:{self.id}")


class OfARequest(models.QuerySet):
    def visible_to(self, user: User) -> Self:
        """Those of the requests that the user sees."""
        if user.role not in READERS:
            return self.none()
        return self if user.sees_all_branches else self.filter(credit_request__branch_id=user.branch_id)


class DecisionQuerySet(OfARequest):
    def newest(self) -> Self:
        """Of each request the decision that stands."""
        last = Decision.objects.filter(credit_request=OuterRef("credit_request")).order_by("-number").values("id")[:1]
        return self.filter(id=Subquery(last))

    def with_everything(self) -> Self:
        """All that a reply needs of the row's neighbours, in one query."""
        return self.select_related("data_key", "policy")


class Decision(models.Model):
    """One step of a request's decision, for good. The newest one (by number) is the one that stands.

    kind: policy (it spoke), person (one or two people decided), referral (an officer asks for a second look before the
    policy spoke), review (a person asks to look again at what was decided).
    `sealed` holds {trace, comment}: the trace names values of facts. `records`: the external records that were used,
    as {source, record, version, observed_at, fetched_at, origin, is_stale}. Rates in basis points a year, terms in
    months, money in whole units of the request's currency.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credit_request = models.ForeignKey(CreditRequest, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=_choices(KINDS))
    outcome = models.CharField(max_length=10, choices=_choices(OUTCOMES))
    # What the policy's rules gave, before a bar turned it into refer; and whether there was one.
    policy_outcome = models.CharField(max_length=10, choices=_choices(OUTCOMES), blank=True, default="")
    is_barred = models.BooleanField(default=False)
    has_fired_knockout = models.BooleanField(default=False)
    reasons = models.JSONField(default=list, help_text="Codes, in the policy's order.")
    on_date = models.DateField()
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="decisions")
    prediction = models.ForeignKey(PredictionLog, on_delete=models.PROTECT, null=True, related_name="+")
    records = models.JSONField(default=list)
    amount = models.BigIntegerField(null=True)
    term_months = models.PositiveSmallIntegerField(null=True)
    annual_rate_basis_points = models.PositiveIntegerField(null=True)
    instalment = models.BigIntegerField(null=True)
    annual_probability_of_default = models.FloatField(null=True)
    loss_given_default = models.FloatField(null=True)
    expected_loss = models.BigIntegerField(null=True)
    direction = models.CharField(max_length=10, choices=_choices(DIRECTIONS), blank=True, default="")
    reason_code = models.SlugField(max_length=40, blank=True, default="")
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    made_by = _person(null=True)
    checked_by = _person(null=True)
    override = models.OneToOneField(
        "credit_requests.Override", on_delete=models.PROTECT, null=True, related_name="decision"
    )
    created_at = models.DateTimeField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credit_request", "number"], name="decision_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="decision_number_from_one"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="decision_kind"),
            models.CheckConstraint(condition=Q(outcome__in=OUTCOMES), name="decision_outcome"),
            models.CheckConstraint(condition=Q(policy_outcome__in=("", *OUTCOMES)), name="decision_policy_outcome"),
            models.CheckConstraint(
                condition=~Q(kind__in=(POLICY, PERSON)) | Q(policy__isnull=False) & ~Q(policy_outcome=""),
                name="decision_names_its_policy",
            ),
            models.CheckConstraint(
                condition=~Q(kind=POLICY)
                | Q(is_barred=False)
                | Q(outcome=REFER)
                | Q(outcome=DECLINE, has_fired_knockout=True),
                name="decision_a_bar_refers",
            ),
            models.CheckConstraint(
                condition=Q(kind=POLICY) | Q(made_by__isnull=False), name="decision_of_people_has_a_maker"
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | Q(made_by=None) | ~Q(checked_by=F("made_by")),
                name="decision_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=(POLICY, PERSON)) | Q(outcome=REFER), name="decision_to_look_again_refers"
            ),
            models.CheckConstraint(
                condition=~Q(kind=PERSON) | Q(outcome__in=(APPROVE, DECLINE)), name="decision_of_a_person_is_final"
            ),
            models.CheckConstraint(
                condition=Q(direction=LOW_SIDE, kind=PERSON, outcome=APPROVE, policy_outcome=DECLINE)
                | Q(direction=HIGH_SIDE, kind=PERSON, outcome=DECLINE, policy_outcome=APPROVE)
                | Q(direction="") & ~_AGAINST_THE_POLICY,
                name="decision_direction",
            ),
            models.CheckConstraint(
                condition=Q(direction="") | Q(override__isnull=False) & ~Q(reason_code=""),
                name="decision_against_the_policy_says_why",
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=1, amount__lte=MOST_MONEY), name="decision_amount"
            ),
            models.CheckConstraint(
                condition=Q(term_months=None) | Q(term_months__gte=1, term_months__lte=MOST_TERM), name="decision_term"
            ),
            models.CheckConstraint(
                condition=Q(annual_rate_basis_points=None) | Q(annual_rate_basis_points__lte=MOST_RATE),
                name="decision_rate",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=APPROVE)
                | Q(amount__isnull=False, term_months__isnull=False, annual_rate_basis_points__isnull=False),
                name="decision_to_approve_has_terms",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="decision_by_time")]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.credit_request_id}"

    def opened(self) -> dict[str, Any]:
        """Raises DataErased once the applicant's key is destroyed."""
        return unseal(self.data_key, self.sealed, f"decision:{self.id}")


class OverrideQuerySet(OfARequest):
    def waiting(self) -> Self:
        return self.filter(state=WAITING)

    def past_their_time(self, now: datetime) -> Self:
        return self.waiting().filter(expires_at__lt=now)


class Override(models.Model):
    """What a person wants decided otherwise than the policy did, or above what one person may decide.

    direction: low_side (approve what the policy declines), high_side (decline what it approves), empty where it only
    waits for a second person because of the amount. `sealed` holds {comment}, `closing` the same of who closed it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credit_request = models.ForeignKey(CreditRequest, on_delete=models.PROTECT, related_name="overrides")
    against = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    prediction = models.ForeignKey(PredictionLog, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=_choices((APPROVE, DECLINE)))
    direction = models.CharField(max_length=10, choices=_choices(DIRECTIONS), blank=True, default="")
    reason_code = models.SlugField(max_length=40)
    amount = models.BigIntegerField()
    term_months = models.PositiveSmallIntegerField()
    annual_rate_basis_points = models.PositiveIntegerField()
    # Why one person is not enough: amount, knockout, override. Empty: one is.
    second_person_for = models.JSONField(default=list)
    needs_second_person = models.BooleanField()
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    closing = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=_choices(STATES), default=WAITING)
    requested_by = _person()
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_by = _person(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="override_state"),
            models.CheckConstraint(condition=Q(outcome__in=(APPROVE, DECLINE)), name="override_outcome"),
            models.CheckConstraint(condition=Q(direction__in=("", *DIRECTIONS)), name="override_direction"),
            models.CheckConstraint(
                condition=~Q(direction=LOW_SIDE) | Q(outcome=APPROVE), name="override_low_side_approves"
            ),
            models.CheckConstraint(
                condition=~Q(direction=HIGH_SIDE) | Q(outcome=DECLINE), name="override_high_side_declines"
            ),
            models.CheckConstraint(condition=~Q(reason_code=""), name="override_says_why"),
            models.CheckConstraint(
                condition=Q(closed_by=None) | ~Q(closed_by=F("requested_by")), name="override_maker_is_not_checker"
            ),
            models.CheckConstraint(
                condition=~Q(state=CONFIRMED, needs_second_person=True) | Q(closed_by__isnull=False),
                name="override_is_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state=REFUSED) | Q(closed_by__isnull=False), name="override_refused_by"
            ),
            models.CheckConstraint(
                condition=Q(state=WAITING, closed_at=None) | (~Q(state=WAITING) & Q(closed_at__isnull=False)),
                name="override_closed_at",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("requested_at")), name="override_expires_later"),
            models.CheckConstraint(
                condition=~Q(state=CONFIRMED) | Q(closed_at__lte=F("expires_at")), name="override_confirmed_in_time"
            ),
            models.CheckConstraint(condition=Q(amount__gte=1, amount__lte=MOST_MONEY), name="override_amount"),
            models.CheckConstraint(condition=Q(term_months__gte=1, term_months__lte=MOST_TERM), name="override_term"),
            models.CheckConstraint(condition=Q(annual_rate_basis_points__lte=MOST_RATE), name="override_rate"),
            models.UniqueConstraint(
                fields=["credit_request"], condition=Q(state=WAITING), name="override_one_waits_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="override_waiting")]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.credit_request_id} ({self.state})"

    def opened(self) -> dict[str, Any]:
        return unseal(self.data_key, self.sealed, f"override:{self.id}")

    @property
    def closing_context(self) -> str:
        return f"override_closing:{self.id}"

    def closing_comment(self) -> str:
        """Empty while it waits, and where nobody closed it."""
        return "" if self.closing is None else unseal(self.data_key, self.closing, self.closing_context)["comment"]
