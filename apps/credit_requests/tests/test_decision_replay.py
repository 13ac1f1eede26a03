"""Recorded decisions asked again: the same bits, and whatever was changed is found."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys, seal
from apps.common.database import INSERT_ONLY, lift_guard, set_guard
from apps.credit_requests.deciding import decide_by_policy, refer_request
from apps.credit_requests.decision_replay import recorded_decisions, replay_decisions
from apps.credit_requests.models import Decision
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.tests.deciders import BAD, GOOD, GREY, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TABLE = Decision._meta.db_table


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


def decided(score=GOOD, **options) -> Decision:
    request = make_scored(score, **options)
    return decide_by_policy(credit_request=request, version=1, actor=None, now=timezone.now())


def by_person() -> Decision:
    request, officer = make_scored(GREY), make_officer()
    refer_request(credit_request=request, version=1, comment="look", actor=officer, now=timezone.now())
    request = read(request)
    return decide_by_person(
        credit_request=request, version=request.version, prediction_id=request.prediction_id, outcome="approve",
        terms=None, reason_code="", comment="seen", actor=officer, now=timezone.now(),
    )  # fmt: skip


def changed(decision: Decision, **columns) -> None:
    """As somebody who owns the tables could."""
    lift_guard(connection, TABLE)
    Decision.objects.filter(id=decision.id).update(**columns)
    set_guard(connection, TABLE, INSERT_ONLY[TABLE])


def replayed():
    return {each.row.id: (each.result, each.differing) for each in replay_decisions(recorded_decisions(since=LONG_AGO))}


def test_every_kind_of_decision_is_the_same_again():
    rows = [decided(GOOD), decided(GREY), decided(BAD), decided(GOOD, banned=True), decided(GOOD, banned=None),
            decided(GOOD, requested_amount=90_000_000), by_person()]  # fmt: skip
    assert [row.outcome for row in rows] == ["approve", "refer", "decline", "decline", "refer", "decline", "approve"]
    assert replayed() == {row.id: ("same", ()) for row in rows}


@pytest.mark.parametrize(
    ("columns", "differing"),
    [
        ({"outcome": "decline", "policy_outcome": "decline"}, ("policy_outcome", "outcome")),
        ({"expected_loss": 1}, ("expected_loss",)),
        ({"amount": 29_999_999}, ("amount",)),
        ({"reasons": ["score_grey"]}, ("reasons",)),
    ],
)
def test_what_was_changed_is_named(columns, differing):
    row = decided()
    changed(row, **columns)
    assert replayed() == {row.id: ("different", differing)}


def test_a_changed_fact_shows_in_the_trace():
    row = decided()
    sealed = row.opened()
    sealed["facts"]["yearly_income"] += 1
    changed(row, sealed=seal(row.data_key, sealed, f"decision:{row.id}"))
    assert replayed() == {row.id: ("different", ("trace",))}


def test_what_was_erased_or_tampered_with_is_counted():
    erased, tampered = decided(), decided(GREY)
    destroy_keys([erased.data_key_id], now=timezone.now())
    changed(tampered, sealed=b"x" * 40)
    assert {row: result for row, (result, _) in replayed().items()} == {erased.id: "erased", tampered.id: "unreadable"}


def run(*words: str) -> str:
    out = StringIO()
    call_command("replay_decisions", "--since", "2020-01-01", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_counts_and_is_audited():
    decided()
    assert run() == "1 decisions replayed: 1 same, 0 different, 0 erased, 0 unreadable.\n"
    assert AuditEvent.objects.get(action="decision.replay").details["rows"] == 1
    assert run("--until", "2020-02-01") == "0 decisions replayed: 0 same, 0 different, 0 erased, 0 unreadable.\n"


def test_the_command_fails_on_any_difference():
    changed(decided(), expected_loss=1)
    with pytest.raises(CommandError, match="Not every decision is what its policy says"):
        run()
