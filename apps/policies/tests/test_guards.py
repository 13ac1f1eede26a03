"""Plain SQL past every service: on PostgreSQL over a connection of its own, as the role of the processes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection, transaction

from apps.accounts.tests.factories import make_user
from apps.common.database import lift_all_guards
from apps.common.tests.committed import CommittedTestCase
from apps.common.tests.process_role import connect_as_processes, own_role
from apps.policies.guards import lift_policy_guards, set_policy_guards
from apps.policies.models import PolicyVersion
from apps.policies.services import draft_policy, publish_policy
from apps.policies.tests.test_registry import NOW, text

ROLE = own_role("processes_and_policies")
TABLE = "policies_policyversion"
LATER = datetime(2026, 12, 8, 6, 0, tzinfo=UTC)
CHANGED = "a policy never changes|only a draft policy moves"  # whichever of the two triggers speaks first
PUBLISH = f"UPDATE {TABLE} SET state = 'published', published_at = %s, checked_by_id = %s WHERE state = 'draft'"


class PlainSqlTests(CommittedTestCase):
    def setUp(self):
        super().setUp()
        self.maker, self.checker = make_user("analyst"), make_user("analyst")
        done = draft_policy(text=text("1"), actor=self.maker, now=NOW)
        publish_policy(policy=done, comment="as decided", actor=self.checker, now=NOW)
        draft_policy(text=text("2"), actor=self.maker, now=NOW)
        self.connect()

    def connect(self) -> None:
        self.run_sql, self.refusals = self.by_django, (DatabaseError,)
        if connection.vendor == "postgresql":
            held = connect_as_processes(self, role=ROLE)
            self.run_sql, self.refusals = lambda sql, values=(): held.execute(sql, values).rowcount, (psycopg.Error,)

    def by_django(self, sql: str, values: Any = ()) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.rowcount

    def rows(self) -> list[tuple]:
        return sorted(PolicyVersion.objects.values_list())

    def refused(self, why: str, sql: str, values: Any = ()) -> None:
        before = self.rows()
        with self.assertRaisesRegex(self.refusals, why):
            self.run_sql(sql, values)
        self.assertEqual(self.rows(), before)

    def test_the_maker_does_not_publish(self):
        self.refused("policy_maker_is_not_checker", PUBLISH, [LATER, self.maker.id])

    def test_nobody_does_not_publish(self):
        self.refused("policy_is_checked_before_it_is_published", PUBLISH, [LATER, None])

    def test_nobody_else_is_made_its_maker(self):
        sql = f"UPDATE {TABLE} SET made_by_id = %s WHERE state = 'draft'"
        self.refused("a policy never changes", sql, [self.checker.id])
        taking = PUBLISH.replace(" WHERE", ", made_by_id = %s WHERE")
        self.refused("a policy never changes", taking, [LATER, self.maker.id, self.checker.id])

    def test_a_registered_one_is_not_called_shipped(self):
        taking = PUBLISH.replace(" WHERE", ", made_by_id = NULL, origin = 'shipped' WHERE")
        self.refused("a policy never changes", taking, [LATER, None])

    def test_two_are_not_published_at_one_moment(self):
        stored = connection.ops.adapt_datetimefield_value(NOW)
        self.refused("(?i)unique", PUBLISH, [stored, self.checker.id])

    def test_what_was_published_neither_changes_nor_goes(self):
        for change in ("text = 'none'", "digest = 'none'", "valid_from = '2020-01-01'", "segment = 'company'"):
            self.refused(CHANGED, f"UPDATE {TABLE} SET {change} WHERE state = 'published'")
        for change in ("state = 'draft', published_at = NULL", "comment = 'other'", "checked_by_id = NULL"):
            self.refused("only a draft policy moves", f"UPDATE {TABLE} SET {change} WHERE state = 'published'")
        self.refused("never deleted|permission denied", f"DELETE FROM {TABLE}")

    def test_nothing_is_born_published(self):
        born = {"id": f"'{UUID(int=1).hex}'", "version": "'born'", "published_at": "'2026-12-08 06:00:00'"}
        names = [field.column for field in PolicyVersion._meta.concrete_fields]
        values = ", ".join(born.get(name, name) for name in names)
        copied = f"INSERT INTO {TABLE} ({', '.join(names)}) SELECT {values} FROM {TABLE} WHERE state = 'published'"
        self.refused("a new policy is a draft", copied)

    def test_another_person_publishes_by_the_same_statement(self):
        """So that the refusals above are those of the guards, and not of the statement."""
        self.assertEqual(self.run_sql(PUBLISH, [LATER, self.checker.id]), 1)
        self.assertEqual({state for *_, state in PolicyVersion.objects.values_list("id", "state")}, {"published"})

    def test_with_the_guards_lifted_all_of_it_comes_through(self):
        lift_all_guards()
        lift_policy_guards(connection)
        try:
            changed = f"UPDATE {TABLE} SET text = 'none' WHERE state = 'published'"
            self.assertEqual(self.run_sql(changed), 1)
        finally:
            set_policy_guards(connection)
