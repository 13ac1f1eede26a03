import pytest

from apps.accounts.tests.factories import client_for, make_user
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.tests.factories import draft, empty_registry, put_in_service
from apps.scoring_engine.tests.fixed_card import fixed_card


@pytest.fixture
def no_models(db):
    """No model in service, so that the expert cards score."""
    empty_registry()


@pytest.fixture
def fixed_model(no_models):
    """The fixed card in service for individuals; companies are scored by the expert card."""
    return put_in_service(fixed_card())


@pytest.fixture
def maker(db):
    return make_user("analyst", username="maker")


@pytest.fixture
def checker(db):
    return make_user("analyst", username="checker")


@pytest.fixture
def maker_client(maker):
    return client_for(maker)


@pytest.fixture
def checker_client(checker):
    return client_for(checker)


@pytest.fixture
def model(maker):
    """A draft of `maker`, looked at by nobody yet."""
    return draft(small_card(), maker)
