"""The policies that ship: sound, with examples for every rule, and with the limits that were reported."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings

from apps.policies.documents import read_policy
from apps.policies.examples import outcome_of, run_examples
from apps.policies.lint import lint
from apps.policies.policy import Policy

FOLDER = Path(__file__).parent.parent / "defaults"
NAMES = ("uz_individual", "uz_company", "neutral", "neutral_company")


def shipped(name: str) -> Policy:
    return read_policy((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def test_all_shipped_policies_are_tested_here():
    assert sorted(path.stem for path in FOLDER.glob("*")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_it(name):
    """Every rule, band and cap speaks in an example; what is left is what a lender must confirm."""
    left = [finding for finding in lint(shipped(name)) if "is to be confirmed" not in finding.message]
    assert left == []


@pytest.mark.parametrize("name", NAMES)
def test_its_examples_are_decided_as_they_say(name):
    policy = shipped(name)
    assert run_examples(policy) == []
    assert len(policy.examples) >= 12


@pytest.mark.parametrize(
    ("name", "segment", "currency"),
    [
        ("uz_individual", "individual", "UZS"),
        ("uz_company", "company", "UZS"),
        ("neutral", "individual", "USD"),
        ("neutral_company", "company", "USD"),
    ],
)
def test_whom_it_is_for(name, segment, currency):
    policy = shipped(name)
    assert (policy.segment, policy.currency) == (segment, currency)


def test_the_reported_limits_are_dated_and_marked_to_confirm():
    values = shipped("uz_individual").values
    debt_service, terms = values["most_debt_service"], values["most_counted_term"]
    assert [debt_service.on(day) for day in (date(2024, 6, 30), date(2024, 7, 1), date(2024, 12, 31))] == [
        None,
        0.6,
        0.6,
    ]
    assert debt_service.on(date(2025, 1, 1)) == 0.5
    assert terms.by == "product_kind"
    assert terms.on(date(2026, 1, 1)) == {"microloan": 36, "mortgage": 180, "otherwise": 60}
    assert values["most_of_official_income"].on(date(2025, 12, 17)) is None
    assert values["most_of_official_income"].on(date(2025, 12, 18)) == 8
    assert values["most_of_shown_income"].on(date(2025, 12, 18)) == 5
    assert values["most_online_loans"].on(date(2026, 1, 1)) == 1
    assert shipped("uz_individual").to_confirm == [
        "most_debt_service",
        "most_counted_term",
        "most_of_official_income",
        "most_of_shown_income",
        "most_online_loans",
        "legal_age",
        "income_tax",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_fact_that_is_left_out_turns_refer_or_decline_into_approve(name):
    """But for a claim of more income than the tax register knows, without which nothing is there to be shown by papers,
    and but for a contradiction: where one of the two says nothing there is none.
    """
    policy = shipped(name)
    judged = [example for example in policy.examples if "approve" not in example.expect.values()]
    assert len(judged) >= 8
    for example in judged:
        claimed = {"salary"} if example.expect["reasons"] == ["income_not_official"] else set()
        found = {name for name in example.facts if name.endswith("_contradiction")}
        for fact in example.facts.keys() - claimed - found:
            less = replace(example, facts={each: example.facts[each] for each in example.facts if each != fact})
            assert outcome_of(policy, less).outcome != "approve", (example.title, fact)


def test_the_rule_of_the_how_to_can_be_added_as_it_says():
    page = (Path(settings.BASE_DIR) / "docs/how-to/write-a-policy.md").read_text(encoding="utf-8")
    added = [dedent(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    text = (FOLDER / "uz_individual.toml").read_text(encoding="utf-8")
    text = text.replace("age_years = 34", "employment_years = 5, age_years = 34")
    text = text.replace("valid_from = 2026-01-01", "valid_from = 2026-06-01").replace("2026-03-02", "2026-06-02")
    policy = read_policy("\n".join([text, *added]))
    assert policy.rules[-1].code == "new_in_employment"
    assert run_examples(policy) == []
    assert [finding for finding in lint(policy) if "is to be confirmed" not in finding.message] == []
