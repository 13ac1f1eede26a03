"""Many at one moment, over real commits and threads: who hands in, who publishes, and what is left."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection
from django.utils import timezone

from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict
from apps.common.tests.committed import CommittedTestCase
from apps.policies.models import PolicyVersion
from apps.policies.services import draft_policy, policy_in_force, publish_policy
from apps.policies.tests.test_api import text

PEOPLE, ROUNDS = 4, 5


def together(act: Callable[[int], object]) -> Counter:
    """How often it was done, and how often refused with Conflict; any other error is raised."""
    start = Barrier(PEOPLE)

    def one(number: int) -> str:
        try:
            start.wait(60)
            act(number)
        except Conflict:
            return "refused"
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(PEOPLE) as pool:
        return Counter(pool.map(one, range(PEOPLE)))


class RaceTests(CommittedTestCase):
    def setUp(self):
        super().setUp()
        self.maker, self.people = make_user("analyst"), [make_user("analyst") for _ in range(PEOPLE)]

    def draft(self, version: str) -> PolicyVersion:
        return draft_policy(text=text(version), actor=self.maker, now=timezone.now())

    def publish(self, policy: PolicyVersion, number: int, now) -> None:
        publish_policy(policy=policy, comment="as decided", actor=self.people[number], now=now)

    def events(self, action: str) -> int:
        return AuditEvent.objects.filter(action=action).count()

    def test_of_many_who_hand_in_one_version_one_is_first(self):
        for number in range(ROUNDS):
            self.assertEqual(together(lambda _, version=f"v{number}": self.draft(version)), {"done": 1, "refused": 3})
        self.assertEqual((PolicyVersion.objects.count(), self.events("policy.draft")), (ROUNDS, ROUNDS))

    def test_of_many_who_publish_one_draft_one_wins(self):
        for number in range(ROUNDS):
            policy = self.draft(f"v{number}")
            won = together(lambda who, policy=policy: self.publish(policy, who, timezone.now()))
            self.assertEqual(won, {"done": 1, "refused": 3})
        self.assertEqual(self.events("policy.publish"), ROUNDS)

    def test_many_drafts_published_at_one_moment_come_one_after_the_other(self):
        for number in range(ROUNDS):
            drafts = [self.draft(f"v{number}-{who}") for who in range(PEOPLE)]
            now = timezone.now()
            done = together(lambda who, drafts=drafts, now=now: self.publish(drafts[who], who, now))
            self.assertEqual(done, {"done": PEOPLE})
        moments = PolicyVersion.objects.values_list("published_at", flat=True)
        self.assertEqual(len(set(moments)), ROUNDS * PEOPLE)
        last = PolicyVersion.objects.latest("published_at")
        self.assertEqual(policy_in_force("individual", timezone.now()), last)
