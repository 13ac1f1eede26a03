"""manage.py register_shipped_policies: what an installation does once, and after each update."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.common.commands import refusals_told
from apps.policies.models import PUBLISHED, PolicyVersion
from apps.policies.services import policy_of, register_shipped_policies
from apps.scoring_engine.ml.vocabulary import SEGMENTS


class Command(BaseCommand):
    help = "Publish the shipped policies of SHIPPED_POLICIES for each segment that has no published policy."

    def handle(self, **options: Any) -> None:
        with refusals_told():
            policies = register_shipped_policies(now=timezone.now())
        for policy in policies:
            self.stdout.write(f"{policy} of {policy.segment} is published.")
            if names := policy_of(policy).to_confirm:
                self.stdout.write(f"  To confirm against the acts before use: {', '.join(names)}.")
        if not policies:
            self.stdout.write(f"Nothing to publish: SHIPPED_POLICIES is {settings.SHIPPED_POLICIES}.")
        self._tell_what_is_missing()

    def _tell_what_is_missing(self) -> None:
        decided = set(PolicyVersion.objects.filter(state=PUBLISHED).values_list("segment", flat=True))
        for segment in SEGMENTS:
            if segment not in decided:
                self.stderr.write(f"Warning: no policy of the segment {segment} is published; it is not decided on.")
