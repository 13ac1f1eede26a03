"""What the database itself refuses of decisions and overrides, whoever writes past the services."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.credit_requests.models import CreditRequest, Decision, Override, RegisterAnswer, StaffLink
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import NOW, decision_row, make_approver, override_row, policy_row
from apps.credit_requests.tests.factories import make_officer, make_request

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-4000-8000-000000000000"


def refused(match, row):
    """The row is refused by the trigger or constraint of that name, and nothing is left of it."""
    before = (Decision.objects.count(), Override.objects.count())
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        row.save(force_insert=True)
    assert (Decision.objects.count(), Override.objects.count()) == before


def sql(statement, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def sql_refused(match, statement, parameters=()):
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        sql(statement, parameters)


@pytest.fixture
def request_():
    return make_request()


@pytest.fixture
def policy():
    return policy_row()


@pytest.fixture
def referred(request_):
    """Its decision: an officer's referral."""
    decision = decision_row(
        request_, None, kind="referral", outcome="refer", policy_outcome="", made_by=make_officer(), amount=None
    )
    decision.save(force_insert=True)
    CreditRequest.objects.filter(id=request_.id).update(status="referred")
    return decision


# --- Who ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["analyst", "auditor", "administrator"])
def test_no_decision_of_a_role_that_does_not_decide(request_, policy, role):
    stranger = make_user(role, make_branch())
    refused("not theirs to decide", decision_row(request_, policy, made_by=stranger))


def test_no_decision_by_another_branch(request_, policy):
    refused("not theirs to decide", decision_row(request_, policy, made_by=make_officer("other")))
    own = decision_row(request_, policy, made_by=make_officer())
    own.save(force_insert=True)
    assert Decision.objects.get() == own


def test_no_decision_by_somebody_who_has_left(request_, policy):
    officer = make_officer()
    User.objects.filter(id=officer.id).update(is_active=False)
    refused("not theirs to decide", decision_row(request_, policy, made_by=officer))


def test_no_decision_by_a_linked_person_until_the_link_is_ended(request_, policy):
    officer = make_officer()
    link = declare_staff_link(user=officer, applicant=request_.individual, relation="relative", actor=officer, now=NOW)
    refused("not theirs to decide", decision_row(request_, policy, made_by=officer))
    StaffLink.objects.filter(id=link.id).update(ended_by=make_user("administrator"), ended_at=NOW)
    decision_row(request_, policy, made_by=officer).save(force_insert=True)
    assert Decision.objects.count() == 1


def test_no_decision_of_people_by_a_service_account_but_it_may_ask_the_policy(request_, policy):
    service = make_officer()
    User.objects.filter(id=service.id).update(kind="service")
    person = decision_row(request_, policy, kind="person", made_by=service)
    refused("not theirs to decide", person)
    decision_row(request_, policy, made_by=service).save(force_insert=True)
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("kind", ["person", "referral", "review"])
def test_no_decision_of_people_without_one(request_, policy, kind):
    row = decision_row(request_, policy, kind=kind, outcome="approve" if kind == "person" else "refer")
    refused("decision_of_people_has_a_maker", row)


def test_the_maker_is_not_the_checker(request_, policy):
    approver = make_approver()
    row = decision_row(request_, policy, kind="person", made_by=approver, checked_by=approver)
    refused("decision_maker_is_not_checker", row)


def test_the_checker_is_an_approver_of_the_branch_who_is_not_linked(request_, policy):
    maker, linked = make_officer(), make_approver()
    declare_staff_link(user=linked, applicant=request_.individual, relation="self", actor=linked, now=NOW)
    for checker in (make_officer(), make_approver("other"), linked, make_user("auditor")):
        row = decision_row(request_, policy, kind="person", made_by=maker, checked_by=checker)
        refused("not theirs to confirm", row)


# --- What -----------------------------------------------------------------------------------------------------


def test_a_withdrawn_request_is_not_decided(request_, policy):
    withdraw_credit_request(credit_request=request_, version=1, actor=None)
    refused("a withdrawn request is not decided", decision_row(request_, policy))


@pytest.mark.parametrize("state", ["draft", "discarded"])
def test_only_a_published_policy_decides(request_, state):
    policy = policy_row(publish=False)
    if state == "discarded":
        policy.state = "discarded"
        policy.save()
    refused("only a published policy decides", decision_row(request_, policy))


