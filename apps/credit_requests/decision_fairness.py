"""Whether groups of applicants fare alike, up to the last decision: by the policy alone, by people, and in the end.

Sex comes from the PINFL, age from the birth date, and both are looked at here alone: no model and no policy may use
them. Of each request decided in the span its last decision counts, and beside it what the policy's rules gave.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased, InvalidTag
from apps.common.days import full_years, start_of
from apps.common.errors import InvalidInput
from apps.common.identifiers import pinfl_sex
from apps.credit_requests.models import Decision
from apps.scoring_engine.ml.learning.fairness import adverse_impact

FORMAT = 1
ROWS_AT_ONCE = 500
AGE_BANDS = ((25, "under 25"), (40, "25 to 39"), (60, "40 to 59"))
OLDEST = "60 and over"
COUNTED = ("found", "erased", "unreadable", "demo")
GROUPINGS = ("sex", "age", "branch")
Document = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fared:
    """How one person's request ended, what the rules gave, and the groups that the person belongs to."""

    approved: bool
    policy_outcome: str
    direction: str
    groups: dict[str, str]


def fairness_of_decisions(
    *, since: date, until: date | None, actor: User | None, progress: Progress = lambda done, total: None
) -> Document:
    """Rates by group with 95 % intervals, people only. Raises InvalidInput where nothing was decided in the span.

    `approved`: of all decided requests those approved in the end. `approved_by_policy`: those that the rules alone
    would approve. `low_side`: of those that the rules decline, the share approved by people; `high_side`: of those that
    the rules approve, the share declined by people. A rate is `enough` to speak of from 30 rows on, with at least 5
    expected of either kind.
    """
    if until is not None and until <= since:
        raise InvalidInput(f"The span is empty: it must end after {since}, not on {until}.")
    rows = _last_decisions(since, until)
    found = rows.count()
    if not found:
        raise InvalidInput(f"No request of a person was decided {_span_told(since, until)}.")
    _record(rows, found, since, until, actor)
    counts: Counter[str] = Counter(found=found)
    fared = []
    for done, decision in enumerate(rows.iterator(chunk_size=ROWS_AT_ONCE), start=1):
        fared += _fared(decision, counts)
        progress(done, found)
    return {
        "format": FORMAT,
        "since": since.isoformat(),
        "until": until and until.isoformat(),
        "requests": {"compared": len(fared)} | {name: counts[name] for name in COUNTED},
        "groups": {grouping: _figures(fared, grouping) for grouping in GROUPINGS} if fared else {},
    }


def _last_decisions(since: date, until: date | None) -> QuerySet[Decision]:
    """Of each person's request that ended in the span its last decision; one that is open again is left out."""
    newest = Decision.objects.filter(credit_request=OuterRef("credit_request")).order_by("-number").values("id")[:1]
    rows = Decision.objects.filter(id=Subquery(newest), outcome__in=("approve", "decline"))
    rows = rows.filter(created_at__gte=start_of(since)).exclude(credit_request__individual=None)
    rows = rows if until is None else rows.filter(created_at__lt=start_of(until))
    neighbours = ("credit_request__individual__data_key", "credit_request__branch")
    return rows.select_related(*neighbours).order_by("created_at", "id")


def _fared(decision: Decision, counts: Counter[str]) -> list[Fared]:
    request = decision.credit_request
    try:
        profile = request.individual.profile
    except (DataErased, InvalidTag) as error:
        counts["erased" if isinstance(error, DataErased) else "unreadable"] += 1
        return []
    counts["demo"] += request.is_demo
    born = profile["birth_date"] and date.fromisoformat(profile["birth_date"])
    groups = {
        "sex": pinfl_sex(profile["pinfl"]) if profile["pinfl"] else "",
        "age": _age_band(full_years(born, decision.on_date)) if born else "",
        "branch": request.branch.code,
    }
    return [Fared(decision.outcome == "approve", decision.policy_outcome, decision.direction, groups)]


def _age_band(years: int) -> str:
    return next((name for below, name in AGE_BANDS if years < below), OLDEST)


def _figures(fared: Iterable[Fared], grouping: str) -> Document:
    known = [one for one in fared if one.groups[grouping]]
    largest = Counter(one.groups[grouping] for one in known).most_common(1)[0][0] if known else None
    by_rules = [one for one in known if one.policy_outcome]
    declined = [one for one in by_rules if one.policy_outcome == "decline"]
    accepted = [one for one in by_rules if one.policy_outcome == "approve"]
    return {
        "reference": largest,
        "approved": _rates(known, grouping, largest, lambda one: one.approved),
        "approved_by_policy": _rates(by_rules, grouping, largest, lambda one: one.policy_outcome == "approve"),
        "low_side": _rates(declined, grouping, largest, lambda one: one.direction == "low_side"),
        "high_side": _rates(accepted, grouping, largest, lambda one: one.direction == "high_side"),
    }


def _rates(
    fared: Sequence[Fared], grouping: str, reference: str | None, chosen: Callable[[Fared], bool]
) -> list[Document]:
    """One entry a group; none where the reference group has nobody."""
    groups = np.array([one.groups[grouping] for one in fared], dtype=str)
    if reference is None or reference not in groups:
        return []
    selected = np.array([chosen(one) for one in fared], dtype=bool)
    return [_without_nan(asdict(impact)) for impact in adverse_impact(selected, groups, reference)]


def _without_nan(figures: Document) -> Document:
    return {name: None if value != value else value for name, value in figures.items()}


def _record(rows: QuerySet[Decision], found: int, since: date, until: date | None, actor: User | None) -> None:
    """Written before the first profile is opened."""
    details = {"since": since.isoformat(), "until": until and until.isoformat(), "rows": found}
    with transaction.atomic():
        record_event(actor=actor, action="decision.fairness", subject=rows.first(), details=details)


def _span_told(since: date, until: date | None) -> str:
    return f"from {since} on" if until is None else f"from {since} to before {until}"
