"""The guards stand in the migrated database: a table that SQLite rebuilt in a later migration would lose its own."""

import pytest
from django.db import connection

from apps.common.database import INSERT_ONLY

TRIGGERS = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}
EXPECTED = {
    "postgresql": ("{table}_insert_only", "{table}_no_truncate"),
    "sqlite": ("{table}_no_update", "{table}_no_delete"),
}


@pytest.mark.django_db
def test_every_insert_only_table_is_guarded():
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS[connection.vendor])
        standing = {name for (name,) in cursor.fetchall()}
    expected = {name.format(table=table) for table in INSERT_ONLY for name in EXPECTED[connection.vendor]}
    assert expected - standing == set()


def test_the_insert_only_tables_are_these():
    assert sorted(INSERT_ONLY) == [
        "audit_auditevent",
        "credit_requests_decision",
        "credit_requests_registeranswer",
        "external_integrations_externalrecordversion",
        "scoring_engine_modelassignment",
        "scoring_engine_modelcard",
        "scoring_engine_modelfile",
        "scoring_engine_modelvalidation",
        "scoring_engine_predictionlog",
        "scoring_engine_retentionrun",
        "webhooks_webhookevent",
    ]
