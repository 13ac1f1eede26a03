"""Where a register says otherwise than the applicant: at which limits, what stays unknown, what is sealed and told."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch
from apps.common.background import work_due_jobs
from apps.companies.tests.factories import make_company, statement_of
from apps.credit_requests.contradiction_presentation import contradiction_texts, render_contradictions
from apps.credit_requests.contradictions import (
    CODES,
    compare,
    contradictions_of,
    flags_of,
    open_records,
    stated_by,
)
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.decision_replay import recorded_decisions, replay_decisions
from apps.credit_requests.letters import compose_letter
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.policy_facts import held_of
from apps.credit_requests.tests.deciders import GOOD, TEXT, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_product, make_request
from apps.external_integrations.tests.factories import allow, answered
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db
PARCELS = ["10:01:02:03:04:0055", "10:01:02:03:04:0056"]


def request_of(**profile) -> CreditRequest:
    """A person who states the given, with an invented record of every source."""
    person = make_individual(make_branch(), **profile)
    allow(person.profile["pinfl"], "soliq", "bureau")
    request = make_request(person)
    work_due_jobs()
    return read(request)


def told(request: CreditRequest, source: str, place: int = 0, **changes) -> None:
    answered(request.external_records.select_related("data_key").filter(source=source).order_by("id")[place], **changes)


def compared(request: CreditRequest):
    request = read(request)
    return compare(stated_by(request, timezone.now()), open_records(held_of(request)))


def flag(request: CreditRequest, code: str) -> bool | None:
    """None: not known."""
    return flags_of(compared(request)).get(code)


# --- Sums -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "declared", "differs"),
    [
        ({"yearly_income": 139_999_999, "salary": None}, 100_000_000, False),
        ({"yearly_income": 140_000_000, "salary": None}, 100_000_000, True),
        ({"yearly_income": 1, "salary": None}, 0, True),
        ({"yearly_income": 0, "salary": None}, 0, False),
        # Less than declared is no claim of more.
        ({"yearly_income": 10_000_000, "salary": None}, 100_000_000, False),
        # Net pay counts twelve times and no more: its gross may well be 140 million, and is not held against anybody.
        ({"yearly_income": None, "salary": 11_666_666}, 100_000_000, False),
        ({"yearly_income": None, "salary": 11_666_667}, 100_000_000, True),
        # The larger of two claims.
        ({"yearly_income": 100_000_000, "salary": 12_000_000}, 100_000_000, True),
        ({"yearly_income": None, "salary": None}, 100_000_000, None),
        ({"yearly_income": 500_000_000, "salary": None}, None, None),
    ],
)
def test_income_40_percent_above_the_declared_one(stated, declared, differs):
    request = request_of(**stated)
    told(request, "soliq", declared_yearly_income=declared)
    assert flag(request, "income_contradiction") is differs


def test_sums_of_two_currencies_are_not_compared():
    request = request_of(yearly_income=900_000_000, existing_debt=0)
    told(request, "soliq", declared_yearly_income=1_000, currency="USD")
    told(request, "bureau", existing_debt=9_000, monthly_debt_payments=500, currency="USD")
    assert flags_of(compared(request)) == {}


@pytest.mark.parametrize(
    ("declared", "differs"), [(2_857_142_857, True), (2_857_142_858, False), (9_000_000_000, False), (None, None)]
)
def test_revenue_of_the_newest_statement_40_percent_above_the_declared_one(declared, differs):
    statements = [statement_of(2023, revenue=9_000_000_000), statement_of(2024, revenue=4_000_000_000)]
    request = make_request(make_company(make_branch(), statements=statements))
    work_due_jobs()
    told(request, "soliq", declared_revenue=declared)
    assert flag(request, "revenue_contradiction") is differs
    assert flag(request, "income_contradiction") is None


@pytest.mark.parametrize(
    ("debts", "payments", "differs"),
    [
        (10_000_000, 1_000_000, False),
        (11_111_111, 1_000_000, False),
        (11_111_112, 1_000_000, True),
        (10_000_000, 1_111_112, True),
        (0, 0, False),
    ],
)
def test_debts_a_tenth_below_those_of_the_bureau(debts, payments, differs):
    request = request_of(existing_debt=10_000_000, monthly_debt_payments=1_000_000)
    told(request, "bureau", existing_debt=debts, monthly_debt_payments=payments)
    assert flag(request, "debt_contradiction") is differs


def test_debts_that_were_not_stated_or_not_asked_for_are_not_known():
    silent = request_of(existing_debt=None, monthly_debt_payments=None)
    told(silent, "bureau", existing_debt=90_000_000)
    assert flag(silent, "debt_contradiction") is None
    unasked = make_request(make_individual(make_branch(), existing_debt=0))
    work_due_jobs()
    assert flag(unasked, "debt_contradiction") is None


# --- Names ----------------------------------------------------------------------------------------------------


def test_one_parcel_of_somebody_else_is_enough_and_a_silent_one_leaves_it_unknown():
    request = request_of(full_name="Dilshod Karimov", parcel_ids=PARCELS)
    mine, other = {"owner_name": "Karimov Dilshod"}, {"owner_name": "Yusupova Nodira"}
    assert flag(request, "owner_contradiction") is None
    told(request, "kadastr", 0, **mine)
    assert flag(request, "owner_contradiction") is None
    told(request, "kadastr", 1, **mine)
    assert flag(request, "owner_contradiction") is False
    told(request, "kadastr", 1, **other)
    assert flag(request, "owner_contradiction") is True
    told(request, "kadastr", 0, owner_name=None)
    assert flag(request, "owner_contradiction") is True


@pytest.mark.parametrize(
    ("soliq", "bureau", "differs"),
    [
        ("Karimov Dilshod", "Dilshod Karimov", False),
        ("Karimov Dilshod", "Yusupova Nodira", True),
        ("Yusupova Nodira", None, True),
        ("Karimov Dilshod", None, None),
        (None, None, None),
    ],
)
def test_a_name_of_the_tax_register_or_the_bureau(soliq, bureau, differs):
    request = request_of(full_name="Dilshod Karimov")
    told(request, "soliq", name=soliq)
    told(request, "bureau", name=bureau)
    assert flag(request, "name_contradiction") is differs


def test_what_was_erased_or_has_never_come_tells_nothing():
    request = make_request(make_individual(make_branch()))
    assert compared(request) == []


# --- Told -----------------------------------------------------------------------------------------------------


def test_every_comparison_has_its_sentence_in_every_language():
    texts = contradiction_texts()
    assert texts["en"].keys() == texts["ru"].keys() == texts["uz"].keys()
    request = request_of(full_name="Dilshod Karimov", parcel_ids=PARCELS[:1])
    company = make_request(make_company(make_branch()))
    work_due_jobs()
    made = [*compared(request), *compared(company)]
    assert {comparison.what for comparison in made} == texts["en"].keys() - {"mock", "today", "days"}
    assert {comparison.code for comparison in made} == set(CODES)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "The stated yearly income is 150,000,000\u00a0UZS (profile, today); the tax register knows of "
            "100,000,000\u00a0UZS (21 days ago).",
        ),
        (
            "ru",
            "Указанный годовой доход: 150\u00a0000\u00a0000\u00a0сум (анкета, сегодня); по данным налогового реестра: "
            "100\u00a0000\u00a0000\u00a0сум (21 день назад).",
        ),
        (
            "uz",
            "Aytilgan yillik daromad: 150\u00a0000\u00a0000\u00a0soʻm (anketa, bugun); soliq reyestrida: "
            "100\u00a0000\u00a0000\u00a0soʻm (21 kun oldin).",
        ),
    ],
)
def test_the_sentence_tells_both_values_and_how_old_they_are(language, sentence):
    request, now = request_of(yearly_income=150_000_000, salary=None), timezone.now()
    told(request, "soliq", declared_yearly_income=100_000_000, observed_at=now - timedelta(days=21), now=now)
    found = [each for each in contradictions_of(compared(request)) if each["code"] == "income_contradiction"]
    shown = render_contradictions(found, now=timezone.now(), language=language, currency="UZS")
    assert [each["text"] for each in shown] == [sentence]
    assert (shown[0]["stated"], shown[0]["told"], shown[0]["is_mock"]) == (150_000_000, 100_000_000, False)


def test_one_with_an_invented_record_says_so():
    request = request_of(yearly_income=10**12)
    found = [each for each in contradictions_of(compared(request)) if each["code"] == "income_contradiction"]
    shown = render_contradictions(found, now=timezone.now(), language="en", currency="UZS")
    assert shown[0]["is_mock"] is True
    assert shown[0]["text"].endswith("The record is invented for demonstration.")


# --- Decided --------------------------------------------------------------------------------------------------

RULE = """
[[rules]]
code = "other_owner"
kind = "collateral"
when = "owner_contradiction"
outcome = "refer"
unknown = "pass"
source = "Lender's choice"
reason = { uz = "Egasi boshqa", ru = "Владелец другой", en = "The owner is another" }
"""


def decided(**owner):
    request = make_scored(GOOD, full_name="Dilshod Karimov")
    told(request, "kadastr", **owner)
    decide_by_policy(credit_request=request, version=1, actor=None, now=timezone.now())
    return read(request).decisions.select_related("data_key", "credit_request__product", "policy").get()


def test_a_policy_that_asks_refers_and_what_was_found_is_sealed():
    put_policy_in_force(TEXT.replace("[cut_offs]", f"{RULE}\n[cut_offs]", 1))
    decision = decided(owner_name="Yusupova Nodira")
    assert (decision.outcome, decision.reasons) == ("refer", ["other_owner"])
    sealed = decision.opened()
    assert sealed["facts"]["owner_contradiction"] is True
    found = next(each for each in sealed["contradictions"] if each["code"] == "owner_contradiction")
    assert (found["stated"], found["told"], found["about"]) == (
        "Dilshod Karimov",
        "Yusupova Nodira",
        "•••••••••••••••••55",
    )
    assert found["version"] in {used["version"] for used in decision.records}
    assert "Yusupova" not in json.dumps([decision.reasons, decision.records])


def test_nothing_known_of_the_owner_decides_as_before():
    put_policy_in_force(TEXT.replace("[cut_offs]", f"{RULE}\n[cut_offs]", 1))
    decision = decided(owner_name=None)
    assert (decision.outcome, decision.reasons) == ("approve", [])
    assert "owner_contradiction" not in decision.opened()["facts"]


def test_a_replay_gives_the_same_bits_whatever_was_learnt_since():
    put_policy_in_force(TEXT.replace("[cut_offs]", f"{RULE}\n[cut_offs]", 1))
    decision = decided(owner_name="Yusupova Nodira")
    told(decision.credit_request, "kadastr", owner_name="Dilshod Karimov")
    rows = recorded_decisions(since=timezone.now() - timedelta(hours=1))
    assert [(replay.result, replay.differing) for replay in replay_decisions(rows)] == [("same", ())]


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_the_applicant_is_told_what_the_policy_says_and_no_more(language):
    put_policy_in_force(TEXT.replace("[cut_offs]", f"{RULE}\n[cut_offs]", 1))
    letter = compose_letter(decision=decided(owner_name="Yusupova Nodira"), language=language)
    assert "Yusupova" not in repr(letter)
    assert any(text in {"Egasi boshqa.", "Владелец другой.", "The owner is another."} for text in letter.reasons)


@pytest.mark.parametrize(
    ("source", "changes", "reason"),
    [
        ("kadastr", {"owner_name": "Yusupova Nodira"}, "owner_contradiction"),
        ("soliq", {"name": "Yusupova Nodira"}, "name_contradiction"),
        ("soliq", {"declared_yearly_income": 1_000_000}, "income_contradiction"),
        ("bureau", {"existing_debt": 900_000_000}, "debt_contradiction"),
    ],
)
def test_the_shipped_policy_of_people_refers(source, changes, reason):
    shipped = Path(__file__).parents[2] / "policies" / "defaults" / "uz_individual.toml"
    put_policy_in_force(shipped.read_text(encoding="utf-8"))
    request = request_of(full_name="Dilshod Karimov", credit_history_score=GOOD)
    told(request, source, **changes)
    decision = decide_by_policy(credit_request=read(request), version=1, actor=None, now=timezone.now())
    steps = {step["code"]: step["outcome"] for step in decision.opened()["trace"]}
    assert steps[reason] == "refer"


def test_the_shipped_policy_of_companies_refers():
    shipped = Path(__file__).parents[2] / "policies" / "defaults" / "uz_company.toml"
    request = make_request(make_company(make_branch()), product=make_product(kind="business"))
    work_due_jobs()
    told(request, "soliq", declared_revenue=1_000_000_000, name="Zarafshon Savdo MCHJ")
    put_policy_in_force(shipped.read_text(encoding="utf-8"), segment="company")
    decision = decide_by_policy(credit_request=read(request), version=1, actor=None, now=timezone.now())
    steps = {step["code"]: step["outcome"] for step in decision.opened()["trace"]}
    assert (steps["revenue_contradiction"], steps["name_contradiction"]) == ("refer", "approve")
