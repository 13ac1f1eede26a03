"""The letter says what was decided and why, in the applicant's language, and nothing that is not theirs to know."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.letters import compose_letter, letter_page
from apps.credit_requests.models import Decision
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.tests.deciders import (
    BAD,
    GOOD,
    GREY,
    TEXT,
    make_approver,
    make_scored,
    policy_row,
    put_policy_in_force,
    read,
)
from apps.credit_requests.tests.factories import make_officer
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.tests.factories import put_in_service

pytestmark = pytest.mark.django_db
NO_BREAK = "\u00a0"


def letter(score: int, language: str = "en", text: str = TEXT, **options):
    return compose_letter(decision=decided(score, text, **options), language=language)


def decided(score: int, text: str = TEXT, **options) -> Decision:
    put_policy_in_force(text)
    request = make_scored(score, **options)
    return decide_by_policy(credit_request=request, version=request.version, actor=None, now=timezone.now())


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def test_where_the_score_spoke_the_model_s_own_reasons_stand_and_not_the_score():
    told = letter(BAD)
    assert told.title == "Your credit request is declined"
    assert told.reasons == []
    assert told.model_reasons == ["Your credit bureau score is 520; among applicants 690 is typical."]
    assert "435" not in letter_page(told)


def test_where_a_rule_spoke_only_the_rule_is_told():
    told = letter(GOOD, requested_amount=90_000_000)
    assert ([plain(reason) for reason in told.reasons], told.model_reasons) == (
        ["Payments would take 63 % of income."],
        [],
    )


@pytest.mark.parametrize(
    ("language", "title", "amount", "rate", "term"),
    [
        ("en", "Your credit request is approved", "30,000,000 UZS", "26 %", "24 months"),
        ("ru", "Ваша заявка на кредит одобрена", "30 000 000 сум", "26 %", "24 месяца"),
        ("uz", "Kredit arizangiz maʼqullandi", "30 000 000 soʻm", "26 foiz", "24 oy"),
    ],
)
def test_an_approval_states_the_terms_in_the_applicant_s_language(language, title, amount, rate, term):
    told = letter(GOOD, language)
    assert told.title == title
    values = [plain(value) for _, value in told.offered]
    assert values[:4] == ["Consumer credit", amount, term, rate]
    assert values[4].startswith("1,616,238" if language == "en" else "1 616 238")
    assert (told.reasons, told.changes) == ([], [])


def test_a_rate_is_told_to_the_basis_point():
    priced = TEXT + '\n[price]\nannual_rate = "0.2188"\nleast = 0.1\nmost = 0.5\n'
    assert plain(dict(letter(GOOD, "ru", priced).offered)["Процентов в год"]) == "21,88 %"


def test_what_a_register_holds_is_never_told():
    page = letter_page(letter(GOOD, banned=True))
    assert "Credit cannot be given." in page
    assert "register of self-bans" not in page
    assert "banned" not in page


def test_the_change_that_is_named_would_have_been_approved():
    put_policy_in_force()
    asked = make_scored(GOOD, requested_amount=90_000_000)
    told = compose_letter(decision=decided_now(asked), language="en")
    assert [plain(change) for change in told.changes] == [
        "With an amount of 39,600,000 UZS instead of 90,000,000 UZS, all else the same, our rules would approve the"
        " request."
    ]
    again = make_scored(GOOD, requested_amount=39_600_000)
    assert decided_now(again).outcome == "approve"
    a_step_more = make_scored(GOOD, requested_amount=40_500_000)
    assert decided_now(a_step_more).amount < 40_500_000


def test_a_bar_alone_is_no_better_answer():
    """A barred assessment is referred whatever was asked for: only what the rules themselves say can be better."""
    put_in_service(small_card())
    policy_row(TEXT)
    request = make_scored(GOOD, yearly_income=60_000_000)
    assert (decided_now(request).outcome, request.decisions.get().policy_outcome) == ("refer", "decline")
    request = read(request)
    decision = decide_by_person(
        credit_request=request, version=request.version, prediction_id=request.prediction_id, outcome="decline",
        terms=None, reason_code="", comment="too much", actor=make_officer(), now=timezone.now(),
    )  # fmt: skip
    told = compose_letter(decision=decision, language="en")
    assert [plain(change) for change in told.changes] == [
        "With an amount of 18,300,000 UZS instead of 30,000,000 UZS, all else the same, our rules would not decline the"
        " request; a person would look at it."
    ]


def decided_now(request) -> Decision:
    return decide_by_policy(credit_request=request, version=request.version, actor=None, now=timezone.now())


def test_a_demonstration_card_and_invented_records_are_told():
    put_in_service(small_card())
    policy_row(TEXT)
    told = compose_letter(decision=decided_now(make_scored(GOOD)), language="en")
    assert told.title == "Your credit request needs a closer look"
    assert [notice.split(".")[0] for notice in told.notices] == [
        "The risk was assessed with a demonstration model that was not learnt on our own customers",
        "Some records are invented for demonstration and are not those of a real register",
    ]


def test_the_letter_of_march_says_in_may_what_it_said_in_march():
    decision = decided(BAD)
    before = compose_letter(decision=decision, language="ru")
    person = decision.credit_request.individual
    type(person).objects.filter(id=person.id).update(updated_at=datetime(2027, 5, 1, tzinfo=UTC))
    policy_row(TEXT.replace("below = 440", "below = 400").replace("from = 440", "from = 400"))
    assert compose_letter(decision=Decision.objects.get(id=decision.id), language="ru") == before


# --- Over the API ---------------------------------------------------------------------------------------------


def address(of: Decision, /, **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/api/credit-requests/{of.credit_request_id}/letter/?{asked}"


@pytest.mark.parametrize("role", ["officer", "approver", "auditor"])
def test_those_who_work_with_the_applicant_read_it_and_each_reading_is_recorded(role):
    decision = decided(GREY)
    user = {"officer": make_officer, "approver": make_approver, "auditor": lambda: make_user("auditor")}[role]()
    response = client_for(user).get(address(decision, language="uz"))
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Kredit arizangizni qoʻshimcha koʻrib chiqish kerak" in response.content.decode()
    event = AuditEvent.objects.get(action="credit_request.letter")
    assert (event.actor, event.details["language"], event.details["number"]) == (user, "uz", 1)


def test_pdf_is_made_of_the_same_page():
    pytest.importorskip("weasyprint", reason="the extra requirements/pdf.txt is not installed", exc_type=OSError)
    response = client_for(make_officer()).get(address(decided(GOOD), form="pdf", language="ru"))
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert len(response.content) > 5_000


@pytest.mark.parametrize("role", ["analyst", "administrator"])
def test_others_may_not(role):
    decision = decided(GOOD)
    assert client_for(make_user(role)).get(address(decision)).status_code == 403
    assert not AuditEvent.objects.filter(action="credit_request.letter").exists()


def test_another_branch_finds_nothing():
    decision = decided(GOOD)
    assert client_for(make_user("officer", make_branch("north"))).get(address(decision)).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [({"form": "doc"}, "form"), ({"language": "fr"}, "language"), ({"decision": "first"}, "decision")],
)
def test_what_is_asked_wrongly_is_refused_by_name(query, field):
    response = client_for(make_officer()).get(address(decided(GOOD), **query))
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)


def test_a_request_without_a_decision_has_no_letter():
    put_policy_in_force()
    request = make_scored(GOOD)
    response = client_for(make_officer()).get(f"/api/credit-requests/{request.id}/letter/")
    assert (response.status_code, read(request).status) == (404, "pending")


def test_a_person_who_was_erased_gets_no_letter():
    decision = decided(GOOD)
    destroy_keys([decision.data_key_id], now=timezone.now())
    response = client_for(make_officer()).get(address(decision))
    assert response.status_code == 409
