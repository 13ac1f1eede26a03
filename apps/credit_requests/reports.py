"""Reads across tables for those who watch over decisions."""

from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import User
from apps.common.days import start_of
from apps.common.errors import InvalidInput
from apps.credit_requests.models import Decision, Override
from apps.credit_requests.models.decisions import DIRECTIONS, HIGH_SIDE, LOW_SIDE, PERSON, STATES

Document = dict[str, Any]
NO_OUTCOMES = "How overridden loans did cannot be said: no outcomes of loans are kept yet."


def override_report(*, user: User, since: date, until: date | None) -> Document:
    """How often people decide otherwise than the policy: by direction, officer and reason, of what `user` may see.

    Shares are of the decisions by people in the span, on what both the policy and a person had spoken of.
    """
    if until is not None and until <= since:
        raise InvalidInput.of(until=f"The span is empty: it must end after {since}, not on {until}.")
    decided = _in_span(Decision.objects.visible_to(user).filter(kind=PERSON), "created_at", since, until)
    asked = _in_span(Override.objects.visible_to(user).exclude(direction=""), "requested_at", since, until)
    number = decided.count()
    return {
        "since": since.isoformat(),
        "until": until and until.isoformat(),
        "decided_by_people": number,
        "by_direction": [_direction(direction, decided, asked, number) for direction in DIRECTIONS],
        "by_officer": _by_officer(decided),
        "by_reason": _by_reason(decided, number),
        "loans": None,
        "loans_note": NO_OUTCOMES,
    }


def _in_span(rows: QuerySet, moment: str, since: date, until: date | None) -> QuerySet:
    rows = rows.filter(**{f"{moment}__gte": start_of(since)})
    return rows if until is None else rows.filter(**{f"{moment}__lt": start_of(until)})


def _direction(direction: str, decided: QuerySet[Decision], asked: QuerySet[Override], number: int) -> Document:
    taken = decided.filter(direction=direction).count()
    states = asked.filter(direction=direction).aggregate(**{state: Count("id", Q(state=state)) for state in STATES})
    return {"direction": direction, "decisions": taken, "share": _share(taken, number), "asked_for": states}


def _by_officer(decided: QuerySet[Decision]) -> list[Document]:
    """Of whoever asked for it; a second person who confirms is not the one who overrides."""
    rows = decided.order_by("made_by__username").values("made_by", "made_by__username", "made_by__branch__code")
    counted = rows.annotate(
        decisions=Count("id"),
        low_side=Count("id", Q(direction=LOW_SIDE)),
        high_side=Count("id", Q(direction=HIGH_SIDE)),
    )
    return [
        {
            "officer": row["made_by"],
            "username": row["made_by__username"],
            "branch": row["made_by__branch__code"],
            "decisions": row["decisions"],
            "low_side": row["low_side"],
            "high_side": row["high_side"],
            "share": _share(row["low_side"] + row["high_side"], row["decisions"]),
        }
        for row in counted
    ]


def _by_reason(decided: QuerySet[Decision], number: int) -> list[Document]:
    rows = decided.exclude(direction="").order_by("direction", "reason_code").values("direction", "reason_code")
    return [row | {"share": _share(row["decisions"], number)} for row in rows.annotate(decisions=Count("id"))]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
