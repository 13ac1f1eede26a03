"""Many at one moment, over real commits and threads: eight who decide one request, forty who repeat one creation.

RACE_ROUNDS=500 and RACE_KEYS=200 run as many rounds and keys.
"""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from apps.accounts.tests.factories import client_for, make_branch
from apps.audit.models import AuditEvent
from apps.common.models import IdempotencyKey
from apps.common.tests.committed import CommittedTestCase
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.tests.deciders import GREY, make_approver, make_scored, put_policy_in_force
from apps.credit_requests.tests.factories import make_officer, make_product
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.models import PredictionLog
from apps.webhooks.models import WebhookEvent

DECIDERS, REQUESTS = 8, 10
ROUNDS = int(os.environ.get("RACE_ROUNDS", "20"))  # a multiple of REQUESTS
CREATORS = 40
KEYS = int(os.environ.get("RACE_KEYS", "5"))
CREATE = "/api/credit-requests/"


class AtOneMoment(CommittedTestCase):
    """`threads` people; each thread keeps a connection of its own."""

    threads = 0

    def setUp(self):
        super().setUp()
        self.pool, self.start = ThreadPoolExecutor(self.threads), Barrier(self.threads)
        self.addCleanup(self.stop)

    def stop(self):
        together = Barrier(self.threads)
        list(self.pool.map(lambda _: (together.wait(60), connection.close()), range(self.threads)))
        self.pool.shutdown()

    def together(self, act) -> list[Any]:
        def begin(number):
            self.start.wait(60)
            return act(number)

        return list(self.pool.map(begin, range(self.threads)))