def test_a_decision_of_a_policy_names_it(request_):
    refused("decision_names_its_policy", decision_row(request_, None))


def test_a_decision_rests_on_a_scoring_of_this_request(request_, policy):
    other = make_request()
    refused("the prediction is of another request", decision_row(request_, policy, prediction=other.prediction))


def test_a_bar_never_approves_and_declines_only_with_a_knock_out(request_, policy):
    refused("decision_a_bar_refers", decision_row(request_, policy, is_barred=True))
    declined = {"is_barred": True, "outcome": "decline", "policy_outcome": "decline"}
    refused("decision_a_bar_refers", decision_row(request_, policy, **declined))
    decision_row(request_, policy, **declined, has_fired_knockout=True).save(force_insert=True)
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"amount": None}, "decision_to_approve_has_terms"),
        ({"amount": 0}, "decision_amount"),
        ({"term_months": 601}, "decision_term"),
        ({"outcome": "perhaps"}, "decision_outcome"),
        ({"kind": "whim"}, "decision_kind"),
        ({"number": 0}, "decision_number_from_one"),
        ({"direction": "low_side"}, "decision_direction|decision_against_the_policy_says_why"),
    ],
)
def test_a_decision_keeps_its_bounds(request_, policy, columns, constraint):
    refused(constraint, decision_row(request_, policy, **columns))


def test_numbers_of_decisions_are_not_given_twice(request_, policy):
    decision_row(request_, policy).save(force_insert=True)
    refused("decision_number|credit_request_id, .*number", decision_row(request_, policy, number=1))


def test_a_decision_never_changes_and_never_goes(request_, policy):
    decision_row(request_, policy).save(force_insert=True)
    sql_refused("insert-only", "UPDATE credit_requests_decision SET outcome = 'decline'")
    sql_refused("insert-only", "DELETE FROM credit_requests_decision")
    assert Decision.objects.get().outcome == "approve"


@pytest.mark.parametrize(
    ("outcome", "status"), [("approve", "rejected"), ("decline", "approved"), ("refer", "approved")]
)
def test_the_status_is_what_the_newest_decision_says(request_, policy, outcome, status):
    decision_row(request_, policy, outcome=outcome, policy_outcome=outcome).save(force_insert=True)
    statement = "UPDATE credit_requests_creditrequest SET status = %s"
    sql_refused("no decision leads to this status", statement, [status])
    sql(statement, [{"approve": "approved", "decline": "rejected", "refer": "referred"}[outcome]])


# --- Against the policy ---------------------------------------------------------------------------------------


def against_the_policy(request_, policy, officer, **columns):
    given = {"kind": "person", "policy_outcome": "decline", "direction": "low_side", "reason_code": "collateral"}
    return decision_row(request_, policy, made_by=officer, **given | columns)


def test_a_decision_against_the_policy_says_so_and_why(referred, request_, policy):
    officer = make_officer()
    refused("decision_direction", against_the_policy(request_, policy, officer, direction=""))
    refused("decision_against_the_policy_says_why", against_the_policy(request_, policy, officer))


def test_a_decision_against_the_policy_rests_on_its_own_confirmed_override(referred, request_, policy):
    officer, approver = make_officer(), make_approver()
    override = override_row(request_, referred, officer)
    override.save(force_insert=True)
    decided = {"override": override, "checked_by": approver}
    refused("the override is not confirmed", against_the_policy(request_, policy, officer, **decided))
    Override.objects.update(state="confirmed", closed_by=approver, closed_at=NOW)
    other = {"checked_by": make_approver()}
    refused("the override is not confirmed", against_the_policy(request_, policy, officer, **decided | other))
    refused("the override is not confirmed", against_the_policy(request_, policy, make_officer(), **decided))
    refused("the override is not confirmed", against_the_policy(request_, policy, officer, override=override))
    against_the_policy(request_, policy, officer, **decided).save(force_insert=True)
    assert Decision.objects.filter(override=override).count() == 1


def test_an_override_that_needs_two_is_never_born_confirmed(referred, request_):
    closed = {"state": "confirmed", "closed_by": make_approver(), "closed_at": NOW}
    refused("waits for its second person", override_row(request_, referred, make_officer(), **closed))
    refused(
        "waits for its second person", override_row(request_, referred, make_officer(), **closed | {"state": "refused"})
    )


