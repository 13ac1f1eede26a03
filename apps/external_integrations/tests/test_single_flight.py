"""Ten at once: one record, one upstream call, counted at a real server by real threads over a real database."""

import threading
import time

from django.db import close_old_connections, connection, transaction

from apps.accounts.tests.factories import client_for, make_user
from apps.common.errors import SourceUnavailable
from apps.common.tests.committed import CommittedTestCase
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.services import ensure_record, find_or_fetch_record, refresh_record
from apps.external_integrations.tests.factories import INN, PINFL, allow
from apps.external_integrations.tests.registry import by_contract, live_registry

TOGETHER = 10


def slowly(handler, body):
    time.sleep(1)
    by_contract(handler, body)


def failing_slowly(handler, body):
    time.sleep(1)
    handler.answer("", 403)


def at_once(*calls) -> list:
    """What each call returned or raised; all start together, each in a thread with its own connection."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        close_old_connections()
        barrier.wait()
        try:
            results[place] = call()
        except SourceUnavailable as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class SingleFlightTests(CommittedTestCase):
    def test_ten_first_requests_make_one_record_and_one_upstream_call(self):
        clients = [client_for(make_user("officer")) for _ in range(TOGETHER)]
        with live_registry(slowly, deadline_seconds=20) as server:
            allow()
            calls = [lambda client=client: client.get(f"/api/external/soliq/{PINFL}/") for client in clients]
            replies = at_once(*calls)
        self.assertEqual(sorted(reply.status_code for reply in replies), [200] * 9 + [201])
        self.assertEqual(len(server.asked), 1)
        self.assertEqual((ExternalRecord.objects.count(), ExternalRecordVersion.objects.count()), (1, 1))
        self.assertEqual(len({reply.json()["id"] for reply in replies}), 1)
        self.assertIsNone(ExternalRecord.objects.get().lease_until)

    def test_different_identifiers_do_not_wait_for_each_other(self):
        numbers = [f"30000000{digit}" for digit in range(4)]
        with live_registry(slowly, deadline_seconds=20) as server:
            at_once(
                *[
                    lambda number=number: find_or_fetch_record(source="soliq", identifier=number, actor=None)
                    for number in numbers * 3
                ]
            )
        self.assertEqual(sorted(body["inn"] for _, body, _ in server.asked), numbers)
        self.assertEqual(ExternalRecord.objects.count(), 4)

    def test_refreshes_at_once_are_one_call_and_all_are_told(self):
        record = ensure_record(source="soliq", identifier=INN, actor=None)
        with live_registry(slowly, deadline_seconds=20) as server:
            results = at_once(*[lambda: refresh_record(record_id=str(record.id)) for _ in range(TOGETHER)])
        self.assertEqual(len(server.asked), 1)
        self.assertEqual(sorted(result["asked_here"] for result in results), [False] * 9 + [True])
        self.assertEqual(len({result["version_id"] for result in results}), 1)

    def test_those_who_wait_share_the_failure_and_nothing_stays(self):
        with live_registry(failing_slowly, deadline_seconds=20) as server:
            call = [lambda: find_or_fetch_record(source="soliq", identifier=INN, actor=None) for _ in range(TOGETHER)]
            results = at_once(*call)
        self.assertTrue(all(isinstance(result, SourceUnavailable) for result in results), results)
        self.assertLessEqual(len(server.asked), 2)
        self.assertEqual(ExternalRecord.objects.count(), 0)

    def test_a_request_that_comes_to_rest_on_a_failing_look_up_keeps_its_row(self):
        with live_registry(failing_slowly, deadline_seconds=20):
            results = at_once(
                lambda: find_or_fetch_record(source="soliq", identifier=INN, actor=None),
                lambda: time.sleep(0.5) or ensure_record(source="soliq", identifier=INN, actor=None),
            )
        self.assertIsInstance(results[0], SourceUnavailable)
        self.assertEqual(ExternalRecord.objects.get().id, results[1].id)

    def test_the_source_is_never_asked_inside_a_transaction(self):
        with live_registry() as server, transaction.atomic(), self.assertRaises(RuntimeError):
            find_or_fetch_record(source="soliq", identifier=INN, actor=None)
        self.assertEqual(server.asked, [])
