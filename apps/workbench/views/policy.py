"""One policy: its limits, rules and bands in words, what the checks say, and the way to publishing or discarding it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.permissions import ANALYSTS
from apps.common.days import lender_today
from apps.credit_requests.models import CreditRequest
from apps.policies import services
from apps.policies.api import PUBLISHERS, READS_POLICIES
from apps.policies.models import DISCARDED, DRAFT, PolicyVersion
from apps.workbench.policy_tables import PolicyTeller
from apps.workbench.screen import Screen
from apps.workbench.views.policies import policy_address


class PolicyScreen(Screen):
    roles = READS_POLICIES
    template = "workbench/policy.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found = get_object_or_404(PolicyVersion.objects.select_related("made_by", "checked_by"), id=pk)
        checked, user = services.check_policy(found.text), request.user
        day = max(found.valid_from, lender_today())
        teller = PolicyTeller(checked.policy, day)
        is_draft, is_analyst = found.state == DRAFT, user.role in ANALYSTS
        return self.show(
            title=teller.title,
            found=found,
            policy=checked.policy,
            teller=teller,
            day=day,
            checked=checked,
            may_publish=is_draft and user.role in PUBLISHERS,
            is_maker=found.made_by_id == user.id,
            may_discard=is_draft and is_analyst,
            may_draft=is_analyst,
            may_simulate=is_analyst and found.state != DISCARDED,
            channels=CreditRequest.Channel.values,
        )


class PublishPolicy(Screen):
    roles = PUBLISHERS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        policy, comment = get_object_or_404(PolicyVersion, id=pk), request.POST.get("comment", "")
        services.publish_policy(policy=policy, comment=comment, actor=request.user, now=timezone.now())
        return self.go(policy_address(policy), _("Published. It decides from its day on."))


class DiscardPolicy(Screen):
    roles = ANALYSTS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        policy, comment = get_object_or_404(PolicyVersion, id=pk), request.POST.get("comment", "")
        services.discard_policy(policy=policy, comment=comment, actor=request.user)
        return self.go(policy_address(policy), _("Discarded. It will never decide."))
