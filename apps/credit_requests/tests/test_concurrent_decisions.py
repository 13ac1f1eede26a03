"""Officers who decide the same request at the same moment, over real commits: one wins, the others are told so.

RACE_ROUNDS=500 runs as many rounds.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from apps.accounts.tests.factories import client_for
from apps.audit.models import AuditEvent
from apps.common.tests.committed import CommittedTestCase
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.tests.deciders import BAD, GREY, make_approver, make_scored, put_policy_in_force
from apps.credit_requests.tests.factories import make_officer
from apps.webhooks.models import WebhookEvent

OFFICERS = 8
ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))


class ConcurrentDecisionTests(CommittedTestCase):
    def setUp(self):
        super().setUp()
        put_policy_in_force()
        self.officers = [client_for(make_officer()) for _ in range(OFFICERS)]
        self.addCleanup(self.stop)
        self.threads, self.start = ThreadPoolExecutor(OFFICERS), Barrier(OFFICERS)

    def stop(self):
        # Each thread has a connection of its own, which nobody else can close.
        together = Barrier(OFFICERS)
        list(self.threads.map(lambda _: (together.wait(), connection.close()), range(OFFICERS)))
        self.threads.shutdown()

    def race(self, act):
        """Statuses of all officers' `act(client, number)`, begun at one moment."""

        def begin(number):
            self.start.wait()
            return act(self.officers[number], number).status_code

        return sorted(self.threads.map(begin, range(OFFICERS)))

    def test_one_of_eight_wins_each_round_and_nothing_is_lost(self):
        for done in range(1, ROUNDS + 1):
            request = make_scored(GREY)
            address = f"/api/credit-requests/{request.id}"
            asked = self.race(lambda client, _, address=address: client.post(f"{address}/decide/", {"version": 1}))
            self.assertEqual(asked, [200] + [409] * (OFFICERS - 1))
            body = {"version": 2, "prediction": str(request.prediction_id), "comment": "mine"}

            def decide(client, number, address=address, body=body):
                return client.post(f"{address}/{'approve' if number % 2 else 'decline'}/", body)

            self.assertEqual(self.race(decide), [200] + [409] * (OFFICERS - 1))
            stored = CreditRequest.objects.get(id=request.id)
            newest = stored.decisions.get(number=2)
            self.assertEqual(stored.version, 3)
            self.assertEqual(stored.status, {"approve": "approved", "decline": "rejected"}[newest.outcome])
            self.assertEqual(stored.decisions.count(), 2)
            self.assertEqual(Decision.objects.count(), 2 * done)
            self.assertEqual(WebhookEvent.objects.count(), 2 * done)
            told = AuditEvent.objects.filter(action__in=("credit_request.approve", "credit_request.decline"))
            self.assertEqual(told.count(), done)

    def test_one_override_waits_and_one_approver_closes_it(self):
        approvers = [client_for(make_approver()) for _ in range(OFFICERS)]
        for done in range(1, ROUNDS + 1):
            request = make_scored(BAD, requested_amount=38_000_000)
            address = f"/api/credit-requests/{request.id}"
            self.officers[0].post(f"{address}/refer/", {"version": 1, "comment": "look"})
            body = {"version": 2, "prediction": str(request.prediction_id), "comment": "mine"}
            body["reason_code"] = "collateral"

            def propose(client, _, address=address, body=body):
                return client.post(f"{address}/approve/", body)

            self.assertEqual(self.race(propose), [202] + [409] * (OFFICERS - 1))
            override = Override.objects.get(credit_request=request)

            def close(_, number, override=override):
                verb = "confirm" if number % 2 else "refuse"
                return approvers[number].post(f"/api/overrides/{override.id}/{verb}/", {"comment": "seen"})

            self.assertEqual(self.race(close), [200] + [409] * (OFFICERS - 1))
            override.refresh_from_db()
            decided = Decision.objects.filter(override=override).count()
            self.assertEqual(decided, 1 if override.state == "confirmed" else 0)
            self.assertEqual(Override.objects.count(), done)
