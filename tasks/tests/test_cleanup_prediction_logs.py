"""The task takes a number of days, calls the service, and returns its counts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.scoring_engine.tests.factories import make_prediction
from tasks.tasks import cleanup_prediction_logs

pytestmark = pytest.mark.django_db


def test_the_task_returns_counts():
    now = timezone.now()
    make_prediction(now=now - timedelta(days=91))
    make_prediction(now=now - timedelta(days=89))
    assert cleanup_prediction_logs() == {"runs": 1, "rows": 1}
    assert cleanup_prediction_logs(older_than_days=90) == {"runs": 0, "rows": 0}
    assert cleanup_prediction_logs(older_than_days=30) == {"runs": 1, "rows": 1}
