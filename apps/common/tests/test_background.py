"""Jobs are rows: queued with the transaction, worked off once, tried again, taken back from silent workers."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import TestCase
from django.utils import timezone

from apps.accounts.models import Branch
from apps.common import background
from apps.common.models import Job
from apps.common.tests.committed import CommittedTestCase
from config.celery import app

seen: list[object] = []


def _collect(number: int) -> dict[str, int]:
    seen.append(number)
    return {"number": number}


def _fail(number: int) -> None:
    raise ValueError("no luck, with personal data in the message")


def _look_at_branches() -> None:
    seen.append(sorted(Branch.objects.values_list("code", flat=True)))


def _beat() -> None:
    background.heartbeat()


def _wait() -> None:
    raise background.TryLater("SourcePaused", timezone.now() + timedelta(minutes=5))


@pytest.fixture(autouse=True, scope="module")
def _tasks_of_this_test():
    tasks = {"collect": _collect, "fail": _fail, "look_at_branches": _look_at_branches, "beat": _beat}
    tasks["wait"] = _wait
    for name, function in tasks.items():
        app.task(function, name=f"tasks.tasks.test_{name}")
    yield
    for name in tasks:
        del app.tasks[f"tasks.tasks.test_{name}"]


@pytest.fixture(autouse=True)
def _nothing_seen():
    seen.clear()


class QueueTests(TestCase):
    def test_a_job_is_worked_off_once_and_keeps_its_result(self):
        background.enqueue("test_collect", number=5)
        assert background.work_due_jobs() == {"taken_back": 0, "done": 1, "failed": 0}
        assert background.work_due_jobs() == {"taken_back": 0, "done": 0, "failed": 0}
        job = Job.objects.get()
        assert (job.state, job.result, job.attempts, job.error, seen) == ("done", {"number": 5}, 1, "", [5])

    def test_an_equal_job_is_not_queued_twice_while_the_first_waits(self):
        for number in (5, 5, 6):
            background.enqueue("test_collect", number=number)
        assert Job.objects.count() == 2
        background.work_due_jobs()
        background.enqueue("test_collect", number=5)
        assert Job.objects.filter(state="queued").count() == 1

    def test_a_rolled_back_transaction_queues_nothing(self):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            background.enqueue("test_collect", number=5)
            raise ZeroDivisionError
        assert Job.objects.count() == 0

    def test_one_message_is_sent_per_transaction(self):
        with self.captureOnCommitCallbacks() as callbacks:
            for number in range(5):
                background.enqueue("test_collect", number=number)
        assert len(callbacks) == 1

    def test_the_message_after_commit_works_off_the_jobs(self):
        with self.captureOnCommitCallbacks(execute=True):
            background.enqueue("test_collect", number=7)
        assert seen == [7]

    def test_a_failing_job_is_tried_again_later_and_then_given_up(self):
        background.enqueue("test_fail", number=1)
        now = timezone.now()
        waits = []
        for _ in range(background.MOST_ATTEMPTS):
            assert background.work_due_jobs(clock=lambda now=now: now)["failed"] == 1
            job = Job.objects.get()
            waits.append(int((job.due_at - now).total_seconds()) if job.state == "queued" else None)
            now = job.due_at
        assert waits == [40, 160, 640, 2560, None]
        assert (job.state, job.attempts, job.error) == ("failed", 5, "ValueError")
        assert background.work_due_jobs(clock=lambda: now + timedelta(days=9))["failed"] == 0

    def test_a_failing_job_whose_twin_waits_is_closed(self):
        background.enqueue("test_fail", number=1)
        first = Job.objects.get()
        Job.objects.update(state="running", attempts=1, heartbeat_at=timezone.now() - timedelta(minutes=6))
        background.enqueue("test_fail", number=1)
        assert background.sweep(timezone.now()) == 1
        first.refresh_from_db()
        assert first.state == "failed"
        assert Job.objects.filter(state="queued").count() == 1

    def test_a_name_that_no_task_has_fails_and_does_not_stop_the_others(self):
        background.enqueue("test_no_such_task")
        background.enqueue("test_collect", number=8)
        assert background.work_due_jobs() == {"taken_back": 0, "done": 1, "failed": 1}
        assert Job.objects.get(name="test_no_such_task").error == "NotRegistered"

    def test_jobs_that_are_due_later_wait(self):
        background.enqueue("test_collect", number=5)
        Job.objects.update(due_at=timezone.now() + timedelta(minutes=1))
        assert background.work_due_jobs()["done"] == 0

    def test_a_call_works_off_at_most_its_limit(self):
        for number in range(3):
            background.enqueue("test_collect", number=number)
        assert background.work_due_jobs(limit=2)["done"] == 2
        assert Job.objects.filter(state="queued").count() == 1

    def test_only_a_silent_job_is_taken_back(self):
        now = timezone.now()
        for number, minutes in ((1, 4), (2, 6)):
            background.enqueue("test_collect", number=number)
            Job.objects.filter(arguments={"number": number}).update(
                state="running", attempts=1, heartbeat_at=now - timedelta(minutes=minutes)
            )
        assert background.sweep(now) == 1
        assert Job.objects.get(state="queued").arguments == {"number": 2}
        assert Job.objects.get(state="running").arguments == {"number": 1}

    def test_a_job_that_kills_its_worker_each_time_is_given_up(self):
        background.enqueue("test_collect", number=1)
        long_ago = timezone.now() - timedelta(minutes=6)
        Job.objects.update(state="running", attempts=background.MOST_ATTEMPTS, heartbeat_at=long_ago)
        background.sweep(timezone.now())
        assert (Job.objects.get().state, Job.objects.get().error) == ("failed", "WorkerLost")

    def test_a_heartbeat_marks_the_job_under_way(self):
        background.enqueue("test_beat")
        before = timezone.now()
        background.work_due_jobs(clock=lambda: before)
        assert Job.objects.get().heartbeat_at > before

    def test_a_heartbeat_outside_a_job_is_nothing(self):
        background.heartbeat()


class SharedQueueTests(CommittedTestCase):
    def test_two_workers_share_the_jobs_and_none_is_done_twice(self):
        with transaction.atomic():
            jobs = [
                Job(name="test_collect", arguments={"number": n}, key=f"k{n}", due_at=timezone.now()) for n in range(40)
            ]
            Job.objects.bulk_create(jobs)
        workers = [threading.Thread(target=work_and_close) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert sorted(seen) == list(range(40))
        assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}

    def test_a_job_that_waits_already_is_held_until_the_newer_write_is_committed(self):
        with transaction.atomic():
            Job.objects.create(name="test_look_at_branches", key="test_look_at_branches:{}", due_at=timezone.now())
        worker = threading.Thread(target=work_and_close)
        with transaction.atomic():
            Branch.objects.create(code="new", name="New")
            background.enqueue("test_look_at_branches")
            worker.start()
            worker.join(1)
        worker.join(30)
        background.work_due_jobs()
        assert seen == [["new"]]

    def test_a_thread_of_the_web_server_uses_our_celery_app(self):
        names = []
        thread = threading.Thread(target=lambda: names.append(background._task("work_due_jobs").app.main))
        thread.start()
        thread.join()
        assert names == ["credit_ml"]


def work_and_close() -> None:
    try:
        background.work_due_jobs()
    finally:
        connection.close()


class PuttingOffTests(TestCase):
    def test_a_job_that_cannot_begin_waits_and_loses_no_attempt(self):
        background.enqueue("test_wait")
        assert background.work_due_jobs() == {"taken_back": 0, "done": 0, "failed": 1}
        job = Job.objects.get()
        assert (job.state, job.error, job.attempts, job.finished_at) == ("queued", "SourcePaused", 0, None)
        assert timedelta(minutes=4) < job.due_at - timezone.now() < timedelta(minutes=5)

    def test_after_a_week_it_is_given_up(self):
        background.enqueue("test_wait")
        Job.objects.update(created_at=timezone.now() - timedelta(days=8))
        background.work_due_jobs()
        job = Job.objects.get()
        assert (job.state, job.error, job.finished_at is None) == ("failed", "SourcePaused", False)

    def test_what_was_put_off_is_hastened_and_what_was_planned_for_later_is_not(self):
        tonight = timezone.now() + timedelta(hours=5)
        background.enqueue("test_collect", number=1, due_at=tonight)
        background.enqueue("test_wait")
        background.work_due_jobs()
        assert background.hasten("test_wait") == 1
        assert background.hasten("test_wait") == 0
        assert background.hasten("test_collect") == 0
        assert background.work_due_jobs()["failed"] == 1
        assert Job.objects.get(name="test_collect").due_at == tonight

    def test_so_many_are_hastened_as_are_asked_for(self):
        for number in range(3):
            background.enqueue("test_fail", number=number)
        background.work_due_jobs()
        assert background.hasten("test_fail", limit=2) == 2
        assert Job.objects.filter(due_at__lte=timezone.now()).count() == 2

    def test_a_twin_that_waits_replaces_one_that_is_put_off(self):
        background.enqueue("test_wait")
        Job.objects.update(state="running")
        background.enqueue("test_wait")
        first = Job.objects.get(state="running")
        background._put_off(first, background.TryLater("SourcePaused", timezone.now()), timezone.now())
        assert sorted(Job.objects.values_list("state", flat=True)) == ["failed", "queued"]
