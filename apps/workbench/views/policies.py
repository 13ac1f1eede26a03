"""The lender's policies: which is in force, which wait for a second person, and a text tried before it is handed in."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.accounts.permissions import ANALYSTS
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.credit_requests.models import Simulation
from apps.credit_requests.models.simulations import SEES_SIMULATIONS
from apps.policies import services
from apps.policies.api import READS_POLICIES
from apps.policies.models import DRAFT, PolicyVersion
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.workbench.screen import Screen

POLICIES, SIMULATIONS = 100, 10


class Policies(Screen):
    roles = READS_POLICIES
    template = "workbench/policies.html"
    title = gettext_lazy("Policies")

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = PolicyVersion.objects.defer("text").select_related("made_by", "checked_by")
        return self.show(
            in_force=[(segment, _in_force(segment)) for segment in SEGMENTS],
            drafts=rows.filter(state=DRAFT).order_by("-created_at", "-id"),
            rows=rows.exclude(state=DRAFT).order_by("segment", "-valid_from", "-created_at")[:POLICIES],
            simulations=_simulations(request.user),
            may_draft=request.user.role in ANALYSTS,
            today=lender_today(),
        )


class DraftPolicy(Screen):
    """A text that is checked as often as one likes, then handed in. `from`: the policy to begin with."""

    roles = ANALYSTS
    template = "workbench/policy_draft.html"
    title = gettext_lazy("New policy")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(text=_text_of(request.GET.get("from", "")))

    def post(self, request: HttpRequest) -> HttpResponse:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        try:
            if request.POST.get("do") == "draft":
                policy = services.draft_policy(text=text, actor=request.user, now=timezone.now())
                return self.go(policy_address(policy), _("Handed in. Somebody else has to publish it."))
            return self.show(text=text, checked=services.check_policy(text))
        except InvalidInput as refusal:
            return self.show(HTTPStatus.BAD_REQUEST, text=text, problems=refusal.errors)


def policy_address(policy: PolicyVersion) -> str:
    return reverse("workbench:policy", args=[policy.id])


def _text_of(policy_id: str) -> str:
    try:
        asked = UUID(policy_id)
    except ValueError:
        return ""
    return get_object_or_404(PolicyVersion, id=asked).text


def _in_force(segment: str) -> PolicyVersion | None:
    now = timezone.now()
    found = PolicyVersion.objects.in_force(segment, lender_today(now), now)
    return PolicyVersion.objects.defer("text").select_related("checked_by").filter(id__in=found.values("id")).first()


def _simulations(user: User) -> list[Any]:
    if user.role not in SEES_SIMULATIONS:
        return []
    rows = Simulation.objects.visible_to(user).defer("text", "result").select_related("policy", "against")
    return list(rows.defer("policy__text", "against__text").order_by("-created_at", "-id")[:SIMULATIONS])