def test_who_asks_does_not_confirm(referred, request_):
    approver = make_approver()
    override_row(request_, referred, approver).save(force_insert=True)
    statement = "UPDATE credit_requests_override SET state = 'confirmed', closed_at = %s, closed_by_id = %s"
    sql_refused("override_maker_is_not_checker", statement, [NOW, approver.id])
    sql_refused("override_is_confirmed_by_a_second_person", statement, [NOW, None])


def test_nobody_but_an_approver_of_the_branch_who_is_not_linked_closes(referred, request_):
    linked = make_approver()
    declare_staff_link(user=linked, applicant=request_.individual, relation="owner", actor=linked, now=NOW)
    override_row(request_, referred, make_officer()).save(force_insert=True)
    statement = "UPDATE credit_requests_override SET state = %s, closed_at = %s, closed_by_id = %s"
    for user in (make_officer(), make_approver("other"), linked, make_user("administrator")):
        for state in ("confirmed", "refused"):
            sql_refused("not theirs to confirm", statement, [state, NOW, user.id])
    assert Override.objects.get().state == "waiting"


def test_who_asks_may_decide_of_the_request(referred, request_):
    linked = make_officer()
    declare_staff_link(user=linked, applicant=request_.individual, relation="self", actor=linked, now=NOW)
    for user in (linked, make_officer("other"), make_user("analyst")):
        refused("not theirs to override", override_row(request_, referred, user))


def test_an_override_is_closed_once_in_time_and_otherwise_stays(referred, request_):
    approver = make_approver()
    override_row(request_, referred, make_officer()).save(force_insert=True)
    late = NOW + timedelta(days=15)
    statement = "UPDATE credit_requests_override SET state = 'confirmed', closed_at = %s, closed_by_id = %s"
    sql_refused("override_confirmed_in_time", statement, [late, approver.id])
    sql_refused("only closed, once", "UPDATE credit_requests_override SET amount = 99000000")
    sql_refused("only closed, once", "UPDATE credit_requests_override SET requested_by_id = %s", [approver.id])
    sql_refused("never deleted", "DELETE FROM credit_requests_override")
    sql(statement, [NOW, approver.id])
    sql_refused("only closed, once", "UPDATE credit_requests_override SET state = 'refused'")


def test_one_override_waits_at_a_time(referred, request_):
    override_row(request_, referred, make_officer()).save(force_insert=True)
    refused("override_one_waits_at_a_time|credit_request_id", override_row(request_, referred, make_officer()))


def test_no_override_of_a_withdrawn_request(referred, request_):
    sql("UPDATE credit_requests_creditrequest SET status = 'withdrawn'")
    refused("a withdrawn request is not decided", override_row(request_, referred, make_officer()))


# --- Links and answers ----------------------------------------------------------------------------------------


def test_a_link_is_only_ended_once_and_never_by_the_linked(request_):
    officer = make_officer()
    declare_staff_link(user=officer, applicant=request_.individual, relation="relative", actor=officer, now=NOW)
    rows = StaffLink.objects.all()
    for change in (
        {"user": make_officer()},
        {"relation": "other"},
        {"created_at": F("created_at") + timedelta(days=1)},
    ):
        with pytest.raises(DatabaseError, match="a link is only ended"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="staff_link_not_ended_by_the_linked"), transaction.atomic():
        rows.update(ended_by=officer, ended_at=NOW)
    sql_refused("never deleted", "DELETE FROM credit_requests_stafflink")
    rows.update(ended_by=make_user("administrator"), ended_at=NOW)
    with pytest.raises(DatabaseError, match="a link is only ended"), transaction.atomic():
        rows.update(ended_by=None, ended_at=None)


def test_an_answer_of_a_register_never_changes(request_):
    record_register_answer(credit_request=request_, register="self_ban", is_listed=True, actor=make_officer(), now=NOW)
    sql_refused("insert-only", "DELETE FROM credit_requests_registeranswer")
    sql_refused("insert-only", "UPDATE credit_requests_registeranswer SET register = 'self_ban'")
    assert RegisterAnswer.objects.get().opened() == {"is_listed": True}
