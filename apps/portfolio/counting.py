"""Counts the weeks that monitoring shows, from the log and the decisions; each week in full or not at all."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.background import heartbeat
from apps.common.crypto import DataErased, InvalidTag
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.models.decisions import APPROVE, DECLINE, PERSON, POLICY
from apps.portfolio.models import MonitoringWeek, WeekFigures
from apps.portfolio.tallies import Decided, Scoring, Tally
from apps.portfolio.weeks import WEEK, monday_of, span_of, week_of, weeks_between
from apps.scoring_engine.models import PredictionLog

log = structlog.get_logger("monitoring")
ROWS_AT_ONCE = 500
# A transaction that was open when the week ended may still bring rows of it.
LATE = timedelta(hours=1)
FINAL = (APPROVE, DECLINE)
COLUMNS = ("segment", "branch_id", "card_id", "role", "score", "mode", "purpose", "sealed", "request_id", "data_key")
Progress = Callable[[date, int, int], None]
Span = tuple[datetime, datetime]


def update_monitoring(
    *,
    since: date | None = None,
    actor: User | None,
    now: datetime,
    progress: Progress = lambda week, done, total: None,
) -> dict[str, int]:
    """Count every week that is not complete yet, and with `since` all from its week on, again if need be.

    Broken off half way, it goes on with the next call: what was counted of earlier weeks stands.
    """
    if since is not None and since > lender_today(now):
        raise InvalidInput.of(since=f"{since} was given; it lies in the future. Give a day up to today.")
    first, counts = _first_week(since), {"weeks": 0, "applications": 0, "unreadable": 0}
    weeks = [] if first is None else list(weeks_between(first, week_of(now)))
    for done, week in enumerate(weeks):
        progress(week, done, len(weeks))
        counted = count_week(week=week, actor=actor, now=now)
        counts["weeks"] += 1
        for name in ("applications", "unreadable"):
            counts[name] += counted[name]
    return counts


def _first_week(since: date | None) -> date | None:
    oldest = CreditRequest.objects.order_by("created_at", "id").values_list("created_at", flat=True).first()
    if oldest is None:
        return None
    if since is not None:
        return max(monday_of(since), week_of(oldest))
    open_ = MonitoringWeek.objects.filter(is_complete=False).order_by("week").first()
    last = MonitoringWeek.objects.order_by("week").last()
    return open_.week if open_ else last.week + WEEK if last else week_of(oldest)


def count_week(*, week: date, actor: User | None, now: datetime) -> dict[str, int]:
    """Read outside the transaction that writes, in chunks. An application counts with its last scoring of the week."""
    if week != monday_of(week):
        raise InvalidInput.of(week=f"{week} was given; a week is named by its Monday, {monday_of(week)}.")
    span, tally = span_of(week), Tally()
    for scoring in _scorings(span):
        tally.add_scoring(scoring)
    for decided in _decisions(span):
        tally.add_decision(decided)
    return _store_week(week=week, tally=tally, actor=actor, now=now)


@transaction.atomic
def _store_week(*, week: date, tally: Tally, actor: User | None, now: datetime) -> dict[str, int]:
    kept = {"counted_at": now, "is_complete": now >= span_of(week)[1] + LATE}
    MonitoringWeek.objects.get_or_create(week=week, defaults=kept)
    # Held, so that of two that count the same week one comes after the other.
    held = MonitoringWeek.objects.select_for_update().get(week=week)
    held.counted_at, held.is_complete = kept["counted_at"], kept["is_complete"]
    held.save(update_fields=list(kept))
    held.figures.all().delete()
    rows = list(tally.rows())
    for row in rows:
        row.week = held
    WeekFigures.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    answers = [row for row in rows if row.branch_id is None and row.role == "champion"]
    counts = {name: sum(getattr(row, name) for row in answers) for name in ("applications", "unreadable")}
    record_event(actor=actor, action="monitoring.count", subject=held, details=counts)
    return counts


# --- Scorings -------------------------------------------------------------------------------------------------


def _scorings(span: Span) -> Iterator[Scoring]:
    for ids in _applications(span):
        rows = PredictionLog.objects.filter(request_id__in=ids, created_at__lt=span[1]).order_by("created_at", "id")
        latest = {(row.request_id, row.role): row for row in rows.select_related("data_key").only(*_read())}
        for row in latest.values():
            yield _scoring(row)
        heartbeat()


def _read() -> list[str]:
    plain = [name.removesuffix("_id") if name in ("branch_id", "card_id") else name for name in COLUMNS]
    return plain + [f"data_key__{name}" for name in ("key_id", "wrapped", "destroyed_at")]


def _applications(span: Span) -> Iterator[list[UUID]]:
    """The requests of the span in order, some at a time, each time from where the last ones ended."""
    rows = CreditRequest.objects.filter(created_at__gte=span[0], created_at__lt=span[1]).order_by("created_at", "id")
    chunk = list(rows.values_list("created_at", "id")[:ROWS_AT_ONCE])
    while chunk:
        yield [id_ for _, id_ in chunk]
        moment, id_ = chunk[-1]
        rest = rows.filter(created_at__gte=moment).exclude(created_at=moment, id__lte=id_)
        chunk = list(rest.values_list("created_at", "id")[:ROWS_AT_ONCE])


def _scoring(row: PredictionLog) -> Scoring:
    return Scoring(
        segment=row.segment,
        branch_id=row.branch_id,
        model_digest=row.card_id,
        role=row.role,
        score=row.score,
        is_fallback=row.mode == "fallback",
        is_demonstration=row.purpose == "demonstration",
        opened=_opened(row),
    )


def _opened(row: PredictionLog) -> dict[str, Any] | None:
    """None where the person was erased, or where somebody changed the row past the engine."""
    try:
        return row.opened()
    except DataErased:
        return None
    except InvalidTag:
        log.error("prediction_cannot_be_read", prediction_id=str(row.id))
        return None


# --- Decisions ------------------------------------------------------------------------------------------------


def _decisions(span: Span) -> Iterator[Decided]:
    """What the policy and what people decided; that somebody asked for a second look is no decision."""
    earlier = Decision.objects.filter(
        credit_request=OuterRef("credit_request"), number__lt=OuterRef("number"), outcome__in=FINAL
    )
    rows = Decision.objects.filter(created_at__gte=span[0], created_at__lt=span[1], kind__in=(POLICY, PERSON))
    rows = rows.annotate(is_repeated=Exists(earlier)).values(
        "kind",
        "outcome",
        "direction",
        "created_at",
        "is_repeated",
        "credit_request__created_at",
        "credit_request__individual_id",
        "credit_request__branch_id",
        "prediction__card_id",
    )
    for place, row in enumerate(rows.iterator(chunk_size=ROWS_AT_ONCE)):
        if place % ROWS_AT_ONCE == 0:
            heartbeat()
        yield _decided(row)


def _decided(row: dict[str, Any]) -> Decided:
    is_first = row["outcome"] in FINAL and not row["is_repeated"]
    return Decided(
        segment="individual" if row["credit_request__individual_id"] else "company",
        branch_id=row["credit_request__branch_id"],
        model_digest=row["prediction__card_id"] or "",
        kind=row["kind"],
        outcome=row["outcome"],
        direction=row["direction"],
        taken=row["created_at"] - row["credit_request__created_at"] if is_first else None,
    )
