"""10,000 logged predictions are the same bits in other processes, with another hash seed, locale and thread count."""

import pytest

from tests.installation import Installation
from tests.registry import RegisteredModels

SCORE = """
from django.utils import timezone
from apps.accounts.models import User
from apps.scoring_engine.bulk import score_applicants
from apps.scoring_engine.ml.risk_model import card_in_service
from apps.scoring_engine.ml.tests.edge_applicants import EdgeApplicants
actor = User.objects.get(username="core")
for segment in ("individual", "company"):
    drawn = EdgeApplicants(card_in_service(segment).card, seed=11).take(6500)
    bodies = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in facts.items()}
        | {"unavailable": sorted(unavailable - facts.keys())}
        for facts, unavailable in drawn
        if "credit_history_score" not in facts or "credit_history_scale" in facts
    ]
    score_applicants(segment=segment, applicants=bodies[:5000], actor=actor, now=timezone.now(), refuse_all=True)
"""
OTHERS = [
    {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "TZ": "Asia/Tashkent", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4242", "OMP_NUM_THREADS": "2", "TZ": "America/Lima", "LC_ALL": "C.UTF-8"},
]


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, PYTHONHASHSEED="0")
    yield made
    made.remove()


def test_every_bit_of_10_000_predictions_is_found_again_elsewhere(installation):
    RegisteredModels(installation).prepare()
    installation.manage("shell", "--no-imports", "-c", SCORE)
    for environment in OTHERS:
        installation.environment |= environment
        printed = installation.manage("replay", "--since", "2020-01-01")
        assert printed == "10000 predictions replayed: 10000 same, 0 different, 0 erased, 0 unreadable.\n"
