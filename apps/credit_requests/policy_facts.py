"""What the policy is asked with: the facts that were scored, the assessment, and why it may not decide by itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from apps.common.days import full_years, lender_today, start_of
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.models.decisions import APPROVE, SELF_BAN
from apps.credit_requests.register_answers import fresh_answer
from apps.credit_requests.transitions import APPROVED, UNDECIDED
from apps.external_integrations.models import ExternalRecord, Origin
from apps.external_integrations.services import FRESH_DAYS, is_stale, usable_version
from apps.policies.engine import Assessment
from apps.policies.policy import Policy
from apps.scoring_engine.models import ModelVersion, PredictionLog

ONLINE = CreditRequest.Channel.ONLINE
SELF_BAN_DAYS = 1  # where the policy states no freshness
BASIS_POINTS = 10_000
Fact = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms that the policy is asked about: those of the request, or less of what a person offers instead."""

    amount: int
    term_months: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """`records`: those used, as Decision keeps them. `bars`: those of the assessment."""

    facts: dict[str, Fact]
    assessment: Assessment | None
    bars: tuple[str, ...]
    records: list[dict[str, Any]]


def gather_policy_facts(
    credit_request: CreditRequest,
    prediction: PredictionLog | None,
    policy: Policy,
    now: datetime,
    asked: Asked | None = None,
) -> Gathered:
    """The facts as sealed in `prediction`, so that a decision rests on exactly what was scored, and what only a policy
    asks for. A fact that is not known is left out. Without `asked`, the request's own terms. Raises DataErased.
    """
    asked = asked or Asked(credit_request.requested_amount, credit_request.term_months)
    sealed = prediction.opened() if prediction else {"facts": {}, "unavailable": [], "missing_required": []}
    records = _records_used(credit_request, policy.freshness, now)
    bars = tuple(_bars(credit_request, prediction, sealed, records, policy))
    facts = sealed["facts"] | _of_request(credit_request, asked) | _of_applicant(credit_request, asked, policy, now)
    return Gathered(facts, _assessment(prediction, bars), bars, records)


def _assessment(prediction: PredictionLog | None, bars: tuple[str, ...]) -> Assessment | None:
    if prediction is None:
        return None
    return Assessment(
        score=prediction.score,
        probability_of_default=prediction.probability_of_default,
        horizon_months=prediction.horizon_months,
        grade=prediction.grade,
        bars=bars,
    )


def _of_request(credit_request: CreditRequest, asked: Asked) -> dict[str, Fact]:
    product = credit_request.product
    return {
        "requested_amount": asked.amount,
        "term_months": asked.term_months,
        "product_kind": product.kind,
        "repayment_type": product.repayment_type,
        "annual_rate": product.annual_rate_basis_points / BASIS_POINTS,
        "channel": credit_request.channel,
    }


def _of_applicant(credit_request: CreditRequest, asked: Asked, policy: Policy, now: datetime) -> dict[str, Fact]:
    """Age only where there is a birth date, and the register's answer only where it is fresh."""
    facts: dict[str, Fact] = {"online_requests_today": _count_online_requests(credit_request, now)}
    if credit_request.individual_id:
        facts |= _ages(credit_request, lender_today(now), asked.term_months)
    days = policy.freshness.get(SELF_BAN, SELF_BAN_DAYS)
    listed = fresh_answer(credit_request, SELF_BAN, days=days, now=now)
    return facts if listed is None else facts | {"self_banned": listed}


def _ages(credit_request: CreditRequest, today: date, term_months: int) -> dict[str, Fact]:
    born = credit_request.individual.profile["birth_date"]
    if born is None:
        return {}
    birth_date, maturity = date.fromisoformat(born), months_after(today, term_months)
    return {"age_years": full_years(birth_date, today), "age_at_maturity": full_years(birth_date, maturity)}


def months_after(day: date, months: int) -> date:
    """The same day of the month, or the month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _count_online_requests(credit_request: CreditRequest, now: datetime) -> int:
    """Other online requests of the applicant, undecided or approved: made on the day of this one or today, or approved
    today, so that neither waiting past midnight nor an earlier request gives a second loan on one day.
    """
    today = _within(lender_today(now))
    approvals = Decision.objects.filter(today, credit_request=OuterRef("id"), outcome=APPROVE)
    made = today | _within(lender_today(credit_request.created_at))
    same = CreditRequest.objects.filter(
        individual_id=credit_request.individual_id, company_id=credit_request.company_id, channel=ONLINE
    ).exclude(id=credit_request.id)
    live = same.filter(status__in=(*UNDECIDED, APPROVED))
    return live.filter(made | Q(Exists(approvals), status=APPROVED)).count()


def _within(day: date) -> Q:
    return Q(created_at__gte=start_of(day), created_at__lt=start_of(day + timedelta(days=1)))


def _bars(
    credit_request: CreditRequest,
    prediction: PredictionLog | None,
    sealed: Mapping[str, Any],
    records: Iterable[Mapping[str, Any]],
    policy: Policy,
) -> Iterator[str]:
    if prediction is not None and prediction.mode == "fallback":
        yield "fallback"
    if prediction is not None and not _is_own(prediction):
        yield "demonstration"
    if settings.PRODUCTION and any(record["origin"] == Origin.MOCK for record in records):
        yield "mock_source"
    if sealed["missing_required"]:
        yield "required_input_missing"
    if sealed["unavailable"]:
        yield "source_down"
    if any(record["is_stale"] for record in records):
        yield "stale_source"
    if credit_request.currency != policy.currency:
        yield "other_currency"


def _is_own(prediction: PredictionLog) -> bool:
    """Whether the model counts as the lender's own now: a validation since the scoring, passed or failed, counts."""
    return ModelVersion.objects.filter(card_id=prediction.card_id, on_own_data=True).exists()


def _records_used(credit_request: CreditRequest, freshness: Mapping[str, int], now: datetime) -> list[dict[str, Any]]:
    records = credit_request.external_records.select_related("current").order_by("source", "id")
    return [_told(record, freshness, now) for record in records if usable_version(record) is not None]


def _told(record: ExternalRecord, freshness: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """`is_stale`: by the policy's own limit, in days since the source last confirmed it."""
    version = record.current
    return {
        "source": record.source,
        "record": str(record.id),
        "version": str(version.id),
        "observed_at": record.observed_at.isoformat(),
        "fetched_at": version.fetched_at.isoformat(),
        "origin": version.origin,
        "is_stale": is_stale(record, now=now, ttl_days=freshness.get(record.source, FRESH_DAYS)),
    }
