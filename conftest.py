"""Every test database starts as an installation does: migrated, with the shipped models in service."""

import pytest

from apps.scoring_engine.tests.factories import register_shipped


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        register_shipped()
