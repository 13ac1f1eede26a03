"""manage.py register_shipped_policies: what an installation does once, and after each update."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.policies.services import policy_of, register_shipped_policies


class Command(BaseCommand):
    help = "Publish the shipped policies of SHIPPED_POLICIES for each segment that has no published policy."

    def handle(self, **options: Any) -> None:
        policies = register_shipped_policies(now=timezone.now())
        for policy in policies:
            self.stdout.write(f"{policy} of {policy.segment} is published.")
            if names := policy_of(policy).to_confirm:
                self.stdout.write(f"  To confirm against the acts before use: {', '.join(names)}.")
        if not policies:
            self.stdout.write(f"Nothing to publish: SHIPPED_POLICIES is {settings.SHIPPED_POLICIES}.")
