"""What waits for whoever signed in, with a link to each heap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.accounts.permissions import EVERYONE, READERS
from apps.common.days import lender_today
from apps.credit_requests.models import CreditRequest, Override
from apps.credit_requests.queue import count_by_status
from apps.policies.models import DRAFT, PolicyVersion
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import CHAMPION, ModelVersion
from apps.workbench.applicants import Named, name_applicant
from apps.workbench.labels import STATUSES
from apps.workbench.screen import Screen
from apps.workbench.views.queue import counted

LONGEST, WAITING = 6, 10
# What each role starts from, most pressing first; the first is what its people decide.
FIRST = {
    Role.OFFICER: ("pending", "referred"),
    Role.APPROVER: ("referred", "pending"),
    Role.ANALYST: ("referred", "pending"),
    Role.AUDITOR: ("approved", "rejected"),
}
DECIDERS = frozenset({Role.OFFICER, Role.APPROVER})
EXPLAINED = {
    "pending": _("The policy has not spoken yet"),
    "referred": _("People decide"),
    "approved": _("Credit is granted"),
    "rejected": _("Credit is refused"),
    "withdrawn": _("The applicant took it back"),
}


@dataclass(frozen=True, slots=True)
class Heap:
    """`count` requests behind `address`; beyond a bound only that there are more."""

    explained: Any
    count: str
    address: str
    code: str


@dataclass(frozen=True, slots=True)
class InForce:
    """What scores and what decides in a segment."""

    segment: str
    champion: ModelVersion | None
    policy: PolicyVersion | None


class Home(Screen):
    roles = EVERYONE
    template = "workbench/home.html"
    title = _("Home")

    def get(self, request: HttpRequest) -> HttpResponse:
        user, now = request.user, timezone.now()
        first = FIRST.get(Role(user.role), ())
        return self.show(
            heaps=_heaps(user, first) if user.role in READERS else [],
            longest=_longest(user, first[0]) if user.role in DECIDERS else [],
            longest_address=_queue_of(first[0], order="oldest") if first else "",
            waiting=_waiting_for(user),
            in_force=[] if user.role in DECIDERS else _in_force(now),
            drafts=[] if user.role in DECIDERS else _drafts(),
            may_administer=user.role == Role.ADMINISTRATOR,
        )


def _heaps(user: User, first: tuple[str, ...]) -> list[Heap]:
    counts = count_by_status(user)
    order = [*first, *(status for status in STATUSES if status not in first)]
    return [Heap(EXPLAINED[status], counted(counts[status]), _queue_of(status), status) for status in order]


def _longest(user: User, status: str) -> list[tuple[CreditRequest, Named]]:
    """The requests that have waited longest."""
    rows = CreditRequest.objects.visible_to(user).filter(status=status).with_everything()
    rows = rows.defer("prediction__sealed").order_by("created_at", "id")[:LONGEST]
    return [(row, name_applicant(row)) for row in rows]


def _waiting_for(user: User) -> list[tuple[Override, Named]]:
    """Decisions that want a second person, who is never the one that asked."""
    if user.role != Role.APPROVER:
        return []
    waiting = Override.objects.visible_to(user).waiting().exclude(requested_by=user)
    applicants = ("credit_request__individual__data_key", "credit_request__company__data_key")
    waiting = waiting.select_related(*applicants, "requested_by").order_by("expires_at", "id")[:WAITING]
    return [(override, name_applicant(override.credit_request)) for override in waiting]


def _in_force(now: datetime) -> list[InForce]:
    rows = ModelVersion.objects.filter(state=CHAMPION).defer("manifest", "types")
    champions = {model.segment: model for model in rows}
    today = lender_today(now)
    policies = {
        segment: PolicyVersion.objects.in_force(segment, today, now).defer("text").first() for segment in SEGMENTS
    }
    return [InForce(segment, champions.get(segment), policies[segment]) for segment in SEGMENTS]


def _drafts() -> list[tuple[str, Any, int]]:
    """Address, name and number of what a second person has not looked at yet."""
    counts = (
        ("models", _("Models that wait for a validation"), ModelVersion.objects.filter(state=DRAFT).count()),
        ("policies", _("Policies that wait to be published"), PolicyVersion.objects.filter(state=DRAFT).count()),
    )
    return [(reverse(f"workbench:{name}"), label, count) for name, label, count in counts if count]


def _queue_of(status: str, **more: str) -> str:
    return f"{reverse('workbench:queue')}?{urlencode({'status': status} | more)}"
