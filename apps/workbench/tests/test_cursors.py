"""Pages by place: all rows once, whichever way one goes, also where many were made at one moment."""

import pytest
from django.http import Http404

from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import make_prediction
from apps.workbench.cursors import read_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids():
    """Newest first; three moments, of which one made five."""
    for _ in range(11):
        make_prediction()
    return list(PredictionLog.objects.order_by("-created_at", "-id").values_list("id", flat=True))


def page(asked: str, size: int = 4):
    return read_page(PredictionLog.objects.all(), asked, size=size)


def test_older_pages_lead_through_all_rows_once(ids):
    seen, asked = [], ""
    while True:
        found = page(asked)
        seen += [row.id for row in found.rows]
        if not found.older:
            break
        asked = found.older
    assert seen == ids
    assert len(found.rows) == 3


def test_newer_pages_lead_back(ids):
    second = page(page("").older)
    assert [row.id for row in second.rows] == ids[4:8]
    back = page(second.newer)
    assert [row.id for row in back.rows] == ids[:4]
    assert (back.newer, page("").newer) == ("", "")


@pytest.mark.parametrize("asked", ["x", "!!!", "b2xkZXIgeCB5", "b2xkZXI", "ÿ", "b2xkZXIgMjAyNi0wMS0wMVQwMDowMDowMCAx"])
def test_a_place_that_was_not_given_out_is_not_found(asked):
    with pytest.raises(Http404):
        page(asked)


def test_a_time_without_its_zone_is_not_found():
    from base64 import urlsafe_b64encode

    text = "older 2026-01-01T00:00:00 11111111-1111-4111-8111-111111111111"
    with pytest.raises(Http404):
        page(urlsafe_b64encode(text.encode()).decode())


def test_no_rows_have_no_neighbours():
    found = page("")
    assert (found.rows, found.newer, found.older) == ([], "", "")
