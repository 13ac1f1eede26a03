"""For tests that need real commits: empties the insert-only tables afterwards, which the guards would refuse."""

from django.test import TransactionTestCase

from apps.common.database import lift_all_guards, set_all_guards
from apps.scoring_engine.tests.factories import register_shipped


class CommittedTestCase(TransactionTestCase):
    """A TransactionTestCase over a database with insert-only tables, and with the shipped models in service."""

    def _fixture_teardown(self) -> None:
        lift_all_guards()
        try:
            super()._fixture_teardown()
        finally:
            set_all_guards()
            register_shipped()