class EightWhoDecideTests(AtOneMoment):
    threads = DECIDERS

    def setUp(self):
        super().setUp()
        put_policy_in_force()
        people = [make_officer() if number % 2 else make_approver() for number in range(DECIDERS)]
        self.users, self.people = people, [client_for(user) for user in people]

    def test_of_eight_one_wins_each_round_and_nothing_is_lost(self):
        requests = [make_scored(GREY, requested_amount=10_000_000) for _ in range(REQUESTS)]
        for request in requests:
            assert self.people[1].post(f"{CREATE}{request.id}/decide/", {"version": 1}).json()["status"] == "referred"
        rounds, won = ROUNDS, Counter()
        for done in range(rounds):
            request = requests[done % REQUESTS]
            version = 2 + 2 * (done // REQUESTS)  # each round decides, and sends back to people
            won += self.one_round(request, version, done)
        self.assertEqual(sum(won.values()), rounds)
        self.nothing_is_lost(requests, won, rounds)

    def one_round(self, request: CreditRequest, version: int, done: int) -> Counter:
        """Half of them approve and half decline, another half each round; whoever won is counted by the outcome."""
        seen = {"version": version, "prediction": str(request.prediction_id), "comment": f"round {done}"}
        outcomes = ["approve" if (number + done) % 4 < 2 else "decline" for number in range(DECIDERS)]
        bodies = {"approve": seen, "decline": seen}

        def decide(number):
            outcome = outcomes[number]
            return self.people[number].post(f"{CREATE}{request.id}/{outcome}/", bodies[outcome])

        replies = self.together(decide)
        statuses = [reply.status_code for reply in replies]
        self.assertEqual(sorted(statuses), [200] + [409] * (DECIDERS - 1))
        winner = statuses.index(200)
        row = Decision.objects.filter(credit_request=request).latest("number")
        self.assertEqual((row.outcome, row.made_by), (outcomes[winner], self.users[winner]))
        stored = CreditRequest.objects.get(id=request.id)
        expected = {"approve": "approved", "decline": "rejected"}[row.outcome]
        self.assertEqual((stored.status, stored.version), (expected, version + 1))
        again = self.people[winner].post(f"{CREATE}{request.id}/review/", {"version": version + 1, "reason": "again"})
        self.assertEqual(again.json()["status"], "referred")
        return Counter([row.outcome])

    def nothing_is_lost(self, requests: list[CreditRequest], won: Counter, rounds: int) -> None:
        events = Counter(AuditEvent.objects.values_list("action", flat=True))
        told = {action.removeprefix("credit_request."): number for action, number in events.items()}
        moves = {"create": REQUESTS, "decide": REQUESTS, "review": rounds, "register_answer": REQUESTS}
        self.assertEqual({name: told[name] for name in moves | won}, moves | won)
        kinds = Counter(Decision.objects.values_list("kind", flat=True))
        self.assertEqual(kinds, {"policy": REQUESTS, "person": rounds, "review": rounds})
        self.assertEqual(WebhookEvent.objects.count(), REQUESTS + 2 * rounds)
        each = rounds // REQUESTS
        for request in requests:
            numbers = list(request.decisions.order_by("number").values_list("number", flat=True))
            self.assertEqual(numbers, list(range(1, 2 + 2 * each)))
            stored = CreditRequest.objects.get(id=request.id)
            self.assertEqual((stored.status, stored.version), ("referred", 2 + 2 * each))


class FortyWhoCreateTests(AtOneMoment):
    threads = CREATORS

    def setUp(self):
        super().setUp()
        officer = make_officer()
        self.clients = [client_for(officer) for _ in range(CREATORS)]
        self.people = [make_individual(make_branch()) for _ in range(10)]
        self.product = make_product()

    def body(self, number: int, **changes: Any) -> dict[str, Any]:
        person = self.people[number % len(self.people)]
        given = {"individual": str(person.id), "product": str(self.product.id), "purpose": "car", "channel": "branch"}
        return given | {"requested_amount": 5_000_000 + number, "term_months": 12} | changes

    def create(self, client: Any, key: str, body: dict[str, Any]) -> Any:
        return client.post(CREATE, body, headers={"Idempotency-Key": key})

    def test_a_key_creates_once_and_everybody_gets_its_reply(self):
        keys, made = KEYS, {}
        for number in range(keys):
            body = self.body(number)
            replies = self.together(lambda who, n=number, b=body: self.create(self.clients[who], f"key-{n}", b))
            self.assertEqual([reply.status_code for reply in replies], [201] * CREATORS)
            self.assertEqual({reply.content for reply in replies}, {replies[0].content})
            self.assertEqual(sum("Idempotency-Replayed" in reply for reply in replies), CREATORS - 1)
            made[replies[0].json()["id"]] = body["requested_amount"]
        self.assertEqual(len(made), keys)
        stored = {str(row.id): row.requested_amount for row in CreditRequest.objects.all()}
        self.assertEqual(stored, made)
        self.assertEqual(IdempotencyKey.objects.count(), keys)
        self.assertEqual(PredictionLog.objects.filter(cause="create").count(), keys)
        self.assertEqual(AuditEvent.objects.filter(action="credit_request.create").count(), keys)

    def test_many_bodies_under_one_key_at_one_moment_are_one_creation_and_422(self):
        bodies = [self.body(number) for number in range(CREATORS)]
        replies = self.together(lambda who: self.create(self.clients[who], "one key", bodies[who]))
        self.assertEqual(sorted(reply.status_code for reply in replies), [201] + [422] * (CREATORS - 1))
        (created,) = [reply.json() for reply in replies if reply.status_code == 201]
        self.assertEqual([str(row.id) for row in CreditRequest.objects.all()], [created["id"]])

    def test_a_mended_body_goes_through_under_the_key_of_the_one_that_was_refused(self):
        wrong = self.together(lambda who: self.create(self.clients[who], "k", self.body(1, term_months=0)))
        self.assertEqual({reply.status_code for reply in wrong}, {400})
        self.assertEqual((CreditRequest.objects.count(), IdempotencyKey.objects.count()), (0, 0))
        right = self.together(lambda who: self.create(self.clients[who], "k", self.body(1)))
        self.assertEqual([reply.status_code for reply in right], [201] * CREATORS)
        self.assertEqual(CreditRequest.objects.count(), 1)
