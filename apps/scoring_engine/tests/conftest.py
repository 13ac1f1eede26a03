import pytest

from apps.scoring_engine.tests.factories import empty_registry, put_in_service
from apps.scoring_engine.tests.fixed_card import fixed_card


@pytest.fixture
def no_models(db):
    """No model in service, so that the expert cards score."""
    empty_registry()


@pytest.fixture
def fixed_model(no_models):
    """The fixed card in service for individuals; companies are scored by the expert card."""
    return put_in_service(fixed_card())
