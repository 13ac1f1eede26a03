"""The examples in a policy file: what is decided is compared with what they say, and a mistyped one is no example."""

import pytest

from apps.policies.documents import read_policy
from apps.policies.examples import Failure, run_examples
from apps.policies.policy import PolicyError
from apps.policies.tests.small_policy import SMALL, changed


def failures(*changes: tuple[str, str]) -> list[str]:
    return [f"{each.title}: {each.message}" for each in run_examples(read_policy(changed(*changes)))]


def test_all_as_expected():
    assert run_examples(read_policy(SMALL)) == []


def test_each_difference_is_told():
    assert run_examples(
        read_policy(
            changed(
                ('{ outcome = "refer", reasons = ["late"] }', '{ outcome = "approve", reasons = [] }'),
                ("amount = 32_000_000, ", "amount = 30_000_000, "),
            )
        )
    ) == [
        Failure("late", "outcome should be approve and is refer"),
        Failure("late", "reasons should be [] and is [late]"),
        Failure("capped", "terms.amount should be 30,000,000 and is 32,000,000"),
    ]


def test_a_changed_rule_fails_the_examples_that_rest_on_it():
    assert failures(("delinquencies_24m > 2", "delinquencies_24m > 3")) == [
        "late: outcome should be refer and is approve",
        "late: reasons should be [late] and is []",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("facts = { self_banned = true }", "facts = { self_baned = true }"),
            "banned: facts.self_baned: self_baned is not known: it is no fact of this segment, and no value or feature "
            "of this file",
        ),
        (
            ("facts = { self_banned = true }", 'facts = { self_banned = "yes" }'),
            'banned: facts.self_banned must be a flag, not "yes"',
        ),
        (
            ("facts = { self_banned = true }", 'facts = { channel = "fax" }'),
            'banned: facts.channel must be one of branch, online, partner, phone, not "fax"',
        ),
        (
            ("assessment = { score = 450 }", "assessment = { scoer = 450 }"),
            "grey: assessment.scoer is not known; known are score, probability_of_default, horizon_months, grade, bars",
        ),
        (
            ('terms = { amount = 32_000_000, capped_by = ["cap"] }', "terms = { sum = 32_000_000 }"),
            "capped: expect.terms.sum is not known; known are amount, term_months, annual_rate_basis_points, "
            "instalment, capped_by",
        ),
        (
            ('{ outcome = "decline", reasons = ["banned"] }', '{ reason = ["banned"] }'),
            "banned: expect.reason is not known; known are outcome, policy_outcome, reasons, terms, expected_loss",
        ),
    ],
)
def test_a_mistyped_example_fails(change, message):
    assert failures(change)[0] == message


def test_an_assessment_must_be_whole():
    assert failures((', horizon_months = 36, grade = "D" }', " }"))[:2] == [
        "good: assessment.horizon_months is missing",
        "good: assessment.grade is missing",
    ]


def test_like_takes_over_day_facts_and_assessment_and_without_leaves_out():
    added = """
[[examples]]
title = "unknown"
like = "capped"
without = ["self_banned", "assessment"]
expect = { outcome = "refer" }
"""
    *_, capped, unknown = read_policy(SMALL + added).examples
    assert unknown.on_date == capped.on_date
    assert unknown.assessment is None
    assert capped.facts["requested_amount"] == 40_000_000
    assert unknown.facts == {name: fact for name, fact in capped.facts.items() if name != "self_banned"}


def test_like_names_an_earlier_example():
    with pytest.raises(PolicyError) as refused:
        read_policy(changed(('title = "banned"\nlike = "good"', 'title = "banned"\nlike = "capped"')))
    assert "examples[2].like: is the title of no earlier example" in str(refused.value)


def test_one_title_one_example():
    with pytest.raises(PolicyError) as refused:
        read_policy(changed(('title = "indebted"', 'title = "banned"')))
    assert "examples[3].title: is that of an earlier example" in str(refused.value)
