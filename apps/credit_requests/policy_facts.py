"""What the policy is asked with: the facts that were scored, the assessment, and why it may not decide by itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from apps.common.days import full_years, lender_today, start_of
from apps.credit_requests.contradictions import Opened, compare, contradictions_of, flags_of, open_records, stated_by
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.models.decisions import APPROVE, SELF_BAN
from apps.credit_requests.register_answers import fresh_answer
from apps.credit_requests.transitions import APPROVED, UNDECIDED
from apps.external_integrations.as_of import Held, held_now
from apps.external_integrations.models import Origin
from apps.external_integrations.sources.bureau import BureauRecord
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
    """`records`: those used, as Decision keeps them. `bars`: those of the assessment. `contradictions`: between the
    applicant and these records, as Comparison.document gives them.
    """

    facts: dict[str, Fact]
    assessment: Assessment | None
    bars: tuple[str, ...]
    records: list[dict[str, Any]]
    contradictions: list[dict[str, Any]]


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
    held = held_of(credit_request)
    records = [_told(each, policy.freshness, now) for each in held]
    bars = tuple(_bars(credit_request, prediction, sealed, records, policy))
    opened = open_records(held)
    compared = compare(stated_by(credit_request, now), opened)
    facts = sealed["facts"] | _of_request(credit_request, asked) | _of_applicant(credit_request, asked, now)
    facts |= _of_register(credit_request, opened, policy, now)
    return Gathered(
        facts | flags_of(compared), _assessment(prediction, bars), bars, records, contradictions_of(compared)
    )


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


def _of_applicant(credit_request: CreditRequest, asked: Asked, now: datetime) -> dict[str, Fact]:
    """Age only where there is a birth date."""
    facts: dict[str, Fact] = {"online_requests_today": _count_online_requests(credit_request, now)}
    if credit_request.individual_id:
        facts |= _ages(credit_request, lender_today(now), asked.term_months)
    return facts


def _of_register(
    credit_request: CreditRequest, opened: Iterable[Opened], policy: Policy, now: datetime
) -> dict[str, Fact]:
    """What a person read in the register of self-bans, and what a bureau says of it, where these are fresh. That one of
    them tells of a ban is enough.
    """
    days = policy.freshness.get(SELF_BAN, SELF_BAN_DAYS)
    bureaus = [
        told.self_banned for held, told in opened if isinstance(told, BureauRecord) and not held.is_stale(now, days)
    ]
    answers = [fresh_answer(credit_request, SELF_BAN, days=days, now=now), *bureaus]
    known = [answer for answer in answers if answer is not None]
    return {"self_banned": any(known)} if known else {}


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


def held_of(credit_request: CreditRequest) -> list[Held]:
    """What is known now of its records."""
    records = credit_request.external_records.select_related("data_key", "current__data_key").order_by("source", "id")
    return [held for record in records if (held := held_now(record)) is not None]


def _told(held: Held, freshness: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """`is_stale`: by the policy's own limit, in days since the source last confirmed it."""
    source = held.record.source
    return {
        "source": source,
        "record": str(held.record.id),
        "version": str(held.version.id),
        "observed_at": held.observed_at.isoformat(),
        "fetched_at": held.version.fetched_at.isoformat(),
        "origin": held.version.origin,
        "is_stale": held.is_stale(now, freshness.get(source)),
    }
