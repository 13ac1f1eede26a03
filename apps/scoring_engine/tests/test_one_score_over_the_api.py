"""POST /api/score/individual/ gives the score, the points and the probability of the row path, for any input."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.tests.factories import client_for, make_user
from apps.common.days import lender_today
from apps.scoring_engine.ml.tests.edge_applicants import EdgeApplicants
from apps.scoring_engine.ml.tests.exported import exported_card
from apps.scoring_engine.tests.factories import put_in_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def golden_in_service(no_models):
    """The golden card has special codes, facts of the lender's own, every kind of derived feature, and pairs."""
    put_in_service(exported_card("golden").to_dict())
    return exported_card("golden")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_api_gives_what_the_row_path_gives(golden_in_service, seed):
    card, officer = golden_in_service, client_for(make_user("officer"))
    ((facts, down),) = EdgeApplicants(card, seed).take(1)
    # The API refuses a bureau's score without its scale, and a fact that is both given and unavailable.
    if "credit_history_score" in facts:
        facts.setdefault("credit_history_scale", "other")
    unavailable = down - set(facts)
    body = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in facts.items()}
    before = lender_today()
    reply = officer.post("/api/score/individual/", body | {"unavailable": sorted(unavailable)})
    assert reply.status_code == 200, reply.content
    # A test may meet midnight.
    days = {before, before + timedelta(days=1)}
    found = reply.json()
    said = (found["score"], found["probability_of_default"], {e["feature"]: e["points"] for e in found["explanation"]})
    assert said in [
        (row.score, row.probability_of_default, {e["feature"]: e["points"] for e in row.explanation})
        for row in (card.score(facts, as_of=day, unavailable=unavailable) for day in days)
    ]
