"""1,000 attempts to decide, drawn at random over services, the API and plain SQL, most of which may not be.

On PostgreSQL the plain SQL comes over a connection of its own, signed in as the role of the processes. Whether anything
came through is counted over the tables alone, by queries that know nothing of the guards.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.common.database import lift_all_guards
from apps.common.errors import Conflict, InvalidInput, NotPermitted
from apps.common.tests.committed import CommittedTestCase
from apps.common.tests.process_role import connect_as_processes, own_role
from apps.credit_requests.deciding import refer_request, review_request
from apps.credit_requests.guards import lift_decision_guards, set_decision_guards
from apps.credit_requests.models import CreditRequest, Override
from apps.credit_requests.overriding import confirm_override, decide_by_person
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import (
    BAD,
    GREY,
    decision_row,
    make_approver,
    make_scored,
    override_row,
    policy_row,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import make_officer

ATTEMPTS, SEED = 1_000, 20261207
ROLE = own_role("processes_under_attack")
MUCH = 38_000_000
REFUSALS = (Conflict, InvalidInput, NotPermitted, DatabaseError, psycopg.Error)

# Each counts rows that must not be; written from the rules, over the tables.
VIOLATIONS = {
    "maker is checker": "SELECT count(*) FROM credit_requests_decision WHERE made_by_id = checked_by_id",
    "override confirmed by its maker": """
        SELECT count(*) FROM credit_requests_override WHERE closed_by_id = requested_by_id""",
    "by another branch": """
        SELECT count(*) FROM credit_requests_decision d, credit_requests_creditrequest r, accounts_user u
        WHERE r.id = d.credit_request_id AND u.id IN (d.made_by_id, d.checked_by_id) AND u.branch_id <> r.branch_id""",
    "by a linked person": """
        SELECT count(*) FROM credit_requests_decision d, credit_requests_creditrequest r, credit_requests_stafflink l
        WHERE r.id = d.credit_request_id AND l.user_id IN (d.made_by_id, d.checked_by_id)
          AND l.individual_id = r.individual_id""",
    "by who left, by a wrong role, by a service account": """
        SELECT count(*) FROM credit_requests_decision d, accounts_user u WHERE u.id IN (d.made_by_id, d.checked_by_id)
          AND (NOT u.is_active OR u.kind = 'service' OR u.role NOT IN ('officer', 'approver'))""",
    "second person who is no approver": """
        SELECT count(*) FROM credit_requests_decision d, accounts_user u
        WHERE u.id = d.checked_by_id AND u.role <> 'approver'""",
    "of a withdrawn request": """
        SELECT count(*) FROM credit_requests_decision d, credit_requests_creditrequest r
        WHERE r.id = d.credit_request_id AND r.status = 'withdrawn' AND d.kind = 'person'""",
    "by a policy that is not published": """
        SELECT count(*) FROM credit_requests_decision d, policies_policyversion p
        WHERE p.id = d.policy_id AND p.state <> 'published'""",
    "against the policy without a confirmed override": """
        SELECT count(*) FROM credit_requests_decision d LEFT JOIN credit_requests_override o ON o.id = d.override_id
        WHERE d.kind = 'person' AND (d.direction <> '' OR d.policy_outcome = 'decline' AND d.outcome = 'approve')
          AND (o.id IS NULL OR o.state <> 'confirmed' OR o.credit_request_id <> d.credit_request_id)""",
    "above the amount without a second person": f"""
        SELECT count(*) FROM credit_requests_decision
        WHERE kind = 'person' AND outcome = 'approve' AND amount >= {MUCH} AND checked_by_id IS NULL""",
    "status without its decision": """
        SELECT count(*) FROM credit_requests_creditrequest r WHERE r.status IN ('approved', 'rejected')
          AND NOT EXISTS (SELECT 1 FROM credit_requests_decision d WHERE d.credit_request_id = r.id
            AND d.outcome = CASE r.status WHEN 'approved' THEN 'approve' ELSE 'decline' END
            AND d.number = (SELECT max(number) FROM credit_requests_decision n WHERE n.credit_request_id = r.id))""",
}


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def referred(score: int, **options: Any) -> CreditRequest:
    request = make_scored(score, **options)
    refer_request(credit_request=request, version=1, comment="look", actor=make_officer(), now=timezone.now())
    return read(request)


def approve(request: CreditRequest, actor: User, reason_code: str = "") -> Any:
    return decide_by_person(
        credit_request=request,
        version=request.version,
        prediction_id=request.prediction_id,
        outcome="approve",
        terms=None,
        reason_code=reason_code,
        comment="I saw the papers",
        actor=actor,
        now=timezone.now(),
    )


class ApprovalTests(CommittedTestCase):
    def setUp(self):
        super().setUp()
        self.policy, self.draft = put_policy_in_force(), policy_row(publish=False)
        self.small, self.large = referred(GREY, requested_amount=10_000_000), referred(BAD, requested_amount=MUCH)
        self.gone = referred(GREY)
        withdraw_credit_request(credit_request=self.gone, version=2, actor=None)
        self.officer, self.asking, self.second = make_officer(), make_approver(), make_approver()
        self.waiting = approve(self.large, self.asking, "collateral")
        self.decided = self.small.decisions.get()
        self.wrong = self.people_who_may_not()
        self.signed_in = {
            user.id: client_for(user) for user in [*self.wrong, self.asking, self.officer] if user.is_active
        }
        self.connect()

    def people_who_may_not(self) -> list[User]:
        linked, service, left = [make_officer(), make_approver()], make_approver(), make_approver()
        for user in linked:
            for request in (self.small, self.large):
                given = {"applicant": request.individual, "relation": "relative", "now": timezone.now()}
                declare_staff_link(user=user, actor=user, **given)
        User.objects.filter(id=service.id).update(kind="service")
        User.objects.filter(id=left.id).update(is_active=False)
        strangers = [make_officer("other"), make_approver("other")]
        others = [make_user(role, make_branch()) for role in ("analyst", "auditor", "administrator")]
        return list(User.objects.filter(id__in=[user.id for user in [*linked, service, left, *strangers, *others]]))

    def connect(self) -> None:
        """Plain SQL goes by this: on PostgreSQL, as the role of the processes."""
        self.run_sql = self.by_django
        if connection.vendor == "postgresql":
            held = connect_as_processes(self, role=ROLE)
            self.run_sql = lambda statement, values=(): held.execute(statement, values).rowcount

    def by_django(self, statement: str, values: Any = ()) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.rowcount

    # --- One attempt each; True when it came through ---

    def insert(self, row: Any) -> bool:
        fields = row._meta.concrete_fields
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
        columns, places = ", ".join(field.column for field in fields), ", ".join(["%s"] * len(fields))
        return self.run_sql(f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({places})", values) == 1

    def person_row(self, request: CreditRequest, maker: User, **columns: Any) -> Any:
        given = {"policy": self.policy, "kind": "person", "made_by": maker, "policy_outcome": "refer"} | columns
        return decision_row(request, given.pop("policy"), **given)

    def sql_wrong_maker(self, chance: random.Random) -> bool:
        return self.insert(self.person_row(self.small, chance.choice(self.wrong)))

    def sql_wrong_checker(self, chance: random.Random) -> bool:
        checker = chance.choice([*self.wrong, self.officer, self.asking])
        return self.insert(self.person_row(self.small, self.asking, checked_by=checker))

    def sql_withdrawn(self, chance: random.Random) -> bool:
        return self.insert(self.person_row(self.gone, self.officer))

    def sql_draft_policy(self, chance: random.Random) -> bool:
        return self.insert(self.person_row(self.small, self.officer, policy=self.draft))

    def sql_without_override(self, chance: random.Random) -> bool:
        against = {"policy_outcome": "decline", "direction": "low_side", "reason_code": "collateral"}
        given = against | chance.choice([{}, {"override": self.waiting}, {"direction": "", "reason_code": ""}])
        return self.insert(self.person_row(self.large, self.asking, **given))

    def sql_confirm(self, chance: random.Random) -> bool:
        closer = chance.choice([*self.wrong, self.officer, self.asking])
        statement = "UPDATE credit_requests_override SET state = 'confirmed', closed_by_id = %s, closed_at = %s"
        return self.run_sql(statement + " WHERE state = 'waiting'", [closer.id, timezone.now()]) > 0

    def sql_born_confirmed(self, chance: random.Random) -> bool:
        row = override_row(self.small, self.decided, chance.choice([self.officer, *self.wrong]))
        row.state, row.closed_by, row.closed_at = "confirmed", self.second, row.requested_at
        return self.insert(row)

    def sql_history(self, chance: random.Random) -> bool:
        table = "credit_requests_decision"
        statements = [
            f"UPDATE {table} SET outcome = 'approve'",
            f"DELETE FROM {table}",
            f"UPDATE {table} SET made_by_id = NULL",
        ]
        return self.run_sql(chance.choice(statements)) > 0

    def sql_status(self, chance: random.Random) -> bool:
        status = chance.choice(["approved", "rejected"])
        return self.run_sql("UPDATE credit_requests_creditrequest SET status = %s", [status]) > 0

    def sql_policy(self, chance: random.Random) -> bool:
        change = chance.choice(["text = 'none'", "state = 'draft'", "state = 'discarded'", "valid_from = '2019-01-01'"])
        return self.run_sql(f"UPDATE policies_policyversion SET {change} WHERE state = 'published'") > 0

    def by_service(self, chance: random.Random) -> bool:
        approve(read(self.small), chance.choice(self.wrong))
        return True

    def withdrawn_by_service(self, chance: random.Random) -> bool:
        approve(read(self.gone), self.officer)
        return True

    def confirmed_by_service(self, chance: random.Random) -> bool:
        actor = chance.choice([*self.wrong, self.officer, self.asking])
        confirm_override(override=self.waiting, comment="Yes", actor=actor, now=timezone.now())
        return True

    def by_api(self, chance: random.Random) -> bool:
        request, user = chance.choice([self.small, self.large, self.gone]), chance.choice(self.wrong)
        body = {"version": request.version, "prediction": str(request.prediction_id), "comment": "mine"}
        return self.post(user, f"credit-requests/{request.id}/approve", body | {"reason_code": "collateral"})

    def confirmed_by_api(self, chance: random.Random) -> bool:
        user = chance.choice([*self.wrong, self.officer, self.asking])
        return self.post(user, f"overrides/{self.waiting.id}/confirm", {"comment": "Yes"})

    def post(self, user: User, address: str, body: dict[str, Any]) -> bool:
        if not user.is_active:
            return False
        reply = self.signed_in[user.id].post(f"/api/{address}/", body)
        assert reply.status_code < 300 or reply.status_code in (400, 403, 404, 409), reply.content
        return reply.status_code < 300

    def allowed(self, chance: random.Random) -> bool:
        """Approved by one who may, and sent back, so that the next attempts find it as it was."""
        approve(read(self.small), self.officer)
        again = read(self.small)
        given = {"version": again.version, "reason": "again", "actor": self.second, "now": timezone.now()}
        review_request(credit_request=again, **given)
        return True

    def kinds(self) -> list[Callable[[random.Random], bool]]:
        return [
            self.sql_wrong_maker, self.sql_wrong_checker, self.sql_withdrawn, self.sql_draft_policy,
            self.sql_without_override, self.sql_confirm, self.sql_born_confirmed, self.sql_history, self.sql_status,
            self.sql_policy, self.by_service, self.withdrawn_by_service, self.confirmed_by_service, self.by_api,
            self.confirmed_by_api,
        ]  # fmt: skip

    def attempt(self, act: Callable[[random.Random], bool], chance: random.Random) -> bool:
        try:
            return act(chance)
        except REFUSALS:
            return False

    def test_a_thousand_attempts_leave_nothing_that_may_not_be(self):
        chance, tried, through = random.Random(SEED), Counter(), Counter()
        before = self.state()
        for number in range(ATTEMPTS):
            act = self.allowed if number % 50 == 49 else chance.choice(self.kinds())
            tried[act.__name__] += 1
            through[act.__name__] += self.attempt(act, chance)
        self.assertEqual(+through, {"allowed": ATTEMPTS // 50})
        self.assertEqual(len(tried), len(self.kinds()) + 1)
        self.assertEqual({name: count(sql) for name, sql in VIOLATIONS.items()}, dict.fromkeys(VIOLATIONS, 0))
        decisions, *rest = self.state()
        self.assertEqual((decisions, rest), (before[0] + 2 * (ATTEMPTS // 50), before[1:]))
        confirm_override(override=self.waiting, comment="Yes", actor=self.second, now=timezone.now())
        self.assertEqual(read(self.large).status, "approved")
        self.assertEqual({name: count(sql) for name, sql in VIOLATIONS.items()}, dict.fromkeys(VIOLATIONS, 0))

    def state(self) -> list[Any]:
        """Decisions, then what no attempt may have moved."""
        overrides = sorted(Override.objects.values_list("id", "state", "closed_by"))
        statuses = sorted(CreditRequest.objects.values_list("id", "status"))
        policies = count("SELECT count(*) FROM policies_policyversion WHERE state = 'published'")
        return [count("SELECT count(*) FROM credit_requests_decision"), overrides, statuses, policies]

    def test_the_queries_find_what_may_not_be(self):
        """With the guards lifted a row of each wrong kind is written, and each is counted."""
        lift_all_guards()
        lift_decision_guards(connection)
        try:
            for user in self.wrong:
                self.insert(self.person_row(self.small, user, number=100 + user.id))
            self.insert(self.person_row(self.gone, self.officer, policy=self.draft))
            self.insert(self.person_row(self.small, self.officer, number=99, checked_by=make_officer(), amount=MUCH))
            self.insert(self.person_row(self.small, self.officer, number=98, amount=MUCH))
            found = {name for name, sql in VIOLATIONS.items() if count(sql)}
        finally:
            set_decision_guards(connection)
        self.assertLessEqual(
            {
                "by another branch", "by a linked person", "by who left, by a wrong role, by a service account",
                "second person who is no approver", "of a withdrawn request", "by a policy that is not published",
                "above the amount without a second person",
            },
            found,
        )  # fmt: skip
