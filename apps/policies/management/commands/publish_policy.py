"""manage.py publish_policy uz_individual/2026-12 --as bekzod --comment "As the committee decided on 1 December" """

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.accounts.lookup import acting_as
from apps.common.commands import refusals_told
from apps.policies.api import PUBLISHERS
from apps.policies.management.policy_commands import POLICY, find_policy
from apps.policies.services import publish_policy


class Command(BaseCommand):
    help = "Publish a draft that somebody else made; from its day on it decides."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", metavar="POLICY", help=POLICY)
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="who publishes it")
        parser.add_argument("--comment", required=True, help="why; the record keeps it")

    def handle(self, *, policy: str, username: str, comment: str, **options: Any) -> None:
        with refusals_told():
            actor = acting_as(username, PUBLISHERS)
            published = publish_policy(policy=find_policy(policy), comment=comment, actor=actor, now=timezone.now())
        self.stdout.write(f"{published} of {published.segment} is published; it decides from {published.valid_from}.")
