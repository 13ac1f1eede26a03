"""The queue: requests by state, age, amount, grade and flags, a page at a time, in as many queries however many there
are. Pages are cut by key and not by number, so that the last one costs what the first one does.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.common.crypto import DataErased, InvalidTag
from apps.common.days import is_storable
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.flags import flags_of, of_rows, records_held, with_flags, with_records
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.search import FoundApplicants
from apps.credit_requests.transitions import STATUS_OF, STATUSES, WITHDRAWN

PAGE, MOST_COUNTED = 50, 1_000
ON, BACK = "on", "back"  # from a page to the next, or to the one before


class Order(NamedTuple):
    column: str
    is_falling: bool


NEWEST = "newest"
ORDERS = {
    NEWEST: Order("created_at", True),
    "oldest": Order("created_at", False),
    "largest": Order("requested_amount", True),
    "smallest": Order("requested_amount", False),
    "riskiest": Order("score", False),
    "safest": Order("score", True),
}


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Empty, None and False choose nothing. Ages in days since the request was made; `branch`: its code."""

    status: str = ""
    outcome: str = ""
    older_than: int | None = None
    newer_than: int | None = None
    least_amount: int | None = None
    most_amount: int | None = None
    grade: str = ""
    product: UUID | None = None
    segment: str = ""
    branch: str = ""
    flags: tuple[str, ...] = ()
    waits_for_second: bool = False
    mine: bool = False
    order: str = NEWEST


