"""Several workers that score one request for one cause, at the same moment, over real commits."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.audit.models import AuditEvent
from apps.common.tests.committed import CommittedTestCase
from apps.scoring_engine.models import ModelCard, PredictionLog
from apps.scoring_engine.tests.factories import make_prediction

WORKERS = 4


@pytest.mark.usefixtures("fixed_model")
class ConcurrentScoringTests(CommittedTestCase):
    def test_they_make_one_row_and_keep_one_card(self):
        request_id, together = uuid.uuid4(), Barrier(WORKERS)

        def work(_):
            together.wait()
            try:
                return make_prediction(request_id=request_id, cause="record:1").id
            finally:
                connection.close()

        with ThreadPoolExecutor(WORKERS) as pool:
            made = set(pool.map(work, range(WORKERS)))
        row = PredictionLog.objects.get()
        assert made == {row.id}
        assert ModelCard.objects.filter(digest=row.model_digest).count() == 1
        assert AuditEvent.objects.filter(action="prediction.create").count() == 1
