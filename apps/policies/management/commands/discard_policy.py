"""manage.py discard_policy uz_individual/2026-12 --as anvar --comment "A better one is coming" """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.common.commands import refusals_told
from apps.policies.management.policy_commands import POLICY, find_policy
from apps.policies.services import discard_policy


class Command(BaseCommand):
    help = "Put a draft aside for good; its version may be handed in again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", metavar="POLICY", help=POLICY)
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="who discards it")
        parser.add_argument("--comment", required=True, help="why; the record keeps it")

    def handle(self, *, policy: str, username: str, comment: str, **options: Any) -> None:
        with refusals_told():
            actor = acting_as(username, ANALYSTS)
            discarded = discard_policy(policy=find_policy(policy), comment=comment, actor=actor)
        self.stdout.write(f"{discarded} of {discarded.segment} is discarded.")