@dataclass(frozen=True, slots=True)
class QueueRow:
    """name: None of an applicant who was erased, empty of one who cannot be read."""

    request: CreditRequest
    name: str | None
    flags: list[str]
    waits_for_second: bool
    age: timedelta


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Cursors of the neighbours; empty where there is none."""

    rows: list[QueueRow]
    previous: str
    next: str


def read_queue(
    user: User,
    chosen: QueueFilter,
    *,
    now: datetime,
    cursor: str = "",
    found: FoundApplicants | None = None,
    size: int = PAGE,
) -> QueuePage:
    """Raises InvalidInput for a cursor that was not given out for this order. `found`: only requests of these."""
    order, place = ORDERS[chosen.order], _opened(cursor, chosen.order)
    is_back = place is not None and place.way == BACK
    rows = chosen_requests(user, chosen, now)
    rows = rows if found is None else rows.filter(found.of_requests)
    rows = rows if place is None else rows.filter(_beyond(order, place))
    sign = "-" if order.is_falling is not is_back else ""
    ids = list(rows.order_by(f"{sign}{order.column}", f"{sign}id").values_list("id", flat=True)[: size + 1])
    shown, has_more = _read(ids[:size][:: -1 if is_back else 1]), len(ids) > size
    previous = shown and (has_more if is_back else place is not None)
    following = shown and (is_back or has_more)
    return QueuePage(
        _as_rows(shown, now),
        _cursor(chosen.order, BACK, shown[0]) if previous else "",
        _cursor(chosen.order, ON, shown[-1]) if following else "",
    )


def _read(ids: Sequence[UUID]) -> list[CreditRequest]:
    """In this order. Apart from the choice, which would otherwise read the neighbours of each row that it passes."""
    rows = CreditRequest.objects.select_related("branch", "product", "individual__data_key", "company__data_key")
    found = rows.prefetch_related(with_records()).in_bulk(ids)
    return [found[id_] for id_ in ids]


def chosen_requests(user: User, chosen: QueueFilter, now: datetime) -> QuerySet[CreditRequest]:
    rows = CreditRequest.objects.visible_to(user).filter(_plain(chosen, now), with_flags(chosen.flags, now))
    if chosen.outcome:
        rows = rows.filter(_with_outcome(chosen.outcome))
    if chosen.waits_for_second:
        rows = rows.filter(id__in=_waiting(now).values("credit_request"))
    if chosen.mine:
        rows = rows.filter(_of(user))
    # One that is being made has no score yet, and no place in this order.
    return rows.filter(score__isnull=False) if ORDERS[chosen.order].column == "score" else rows


def count_by_status(user: User) -> dict[str, int]:
    """Of all that the user sees, by every status there is; MOST_COUNTED + 1 where there are more than MOST_COUNTED."""
    rows = CreditRequest.objects.visible_to(user).order_by().values("id")
    return {status: rows.filter(status=status)[: MOST_COUNTED + 1].count() for status in STATUSES}


def _plain(chosen: QueueFilter, now: datetime) -> Q:
    conditions = {
        "status": chosen.status,
        "created_at__lt": _days_before(now, chosen.older_than),
        "created_at__gte": _days_before(now, chosen.newer_than),
        "requested_amount__gte": chosen.least_amount,
        "requested_amount__lte": chosen.most_amount,
        "grade": chosen.grade,
        "product": chosen.product,
        f"{chosen.segment}__isnull": False if chosen.segment else None,
        "branch__code": chosen.branch,
    }
    return Q(**{name: value for name, value in conditions.items() if value not in (None, "")})


def _days_before(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now - timedelta(days=days)


def _with_outcome(outcome: str) -> Q:
    """Of the decision that stands. The status tells it, but of what was withdrawn."""
    withdrawn = Decision.objects.newest().filter(outcome=outcome, credit_request__status=WITHDRAWN)
    return Q(status=STATUS_OF[outcome]) | Q(status=WITHDRAWN, id__in=withdrawn.values("credit_request"))


def _waiting(now: datetime) -> QuerySet[Override]:
    """One whose time is over waits no more, though nobody has closed it yet."""
    return Override.objects.waiting().filter(expires_at__gte=now)


def _of(user: User) -> Q:
    """What the person decided, confirmed, or wants confirmed."""
    decided = Decision.objects.filter(Q(made_by=user) | Q(checked_by=user))
    wanted = Override.objects.waiting().filter(requested_by=user)
    return of_rows(decided, "credit_request") | Q(id__in=wanted.values("credit_request"))


def _as_rows(requests: Sequence[CreditRequest], now: datetime) -> list[QueueRow]:
    ids = [request.id for request in requests]
    waiting = set(_waiting(now).filter(credit_request__in=ids).values_list("credit_request", flat=True))
    return [
        QueueRow(
            request,
            _name(request),
            flags_of(request, records_held(request), now),
            request.id in waiting,
            now - request.created_at,
        )
        for request in requests
    ]


def _name(request: CreditRequest) -> str | None:
    try:
        profile = request.applicant.profile
    except DataErased:
        return None
    except InvalidTag:
        return ""
    return profile["full_name" if request.individual_id else "company_name"]


# --- Cursors --------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """The last row of the page before, or the first of the one behind."""

    way: str
    value: datetime | int
    id: UUID


def _cursor(order: str, way: str, row: CreditRequest) -> str:
    value = getattr(row, ORDERS[order].column)
    place = [order, way, value.isoformat() if isinstance(value, datetime) else value, str(row.id)]
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


def _opened(cursor: str, order: str) -> Place | None:
    if not cursor:
        return None
    try:
        given, way, value, id_ = json.loads(urlsafe_b64decode(cursor))
        place = Place(way, _value(value, ORDERS[order].column), UUID(id_))
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput.of(cursor=Sentence("This page was not given out. Begin with the first one.")) from None
    if given != order or way not in (ON, BACK):
        raise InvalidInput.of(cursor=Sentence("This page is of another order. Begin with the first one."))
    return place


def _value(value: Any, column: str) -> datetime | int:
    if column != "created_at":
        if type(value) is not int or not 0 <= value < 1 << 60:
            raise ValueError
        return value
    moment = datetime.fromisoformat(value)
    if not is_storable(moment):
        raise ValueError
    return moment


def _beyond(order: Order, place: Place) -> Q:
    """The first condition is the one that an index serves."""
    column, side = order.column, "lt" if order.is_falling is (place.way == ON) else "gt"
    strictly = Q(**{f"{column}__{side}": place.value})
    tied = Q(**{column: place.value, f"id__{side}": place.id})
    return Q(**{f"{column}__{side}e": place.value}) & (strictly | tied)
