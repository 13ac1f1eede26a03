"""Scorings and changes of the registry at the same moment, over real commits."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.tests.factories import make_user
from apps.common.errors import Conflict
from apps.common.tests.committed import CommittedTestCase
from apps.scoring_engine import promotion
from apps.scoring_engine.models import CHAMPION, ModelAssignment, ModelVersion, PredictionLog
from apps.scoring_engine.promotion import promote_model, rollback_champion
from apps.scoring_engine.registry import champion_at, model_at, scorer_of
from apps.scoring_engine.tests.factories import draft, make_prediction, put_in_service, validate
from apps.scoring_engine.tests.fixed_card import fixed_card

SCORERS, CHANGES = 3, 12
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


def in_thread(work):
    """As in a process of its own: with its own connection, closed at the end."""

    def closing(*arguments):
        try:
            return work(*arguments)
        finally:
            connection.close()

    return closing


def made(number):
    model = draft(fixed_card(version=f"individual-9.{number}.0", base_points=300 + number))
    validate(model, make_user("analyst"))
    return model


@pytest.mark.usefixtures("no_models")
class ConcurrentPromotionTests(CommittedTestCase):
    def test_every_scoring_is_by_the_champion_of_its_time(self):
        actor, models, done = make_user("analyst"), [made(number) for number in range(2)], Event()
        promote_model(model=models[0], actor=actor, reason="a test")
        put_in_service(fixed_card(version="individual-9.9.0", base_points=309), "challenger")

        @in_thread
        def score(number):
            count = 0
            while not done.is_set() or count == 0:
                make_prediction(cause=f"{number}-{count}", now=timezone.now())
                count += 1
            return count

        @in_thread
        def change():
            try:
                for number in range(CHANGES):
                    if number % 3 == 2:
                        rollback_champion(segment="individual", actor=actor, reason="a test")
                    else:
                        standing = ModelVersion.objects.get(segment="individual", state=CHAMPION)
                        other = next(model for model in models if model != standing)
                        promote_model(model=other, actor=actor, reason="a test")
                    time.sleep(0.02)
            finally:
                done.set()

        with ThreadPoolExecutor(SCORERS + 1) as pool:
            scorings = [pool.submit(score, number) for number in range(SCORERS)]
            pool.submit(change).result()
            assert min(scoring.result() for scoring in scorings) > 0
        rows = list(PredictionLog.objects.filter(role=CHAMPION))
        assert {row.mode for row in rows} == {"model"}
        assert [row.id for row in rows if row.model_digest != champion_at("individual", row.created_at).card_id] == []
        beside = PredictionLog.objects.exclude(role=CHAMPION)
        assert beside.count() == len(rows)
        assert {model_at("individual", "challenger", row.created_at).card_id for row in beside} == {
            row.model_digest for row in beside
        }
        assert len({row.model_digest for row in rows}) == 2
        started = list(ModelAssignment.objects.order_by("id").values_list("started_at", flat=True))
        assert started == sorted(started)

    def test_of_two_people_at_once_one_wins_and_the_other_is_told(self):
        models, together = [made(number) for number in range(2)], Barrier(2)
        actors = [make_user("analyst") for _ in models]

        @in_thread
        def promote(number):
            try:
                return promote_model(model=models[number], actor=actors[number], reason="a test").model
            except Conflict as refusal:
                return str(refusal)

        def read_together(model):
            together.wait(30)  # both have seen who the champion is, and neither has changed it
            return scorer_of(model)

        with patch.object(promotion, "scorer_of", read_together), ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(promote, range(2)))
        won = [outcome for outcome in outcomes if isinstance(outcome, ModelVersion)]
        [told] = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert won == [ModelVersion.objects.get(segment="individual", state=CHAMPION)]
        assert told == (
            f"Somebody else changed the champion of individual at this moment: it is {won[0].version} now. Look again."
        )
        assert ModelAssignment.objects.filter(role=CHAMPION, model__in=models).count() == 1

    @on_postgresql
    def test_a_promotion_waits_for_the_scorings_in_flight_and_they_for_nobody(self):
        """One transaction scores twice, with a promotion waiting in between: none of them waits for ever."""
        first, second = made(0), made(1)
        actor = make_user("analyst")
        promote_model(model=first, actor=actor, reason="a test")
        promote = in_thread(lambda: promote_model(model=second, actor=actor, reason="a test").started_at)
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                rows = [make_prediction(cause="1", now=timezone.now())]
                promotion = pool.submit(promote)
                wait_for_a_waiting_lock()
                assert not promotion.done()
                rows.append(make_prediction(cause="2", now=timezone.now()))
            promoted_at = promotion.result(timeout=30)
        assert {row.model_digest for row in rows} == {first.card_id}
        assert max(row.created_at for row in rows) < promoted_at
        assert make_prediction(cause="3", now=timezone.now()).model_digest == second.card_id

    @on_postgresql
    def test_a_rollback_is_seen_by_a_connection_that_is_open_already(self):
        first, second = made(0), made(1)
        actor = make_user("analyst")
        for model in (first, second):
            promote_model(model=model, actor=actor, reason="a test")
        scored, rolled_back = Event(), Event()

        @in_thread
        def score():
            before = make_prediction(cause="before", now=timezone.now()).model_digest
            scored.set()
            rolled_back.wait(30)
            return before, make_prediction(cause="after", now=timezone.now()).model_digest

        with ThreadPoolExecutor(1) as pool:
            scoring = pool.submit(score)
            assert scored.wait(30)
            rollback_champion(segment="individual", actor=actor, reason="a test")
            rolled_back.set()
            assert scoring.result(timeout=30) == (second.card_id, first.card_id)


def wait_for_a_waiting_lock():
    end = time.monotonic() + 30
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the lock")
