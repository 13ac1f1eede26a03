"""manage.py list_policies"""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.common.errors import Conflict
from apps.policies.models import PolicyVersion
from apps.policies.services import policy_in_force, policy_of
from apps.scoring_engine.ml.vocabulary import SEGMENTS


class Command(BaseCommand):
    help = "All policies, newest first; which is in force, and which of its values are still to be confirmed."

    def handle(self, **options: Any) -> None:
        in_force = {policy.id for segment in SEGMENTS if (policy := _in_force(segment))}
        for policy in PolicyVersion.objects.order_by("segment", "-valid_from", "-created_at"):
            mark = "in force" if policy.id in in_force else policy.state
            self.stdout.write(f"{policy.segment:11} {policy!s:40} {mark:10} from {policy.valid_from}")
            if policy.id in in_force and (names := policy_of(policy).to_confirm):
                self.stdout.write(f"            to confirm against the acts: {', '.join(names)}")
        for segment in SEGMENTS:
            if _in_force(segment) is None:
                self.stdout.write(f"{segment:11} no policy is in force; nothing of it can be decided")


def _in_force(segment: str) -> PolicyVersion | None:
    try:
        return policy_in_force(segment, timezone.now())
    except Conflict:
        return None
