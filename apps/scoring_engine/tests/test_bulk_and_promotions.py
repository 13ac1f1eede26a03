"""Bulk calls while models come and go, over real commits: a call is by one model, the champion of its time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.tests.factories import make_user
from apps.common.tests.committed import CommittedTestCase
from apps.scoring_engine.bulk import score_applicants
from apps.scoring_engine.models import CHAMPION, ModelVersion, PredictionLog
from apps.scoring_engine.promotion import promote_model
from apps.scoring_engine.registry import champion_at
from apps.scoring_engine.tests.factories import PERSON, draft, validate
from apps.scoring_engine.tests.fixed_card import fixed_card

PEOPLE, CHANGES = 20, 8


@pytest.mark.usefixtures("no_models")
class BulkAndPromotionTests(CommittedTestCase):
    def test_every_call_is_by_the_champion_of_its_time(self):
        actor, done = make_user("analyst"), Event()
        models = [draft(fixed_card(version=f"individual-9.{n}.0", base_points=300 + n)) for n in range(2)]
        for model in models:
            validate(model, make_user("analyst"))
        promote_model(model=models[0], actor=actor, reason="a test")

        def score():
            try:
                while not done.is_set():
                    self.score(actor)
                self.score(actor)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            scoring = pool.submit(score)
            try:
                for number in range(1, CHANGES):
                    promote_model(model=models[number % 2], actor=actor, reason="a test")
            finally:
                done.set()
            scoring.result()
        rows = list(PredictionLog.objects.all())
        assert len(rows) % PEOPLE == 0
        assert [row.id for row in rows if row.model_digest != champion_at("individual", row.created_at).card_id] == []
        calls = {(row.cause, row.model_digest) for row in rows}
        assert len(calls) * PEOPLE == len(rows)
        last = ModelVersion.objects.get(segment="individual", state=CHAMPION).card_id
        assert last in {digest for _, digest in calls}

    def score(self, actor):
        score_applicants(
            segment="individual", applicants=[PERSON] * PEOPLE, actor=actor, now=timezone.now(), refuse_all=True
        )
