"""Ten thousand requests decided one by one and all at once: the same, to the bit."""

import math
import random
from datetime import date
from pathlib import Path

import pytest

from apps.policies.columns import decide_columns
from apps.policies.documents import read_policy
from apps.policies.engine import OUTCOMES, Outcome, decide
from apps.policies.tests.random_requests import as_columns, draw_rows

DEFAULTS = Path(__file__).parents[1] / "defaults"
SHIPPED = sorted(path.stem for path in DEFAULTS.glob("*.toml"))
DAY = date(2026, 12, 1)
ROWS = 10_000
FIRED = {0: False, 1: None, 2: True}


def told(outcome: Outcome) -> tuple[object, ...]:
    terms = outcome.terms
    money = (None,) * 4 if terms is None else (*terms[:3], terms.instalment) if isinstance(terms, tuple) else (
        terms.amount, terms.term_months, terms.annual_rate_basis_points, terms.instalment
    )  # fmt: skip
    return (
        outcome.outcome,
        outcome.policy_outcome,
        outcome.reasons[0] if outcome.reasons else "",
        *money,
        outcome.annual_probability_of_default,
        outcome.loss_given_default,
        outcome.expected_loss,
    )


UNSOUND = (math.nan, math.inf, -math.inf, 1e16, -1e300, 1e15, -1e15)


def test_columns_take_what_is_no_number_as_not_known_too():
    policy = read_policy((DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8"))
    chance = random.Random(5)
    rows = [
        ({name: chance.choice(UNSOUND) if type(value) is int and chance.random() < 0.1 else value
          for name, value in facts.items()}, assessment)
        for facts, assessment in draw_rows(policy.segment, 2_000, seed=3)
    ]  # fmt: skip
    found = decide_columns(*as_columns(policy.segment, rows), policy, DAY)
    for place, (facts, assessment) in enumerate(rows):
        one = decide(facts, assessment, policy, DAY)
        assert (OUTCOMES[found.outcome[place]], found.first_reason[place]) == told(one)[:3:2], facts
        assert plain(found.expected_loss[place]) == one.expected_loss


def plain(number: float) -> float | None:
    return None if math.isnan(number) else number


@pytest.mark.parametrize("name", SHIPPED)
def test_columns_decide_as_the_engine_does(name):
    policy = read_policy((DEFAULTS / f"{name}.toml").read_text(encoding="utf-8"))
    rows = draw_rows(policy.segment, ROWS)
    found = decide_columns(*as_columns(policy.segment, rows), policy, DAY)
    outcomes = [decide(facts, assessment, policy, DAY) for facts, assessment in rows]
    numbers = (found.amount, found.term_months, found.annual_rate_basis_points, found.instalment,
               found.annual_probability_of_default, found.loss_given_default, found.expected_loss)  # fmt: skip
    for place, outcome in enumerate(outcomes):
        all_at_once = (
            OUTCOMES[found.outcome[place]],
            OUTCOMES[found.policy_outcome[place]],
            found.first_reason[place],
            *(plain(column[place]) for column in numbers),
        )
        assert all_at_once == told(outcome), rows[place]
        for step in outcome.trace:
            assert FIRED[found.fired[step.code][place]] is step.fired, (step, rows[place])
    assert {outcome.outcome for outcome in outcomes} == set(OUTCOMES)
