"""Deciding on the screen of a request: what each form does; a refusal changes nothing and loses nothing typed."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.credit_requests.deciding import decide_by_policy, refer_request
from apps.credit_requests.models import Decision, Override, RegisterAnswer
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import BAD, GOOD, GREY, make_approver, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import change_debt, make_officer
from apps.scoring_engine.models import PredictionLog
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db
MUCH = 38_000_000  # above second_person_above of the policy


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


@pytest.fixture
def approver():
    return make_approver()


def make_referred(score=GREY, **options):
    request = make_scored(score, **options)
    refer_request(credit_request=request, version=1, comment="look", actor=make_officer(), now=timezone.now())
    return read(request)


def send(request, user, action, language="en", **given):
    return signed_in(user, language).post(f"/requests/{request.id}/{action}/", given)


def judgement(request, **changes):
    return {"version": request.version, "prediction": request.prediction_id, "comment": "I saw the papers"} | changes


def counted(request):
    request = read(request)
    rows = (Decision, Override, PredictionLog, RegisterAnswer)
    events = AuditEvent.objects.exclude(action__startswith="user.").exclude(action="external_record.look_up").count()
    terms = (request.requested_amount, request.term_months, request.status, request.version, request.prediction_id)
    return [*terms, events, *(model.objects.count() for model in rows)]


def refused(request, status, act, *words):
    before = counted(request)
    response = act()
    content = response.content.decode()
    assert response.status_code == status, content
    assert counted(request) == before
    for each in words:
        assert each in content
    return content


def done(response, request):
    assert (response.status_code, response["Location"]) == (303, f"/requests/{request.id}/")


# --- Each does what it says -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "status"), [(GOOD, "approved"), (GREY, "referred"), (BAD, "rejected")])
def test_the_policy_decides_when_an_officer_asks(officer, score, status):
    request = make_scored(score)
    done(send(request, officer, "decide", version=1), request)
    decision = Decision.objects.get()
    assert (read(request).status, decision.kind, decision.made_by) == (status, "policy", officer)


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("decline", "rejected")])
def test_one_person_decides_what_the_policy_refers(approver, action, status):
    request = make_referred()
    done(send(request, approver, action, **judgement(request)), request)
    decision = Decision.objects.newest().get()
    assert (read(request).status, decision.outcome, decision.made_by) == (status, action, approver)
    assert decision.opened()["comment"] == "I saw the papers"


def test_less_than_was_asked_for_may_be_offered(officer):
    request = make_referred()
    done(send(request, officer, "approve", **judgement(request, amount="20000000", term_months="12")), request)
    decision = Decision.objects.newest().get()
    assert (decision.amount, decision.term_months) == (20_000_000, 12)


def test_against_the_policy_takes_a_reason_of_its_list(officer):
    request = make_referred(BAD)
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert '<select id="reason-approve" name="reason_code" required>' in page
    assert '<select id="reason-decline"' not in page
    done(send(request, officer, "approve", **judgement(request, reason_code="collateral")), request)
    decision = Decision.objects.newest().get()
    assert (decision.direction, decision.reason_code) == ("low_side", "collateral")


def test_refer_review_and_withdraw(officer):
    request = make_scored()
    done(send(request, officer, "refer", version=1, comment="Not sure"), request)
    assert read(request).status == "referred"
    done(send(request, officer, "approve", **judgement(read(request))), request)
    done(send(request, officer, "review", version=3, comment="New papers"), request)
    assert (read(request).status, Decision.objects.newest().get().opened()["comment"]) == ("referred", "New papers")
    done(send(request, officer, "withdraw", version=4), request)
    assert read(request).status == "withdrawn"


def test_terms_change_while_the_request_is_pending(officer):
    request = make_scored()
    done(send(request, officer, "terms", version=1, amount="20000000", term_months="12"), request)
    changed = read(request)
    assert (changed.requested_amount, changed.term_months, changed.version) == (20_000_000, 12, 2)
    assert changed.prediction_id != request.prediction_id
    decide_by_policy(credit_request=changed, version=2, actor=officer, now=timezone.now())
    words = "Something has changed in the meantime"
    refused(request, 409, lambda: send(request, officer, "terms", version=3, amount="1", term_months="12"), words)


@pytest.mark.parametrize(("answer", "listed"), [("yes", True), ("no", False)])
def test_the_answer_of_the_register_is_recorded(officer, answer, listed):
    request = make_scored(banned=None)
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "Is the person in the register of self-bans?" in page
    done(send(request, officer, "register-answer", is_listed=answer), request)
    assert RegisterAnswer.objects.get().opened()["is_listed"] is listed
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "Is the person in the register of self-bans?" not in page
    assert ("Self-ban." in page) is listed


# --- Two pairs of eyes ----------------------------------------------------------------------------------------


def test_a_second_person_agrees(officer, approver):
    request = make_referred(requested_amount=MUCH)
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "the amount is above what one person may decide" in page
    done(send(request, officer, "approve", **judgement(request)), request)
    waiting = Override.objects.get()
    assert (waiting.state, read(request).status) == ("waiting", "referred")

    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "Waits for a second person." in page
    assert "You asked for this yourself, so another person has to agree." in page
    assert f"/requests/{request.id}/confirm/" not in page
    page = signed_in(approver).get(f"/requests/{request.id}/").content.decode()
    assert "I saw the papers" in page
    assert "Nothing is left to do with this request." not in page
    done(send(request, approver, "confirm", override=waiting.id, comment="Agreed"), request)
    assert read(request).status == "approved"
    assert Decision.objects.newest().get().checked_by == approver


def test_a_second_person_disagrees(officer, approver):
    request = make_referred(requested_amount=MUCH)
    send(request, officer, "approve", **judgement(request))
    done(send(request, approver, "refuse", override=Override.objects.get().id, comment="No"), request)
    assert (Override.objects.get().state, read(request).status) == ("refused", "referred")


def test_nobody_agrees_with_themselves(approver):
    request = make_referred(requested_amount=MUCH)
    send(request, approver, "approve", **judgement(request))
    given = {"override": Override.objects.get().id, "comment": "Agreed"}
    refused(request, 403, lambda: send(request, approver, "confirm", **given), "You may not do this")


def test_an_override_of_another_request_is_absent(officer, approver):
    request, other = make_referred(requested_amount=MUCH), make_referred(requested_amount=MUCH)
    send(other, officer, "approve", **judgement(other))
    given = {"override": Override.objects.get().id, "comment": "Agreed"}
    refused(request, 404, lambda: send(request, approver, "confirm", **given), "This request has no such override.")


# --- Refusals change nothing ----------------------------------------------------------------------------------


def test_a_stale_version_is_told_beside_what_was_typed(officer):
    request = make_referred()
    given = judgement(request, version=1, comment="A long and careful reason")
    words = ("Something has changed in the meantime", "A long and careful reason", "Load the request again")
    page = refused(request, 409, lambda: send(request, officer, "approve", **given), *words)
    assert f'<a href="/requests/{request.id}/">' in page
    assert f'name="version" value="{request.version}"' in page


def test_an_assessment_that_changed_since_is_not_decided_on(officer):
    request = make_referred()
    change_debt(request, 70_000_000)
    refused(request, 409, lambda: send(request, officer, "approve", **judgement(request)), "Load the request again")


@pytest.mark.parametrize(
    ("action", "changes", "words"),
    [
        ("approve", {"comment": " "}, "Say why; the record keeps it."),
        ("approve", {"comment": "x" * 2_001}, "At most 2000 characters are allowed."),
        ("approve", {"prediction": "no"}, "The form is incomplete."),
        ("approve", {"version": "two"}, "The form is incomplete."),
        ("approve", {"amount": "-5"}, "At least 1 is allowed."),
        ("approve", {"amount": "1e9"}, "Give a whole number."),
        ("approve", {"amount": "99000000"}, "allowed is 1000000 to 30000000"),
        ("approve", {"reason_code": "because"}, "the policy allows"),
        ("decline", {"comment": ""}, "Say why; the record keeps it."),
    ],
)
def test_what_is_wrong_with_a_form_is_named(officer, action, changes, words):
    request = make_referred()
    refused(request, 400, lambda: send(request, officer, action, **judgement(request, **changes)), words)


def test_the_words_of_a_form_are_of_the_language_of_the_page(officer):
    request = make_referred()
    given = judgement(request, comment="")
    refused(request, 400, lambda: send(request, officer, "approve", "uz", **given), "Sababini ayting")
    refused(request, 400, lambda: send(request, officer, "approve", "ru", **given), "Укажите почему")


def test_a_knock_out_that_nobody_may_overrule_is_told_before_anybody_tries(officer):
    request = make_referred(banned=True)
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "Nobody may approve this request now." in page
    assert f"/requests/{request.id}/approve/" not in page
    refused(request, 409, lambda: send(request, officer, "approve", **judgement(request)), "nobody may overrule it")


def test_who_is_linked_to_the_applicant_is_told_so(officer):
    request = make_referred()
    link = {"user": officer, "applicant": request.individual, "relation": "relative", "actor": officer}
    declare_staff_link(**link, now=timezone.now())
    page = signed_in(officer).get(f"/requests/{request.id}/").content.decode()
    assert "You are linked to the applicant, so somebody else has to decide." in page
    assert f"/requests/{request.id}/approve/" not in page
    refused(request, 403, lambda: send(request, officer, "approve", **judgement(request)), "You may not do this")


@pytest.mark.parametrize("role", ["analyst", "auditor", "administrator"])
def test_other_roles_decide_nothing(role):
    request = make_referred()
    for action in ("approve", "decline", "decide", "refer", "review", "withdraw", "terms", "confirm", "refuse"):
        refused(request, 403, lambda action=action: send(request, make_user(role), action, **judgement(request)))


def test_a_request_of_another_branch_is_absent():
    request = make_referred()
    stranger = make_user("officer", make_branch("other"))
    for action in ("approve", "decline", "decide", "refer", "review", "withdraw", "terms", "try", "register-answer"):
        refused(request, 404, lambda action=action: send(request, stranger, action, **judgement(request)))
    missing = signed_in(stranger).post(f"/requests/{uuid.uuid4()}/approve/", judgement(request))
    assert missing.status_code == 404


def test_a_form_without_its_token_is_refused(officer):
    from django.test import Client

    request = make_referred()
    client = Client(enforce_csrf_checks=True)
    client.force_login(officer)
    refused(request, 403, lambda: client.post(f"/requests/{request.id}/approve/", judgement(request)))


# --- Sent twice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["approve", "decline"])
def test_a_form_that_is_sent_twice_decides_once(officer, action):
    request = make_referred()
    for _ in range(2):
        done(send(request, officer, action, **judgement(request)), request)
    assert Decision.objects.filter(kind="person").count() == 1


def test_a_wish_that_is_sent_twice_waits_once(officer):
    request = make_referred(requested_amount=MUCH)
    for _ in range(2):
        done(send(request, officer, "approve", **judgement(request)), request)
    assert Override.objects.count() == 1


def test_an_agreement_that_is_sent_twice_counts_once(officer, approver):
    request = make_referred(requested_amount=MUCH)
    send(request, officer, "approve", **judgement(request))
    for _ in range(2):
        done(send(request, approver, "confirm", override=Override.objects.get().id, comment="Agreed"), request)
    assert Decision.objects.filter(kind="person").count() == 1


def test_what_somebody_else_did_is_not_taken_for_ones_own(officer, approver):
    request = make_referred()
    send(request, approver, "approve", **judgement(request))
    refused(request, 409, lambda: send(request, officer, "approve", **judgement(request)))


def test_an_override_past_its_time_hinders_nobody(officer, approver):
    request = make_referred(requested_amount=MUCH)
    long_ago = timezone.now() - timedelta(days=20)
    decide_by_person(
        credit_request=request,
        version=request.version,
        prediction_id=request.prediction_id,
        outcome="approve",
        terms=None,
        reason_code="",
        comment="old",
        actor=officer,
        now=long_ago,
    )
    page = signed_in(approver).get(f"/requests/{request.id}/").content.decode()
    assert "Waits for a second person." not in page
    assert f"/requests/{request.id}/decline/" in page
